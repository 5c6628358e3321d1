//! The dialects: ways in which a request arrives and its answer leaves. Each is a pair of conversions; past them
//! nothing knows which dialect it was.

pub mod slash;
pub mod v2;
