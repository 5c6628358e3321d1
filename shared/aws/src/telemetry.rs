//! Logs: JSON lines on standard output, as Lambda's JSON log format wants them.

use tracing_subscriber::fmt::time::SystemTime;

/// Starts logging. A second call in one process changes nothing.
pub fn start(level: tracing::Level) {
    let _ = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_timer(SystemTime)
        .with_max_level(level)
        .with_writer(std::io::stdout)
        .try_init();
}
