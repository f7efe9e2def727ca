//! What the service manager is told (sd_notify). Without one, every call is a no-op.
//!
//! READY=1 once we listen *and* have looked at the state file once, whatever the look found: a sidecar that refused to start on a broken
//! file could not report it. WATCHDOG=1 comes from the loop that looks, so a hung disk is noticed although HTTP still answers.

use sd_notify::NotifyState;

/// We listen and have looked once.
pub(crate) fn ready() {
    send(&[NotifyState::Ready]);
}

/// The loop has come round; `status` is for `systemctl status`.
pub(crate) fn alive(status: &str) {
    send(&[NotifyState::Watchdog, NotifyState::Status(status)]);
}

/// We have begun to stop.
pub(crate) fn stopping() {
    send(&[NotifyState::Stopping, NotifyState::Status("stopping")]);
}

fn send(states: &[NotifyState<'_>]) {
    if let Err(cause) = sd_notify::notify(states) {
        tracing::debug!("the service manager could not be told: {cause}");
    }
}
