//! Installs behind their cache.

/// Installs behind a cache: architecture section 4.
pub struct InstallCache {}
