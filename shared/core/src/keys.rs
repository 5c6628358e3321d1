//! Key rings behind their cache.

/// Key rings behind a cache: architecture section 4.
pub struct KeyCache {}
