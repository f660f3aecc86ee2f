//! Numbers that the media thread writes and everybody reads, without a lock.

use std::{
    sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use crate::handle::Load;

/// How long a delay is remembered.
const MEMORY: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(crate) struct Gauge {
    sessions: AtomicUsize,
    lag_micros: AtomicU64,
    /// When `lag_micros` was written, in microseconds since the start.
    lag_at: AtomicU64,
    late_ticks: AtomicU64,
    wake_ups: AtomicU64,
    blocks_lost: AtomicU64,
    events_lost: AtomicU64,
}

impl Gauge {
    pub(crate) fn opened(&self) {
        self.sessions.fetch_add(1, Relaxed);
    }

    pub(crate) fn closed(&self) {
        self.sessions.fetch_sub(1, Relaxed);
    }

    pub(crate) fn woke(&self) {
        self.wake_ups.fetch_add(1, Relaxed);
    }

    pub(crate) fn block_lost(&self) {
        self.blocks_lost.fetch_add(1, Relaxed);
    }

    pub(crate) fn event_lost(&self) {
        self.events_lost.fetch_add(1, Relaxed);
    }

    /// A tick with players came `lag` after its point of the grid. The longest delay stands until
    /// it is a second old.
    pub(crate) fn ticked(&self, now: Duration, lag: Duration, late: bool) {
        self.late_ticks.fetch_add(u64::from(late), Relaxed);
        let micros = lag.as_micros() as u64;
        if micros >= self.lag_micros.load(Relaxed) || self.is_old(now) {
            self.lag_micros.store(micros, Relaxed);
            self.lag_at.store(now.as_micros() as u64, Relaxed);
        }
    }

    fn is_old(&self, now: Duration) -> bool {
        now.saturating_sub(Duration::from_micros(self.lag_at.load(Relaxed))) > MEMORY
    }

    pub(crate) fn load(&self, now: Duration) -> Load {
        let lag = if self.is_old(now) { 0 } else { self.lag_micros.load(Relaxed) };
        Load {
            sessions: self.sessions.load(Relaxed),
            lag: Duration::from_micros(lag),
            late_ticks: self.late_ticks.load(Relaxed),
            wake_ups: self.wake_ups.load(Relaxed),
            blocks_lost: self.blocks_lost.load(Relaxed),
            events_lost: self.events_lost.load(Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_delay_is_read_for_a_second() {
        let (gauge, ms) = (Gauge::default(), Duration::from_millis);
        gauge.ticked(ms(10), ms(30), true);
        gauge.ticked(ms(15), ms(1), false);
        assert_eq!(gauge.load(ms(20)).lag, ms(30));
        assert!(gauge.load(ms(20)).is_late());
        gauge.ticked(ms(1_100), ms(2), false);
        assert_eq!(gauge.load(ms(1_100)).lag, ms(2));
        assert_eq!(gauge.load(ms(3_000)).lag, Duration::ZERO);
        assert_eq!(gauge.load(ms(3_000)).late_ticks, 1);
    }
}
