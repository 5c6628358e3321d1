//! Logs: JSON lines on standard output, in Lambda's JSON log format. Only [`LogFilter`] decides which lines are written; no
//! variable of the environment adds others.

use cloud_apps_core::log::{self, LogFilter};
use tracing_subscriber::{
    Layer, filter::filter_fn, fmt, fmt::time::SystemTime, layer::SubscriberExt, util::SubscriberInitExt,
};

/// Starts logging. A second call in one process changes nothing.
pub fn start(lines: LogFilter) {
    let level = lines.level();
    let json = fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_timer(SystemTime)
        .with_writer(std::io::stdout)
        .with_filter(filter_fn(move |line| lines.allow(line)).with_max_level_hint(level));
    let _ = tracing_subscriber::registry().with(json).try_init();
    log::report_panics();
}
