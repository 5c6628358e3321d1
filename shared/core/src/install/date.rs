//! A time for people.

use cloud_apps_protocol::Millis;

/// `2026-11-22 12:00 UTC`.
pub(crate) fn date(at: Millis) -> String {
    let at = i64::try_from(at).ok().and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
    at.unwrap_or(jiff::Timestamp::MAX).strftime("%Y-%m-%d %H:%M UTC").to_string()
}
