//! Mattermost Blocks, and the registry of actions that their buttons and menus name.
//!
//! A post has blocks in `props.mm_blocks`, and what they do in `props.mm_blocks_actions`: an address and a context for each
//! action id. To the server the blocks are only data. It looks into them to know which ids they name ([`references`]), so
//! that no action stays that nothing names ([`registry`]). Clients draw the blocks that they can read and silently leave
//! out all others ([`drawn`]).
//!
//! Derived from `model/mm_blocks_actions.go`, `model/post_interactive_blocks.go` and `app/integration_action_setup.go` of
//! 11.11, and from the parser of the web client; no server with blocks was recorded.

mod drawn;
mod markdown;
mod references;
mod registry;

pub(crate) use drawn::drawn;
pub(crate) use markdown::links;
pub(crate) use registry::{ACTIONS, Target, Unusable, check, check_query, prune, resolve};

/// The prop that has the blocks.
pub(crate) const BLOCKS: &str = "mm_blocks";
