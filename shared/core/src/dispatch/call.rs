//! A call of a linked app's function: cancelled when its time is over, its panic caught.

use cloud_app::{App, Cx, Failure};
use cloud_apps_protocol::{Answer, Values};
use futures_util::FutureExt;
use std::{any::Any, panic::AssertUnwindSafe, time::Duration};

/// How a call went.
#[derive(Debug)]
pub enum Called {
    /// It answered.
    Answered(Answer),
    /// It says why it has no answer.
    Failed(Failure),
    /// It panicked; the text is for the log.
    Panicked(String),
    /// It did not end in its time.
    TookTooLong,
    /// The app has no such function.
    Unknown,
}

/// Calls a function, for at most `left`.
pub async fn call(app: &App, function: &str, cx: Cx, values: Values, left: Duration) -> Called {
    // Inside the guarded future: a function may panic before its first await.
    let running = async {
        match app.call(function, cx, values) {
            Some(running) => running.await.map_or_else(Called::Failed, Called::Answered),
            None => Called::Unknown,
        }
    };
    match tokio::time::timeout(left, AssertUnwindSafe(running).catch_unwind()).await {
        Ok(Ok(called)) => called,
        Ok(Err(panic)) => Called::Panicked(text_of(&*panic).to_owned()),
        Err(_) => Called::TookTooLong,
    }
}

fn text_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("(no text)")
}
