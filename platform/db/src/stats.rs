//! Figures about the work done, for metrics and tests.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

use base::Timestamp;

/// Upper bounds of [`Stats::batches`].
const BOUNDS: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];

/// What a database has done since it was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Units waiting to be written now.
    pub queued: u64,
    /// Units kept.
    pub kept: u64,
    /// Units rolled back by their own error.
    pub refused: u64,
    /// Units undone because the commit failed.
    pub lost: u64,
    /// Transactions committed.
    pub commits: u64,
    /// Transactions of up to 1, 2, 4, 8, 16, 32 and 64 units.
    pub batches: [u64; 7],
    /// Units that only read.
    pub reads: u64,
}

/// The figures as they are kept.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    queued: AtomicI64,
    kept: AtomicU64,
    refused: AtomicU64,
    lost: AtomicU64,
    commits: AtomicU64,
    batches: [AtomicU64; 7],
    pub(crate) reads: AtomicU64,
    /// Microseconds since 1970 of the last commit; 0 before the first, and after one that failed.
    last_commit: AtomicI64,
}

impl Counts {
    /// Counts a transaction of `units` that was committed at `now`.
    pub(crate) fn committed(&self, units: usize, now: Timestamp) {
        self.kept.fetch_add(units as u64, Relaxed);
        metrics::counter!("db_units_total", "end" => "kept").increment(units as u64);
        self.commits.fetch_add(1, Relaxed);
        metrics::counter!("db_commits_total").increment(1);
        let bucket = BOUNDS.iter().position(|bound| units <= *bound).unwrap_or(BOUNDS.len() - 1);
        self.batches[bucket].fetch_add(1, Relaxed);
        self.last_commit.store(now.micros(), Relaxed);
    }

    /// Counts a unit that was rolled back by its own error.
    pub(crate) fn refused(&self) {
        self.refused.fetch_add(1, Relaxed);
        metrics::counter!("db_units_total", "end" => "refused").increment(1);
    }

    /// Counts units that were undone because the commit failed.
    pub(crate) fn lost(&self, units: usize) {
        self.last_commit.store(0, Relaxed);
        self.lost.fetch_add(units as u64, Relaxed);
        metrics::counter!("db_units_total", "end" => "lost").increment(units as u64);
    }

    /// Counts units that begin to wait, or with a negative number those that no longer do.
    pub(crate) fn waits(&self, more: i64) {
        let waiting = self.queued.fetch_add(more, Relaxed) + more;
        metrics::gauge!("db_units_waiting").set(waiting as f64);
    }

    pub(crate) fn last_commit(&self) -> Timestamp {
        Timestamp::from_micros(self.last_commit.load(Relaxed))
    }

    pub(crate) fn read(&self) -> Stats {
        Stats {
            queued: self.queued.load(Relaxed).max(0) as u64,
            kept: self.kept.load(Relaxed),
            refused: self.refused.load(Relaxed),
            lost: self.lost.load(Relaxed),
            commits: self.commits.load(Relaxed),
            batches: std::array::from_fn(|n| self.batches[n].load(Relaxed)),
            reads: self.reads.load(Relaxed),
        }
    }
}
