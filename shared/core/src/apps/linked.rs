//! Functions that are linked into the bundle. A function is cancelled when its time is over, and its panic is caught.

use super::{
    call::{Call, Called},
    no_answer::NoAnswer,
};
use crate::log::of_panic;
use cloud_app::{App, Cx, cx::Inner, http::Outbound};
use futures_util::FutureExt;
use std::{panic::AssertUnwindSafe, sync::Arc};

/// Calls a function.
pub(super) async fn call(app: &App, http: Outbound, call: Call<'_>) -> Called {
    let cx = Cx::new(Inner {
        request: call.request,
        now: call.now,
        deadline: call.deadline,
        request_id: call.request_id.to_owned(),
        settings: call.settings,
        bot: Arc::clone(&call.bot) as _,
        user: call.user,
        http,
    });
    // The call is inside the future whose panics are caught, because a function may panic before its first await.
    let running = async {
        match app.call(call.function.as_str(), cx, call.values) {
            Some(running) => running.await.map_or_else(Called::Failed, Called::Answered),
            None => Called::Broken(NoAnswer::Unknown),
        }
    };
    match tokio::time::timeout(call.left, AssertUnwindSafe(running).catch_unwind()).await {
        Ok(Ok(called)) => called,
        Ok(Err(panic)) => Called::Broken(NoAnswer::Panicked(of_panic(&*panic))),
        Err(_) => Called::Broken(NoAnswer::TookTooLong),
    }
}
