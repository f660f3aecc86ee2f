//! Ids for one node, made as they are asked for.

use std::sync::Arc;

use base::{Id, IdMaker};
use parking_lot::Mutex;

use crate::Clock;

/// Hands out ids that rise with time. Clones share one sequence, so no two ids of a process are
/// equal.
#[derive(Debug, Clone)]
pub struct Ids {
    maker: Arc<Mutex<IdMaker>>,
    clock: Clock,
}

impl Ids {
    /// Ids of `node` (0 to 1023; 0 on one machine), by `clock`. Two processes that write the same
    /// database need different nodes.
    pub fn new(node: u16, clock: Clock) -> Self {
        Self { maker: Arc::new(Mutex::new(IdMaker::new(node))), clock }
    }

    /// A fresh id.
    pub fn next<K>(&self) -> Id<K> {
        // The clock is read under the lock: ids then rise in the order in which they are made.
        let mut maker = self.maker.lock();
        maker.next(self.clock.now())
    }

    /// The clock that the ids are made by.
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }
}

#[cfg(test)]
mod tests {
    use base::{Timestamp, kind::Campaign};

    use super::*;

    #[test]
    fn clones_share_one_sequence() {
        let (clock, _hand) = Clock::manual(Timestamp::from_seconds(1_800_000_000));
        let ids = Ids::new(0, clock);
        let other = ids.clone();
        let (one, two) = (ids.next::<Campaign>(), other.next::<Campaign>());
        assert!(two > one);
    }
}
