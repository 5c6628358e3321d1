//! A count of the deliveries of outgoing webhooks that are under way, so that a test can wait for their end.

use tokio::sync::watch;

/// How many deliveries are under way.
pub(crate) struct Deliveries(watch::Sender<usize>);

/// One delivery that is under way. It ends when this value is dropped, whatever the reason.
pub(crate) struct Delivery(watch::Sender<usize>);

impl Deliveries {
    pub(crate) fn new() -> Deliveries {
        Deliveries(watch::Sender::new(0))
    }

    pub(crate) fn begin(&self) -> Delivery {
        self.0.send_modify(|count| *count += 1);
        Delivery(self.0.clone())
    }

    /// Waits until no delivery is under way.
    pub(crate) async fn settled(&self) {
        // This fails only when there is no sender, and `self` has one.
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count = count.saturating_sub(1));
    }
}
