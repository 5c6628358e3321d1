//! What the pages say, held to the code: every link and every "section N" leads somewhere, every block of JSON is of its
//! type, every command is run where it can be, and the Python of the protocol makes a request that a bundle accepts.

mod blocks;
mod links;
mod pages;
mod protocol;
#[cfg(feature = "rig")]
mod python;
mod shell;
mod way;
