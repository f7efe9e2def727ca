//! Asking once how things are: is somebody there, is the key accepted, what time is it there?
//!
//! One request, through the quota that all windows share, past every cache and without a second try: whoever asks wants to see the
//! trouble, not to get around it.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::Instant;

use super::error::DeskError;
use super::request::{Endpoint, Request};
use super::{Access, Desk};

/// What one question showed.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Whether Order Desk accepts the store's id and key, or what went wrong.
    pub outcome: Result<(), DeskError>,
    /// The other side's clock, to the second, if an answer came that says it; and ours when it came.
    pub clocks: Option<(Timestamp, Timestamp)>,
}

impl Desk {
    /// Asks the store's API whether it accepts this id and key. Never takes longer than the total deadline.
    pub async fn probe(&self, access: Arc<Access>) -> Probe {
        let shop = self.shop(access);
        let request = Request::new(Endpoint::Test, Vec::new());
        let deadline = Instant::now() + self.0.config.total_deadline;
        match self.0.exchange(&shop, &request, deadline).await {
            Ok((answer, judged)) => Probe {
                outcome: judged.map(drop),
                clocks: answer.date.map(|theirs| (theirs, self.0.clock.now())),
            },
            Err(error) => Probe {
                outcome: Err(error),
                clocks: None,
            },
        }
    }
}
