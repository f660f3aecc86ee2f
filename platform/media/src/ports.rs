//! Ports of calls: the one that has rested longest goes first.

use std::{
    collections::VecDeque,
    ops::RangeInclusive,
    sync::mpsc::{Receiver, Sender, channel},
    time::Duration,
};

/// Even ports of a range. Time is an argument: the time since the media plane started.
#[derive(Debug)]
pub(crate) struct Ports {
    /// Oldest first: a port and when it may be used again.
    free: VecDeque<(u16, Duration)>,
    quarantine: Duration,
    returned: Receiver<(u16, Duration)>,
}

/// The way back into [`Ports`] for the media thread, which must not wait for a lock. As many ports
/// are under way as were taken, so the queue needs no other bound.
pub(crate) type PortReturn = Sender<(u16, Duration)>;

impl Ports {
    /// All even ports of `range` that have their odd neighbour in it, or none.
    pub(crate) fn new(range: RangeInclusive<u16>, quarantine: Duration) -> (Self, PortReturn) {
        let last = *range.end();
        let free = range
            .filter(|port| port % 2 == 0 && *port > 0 && *port <= last)
            .map(|port| (port, Duration::ZERO))
            .collect();
        let (give, returned) = channel();
        (Self { free, quarantine, returned }, give)
    }

    /// Ports that exist, not counting those in use.
    pub(crate) fn len(&mut self) -> usize {
        self.collect();
        self.free.len()
    }

    /// The port that has rested longest, if its quarantine is over at `now`.
    pub(crate) fn take(&mut self, now: Duration) -> Option<u16> {
        self.collect();
        let (port, _) = self.free.pop_front_if(|(_, usable)| *usable <= now)?;
        Some(port)
    }

    /// Back to the end of the row: in use by another program.
    pub(crate) fn put_aside(&mut self, port: u16, now: Duration) {
        self.free.push_back((port, now + self.quarantine));
    }

    fn collect(&mut self) {
        while let Ok((port, closed)) = self.returned.try_recv() {
            self.free.push_back((port, closed + self.quarantine));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn the_port_that_rested_longest_goes_first_and_none_before_a_minute() {
        let (mut ports, give) = Ports::new(10_000..=10_005, MINUTE);
        assert_eq!(ports.len(), 3);
        let now = Duration::from_secs(5);
        assert_eq!([ports.take(now), ports.take(now)], [Some(10_000), Some(10_002)]);
        give.send((10_000, now)).unwrap();
        assert_eq!(ports.take(now), Some(10_004));
        assert_eq!(ports.take(now + Duration::from_secs(59)), None);
        assert_eq!(ports.take(now + MINUTE), Some(10_000));
    }

    #[test]
    fn a_port_held_by_another_program_rests_as_well() {
        let (mut ports, _give) = Ports::new(10_001..=10_003, MINUTE);
        let port = ports.take(Duration::ZERO).unwrap();
        ports.put_aside(port, Duration::ZERO);
        assert_eq!(ports.take(Duration::ZERO), None);
        assert_eq!(ports.take(MINUTE), Some(10_002));
    }
}
