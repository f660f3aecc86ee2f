//! How a database is opened.

use std::time::Duration;

use clock::Clock;

/// What may be chosen when a database is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// Tells when a migration was applied and whether a commit is recent.
    pub clock: Clock,
    /// Threads that read, on SQLite.
    pub readers: usize,
    /// Connections to PostgreSQL.
    pub connections: usize,
    /// The most units that wait for the writer or a connection; more wait outside.
    pub queue: usize,
    /// How long a unit may wait there before it is refused as [`crate::Error::Unavailable`].
    pub patience: Duration,
    /// How long one statement may take on PostgreSQL, and one unit on SQLite; migrations may take
    /// longer.
    pub statement_timeout: Duration,
    /// Planted fault: SQLite does not wait for the disk. Only ever true in the check that must
    /// then fail.
    pub synchronous_off: bool,
}

impl Options {
    /// The product's choice, with `clock`.
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            readers: 3,
            connections: 16,
            queue: 1_024,
            patience: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(30),
            synchronous_off: false,
        }
    }

    /// As [`Options::new`], with the fault that `SWITCHBELL_PLANT` names, if it is one of this
    /// crate's.
    pub fn from_env(clock: Clock) -> Self {
        let planted = std::env::var("SWITCHBELL_PLANT").is_ok_and(|p| p == "synchronous-off");
        if planted {
            tracing::warn!("planted fault: SQLite does not wait for the disk");
        }
        Self { synchronous_off: planted, ..Self::new(clock) }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::from_env(Clock::system())
    }
}
