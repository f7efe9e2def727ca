//! Who may change one shop.
//!
//! Here: the shop, the journal its writes are written down in, and one write's time and stage. Not here: the way of a write, which the
//! files beside this one walk.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::task::{self, Stage};
use super::{Change, Outcome, Preview};
use crate::desk::error::DeskError;
use crate::desk::journal::{Intent, Journal};
use crate::desk::shop::Shop;

/// How often a write stands in the row whose turn was lost.
const TRIES: u32 = 3;

/// May change one shop. Cloning is cheap.
#[derive(Clone)]
pub struct Writer {
    pub(super) shop: Shop,
    pub(super) journal: Arc<dyn Journal>,
    /// Of the write under way; of none before there is one.
    pub(super) stage: Arc<Stage>,
    pub(super) deadline: Instant,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("shop", &self.shop)
            .field("journal", &self.journal)
            .finish_non_exhaustive()
    }
}

impl Writer {
    pub(in crate::desk) fn new(shop: Shop, journal: Arc<dyn Journal>) -> Writer {
        Writer {
            deadline: Instant::now() + shop.total_deadline(),
            stage: Arc::default(),
            shop,
            journal,
        }
    }

    /// The shop that is written to, for reading.
    #[must_use]
    pub fn shop(&self) -> &Shop {
        &self.shop
    }

    /// Carries `change` out, in a task of its own: whoever drops this future before anything was sent stops it, later nobody does.
    ///
    /// # Errors
    /// Why nothing was changed.
    pub async fn carry_out(
        &self,
        change: Arc<dyn Change>,
        agreed: Option<Preview>,
    ) -> Result<Outcome, DeskError> {
        let stage = Arc::new(Stage::default());
        let writer = Writer {
            stage: Arc::clone(&stage),
            deadline: Instant::now() + self.shop.total_deadline(),
            ..self.clone()
        };
        let work = async move {
            for _ in 1..TRIES {
                match change.carry_out(&writer, agreed.as_ref()).await {
                    // Somebody took this process for dead, or it waited too long: nothing was sent.
                    Err(DeskError::Turn { ahead: 0 }) => {}
                    done => return done,
                }
            }
            change.carry_out(&writer, agreed.as_ref()).await
        };
        task::carry_out(stage, work).await
    }

    /// An intent about something in this shop.
    pub(super) fn intent(
        &self,
        action: &'static str,
        target: String,
        args_shape: String,
        check: String,
    ) -> Intent {
        Intent {
            store_key: Arc::clone(&self.shop.store_key),
            action,
            target,
            args_shape,
            check,
        }
    }

    /// How much time this write still has.
    pub(super) fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}
