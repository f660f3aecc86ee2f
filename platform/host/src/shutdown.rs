//! Stopping in two steps: first no new work, then none at all.

use std::fmt;

use tokio_util::sync::CancellationToken;

/// Tells everybody that the server stops. Cheap to clone; clones tell the same.
///
/// *Draining* comes first: no new work is begun, and what is under way gets up to 30 seconds.
/// *Stopping* comes when it has ended or the time is over: loops return.
#[derive(Clone, Default)]
pub struct Shutdown {
    draining: CancellationToken,
    stopping: CancellationToken,
}

impl Shutdown {
    /// Nothing stops yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns when no new work is to be begun.
    pub async fn draining(&self) {
        self.draining.cancelled().await;
    }

    /// Whether no new work is to be begun.
    pub fn is_draining(&self) -> bool {
        self.draining.is_cancelled()
    }

    /// Returns when all work is to end.
    pub async fn stopping(&self) {
        self.stopping.cancelled().await;
    }

    /// Whether all work is to end.
    pub fn is_stopping(&self) -> bool {
        self.stopping.is_cancelled()
    }

    /// Begins the first step.
    pub fn drain(&self) {
        self.draining.cancel();
    }

    /// Begins the second step, and the first if it has not begun.
    pub fn stop(&self) {
        self.draining.cancel();
        self.stopping.cancel();
    }
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.is_draining(), self.is_stopping()) {
            (_, true) => "Shutdown(stopping)",
            (true, false) => "Shutdown(draining)",
            (false, false) => "Shutdown(running)",
        })
    }
}
