//! Whom to listen to, and who has been told off.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    time::Duration,
};

use base::Timestamp;
use parking_lot::RwLock;

/// How many strangers are remembered.
const STRANGERS: usize = 4_096;
/// Datagrams within a second that make a stranger a nuisance.
const NUISANCE: u32 = 20;
/// For how long a stranger is not logged again.
const SILENCE: Duration = Duration::from_mins(1);

/// What is known about a datagram's source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// A line names it.
    Known,
    /// Nobody does; worth a line in the log.
    Stranger,
    /// Nobody does, and the log knows.
    Told,
}

/// Shared between the task that knows the lines and the tasks that read sockets.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    known: RwLock<BTreeSet<IpAddr>>,
    strangers: RwLock<BTreeMap<IpAddr, Stranger>>,
}

#[derive(Debug, Clone, Copy)]
struct Stranger {
    since: Timestamp,
    within: u32,
    silent_until: Timestamp,
}

impl Sources {
    pub(crate) fn set(&self, known: BTreeSet<IpAddr>) {
        *self.known.write() = known;
    }

    pub(crate) fn judge(&self, ip: IpAddr, now: Timestamp) -> Source {
        if self.known.read().contains(&ip) {
            return Source::Known;
        }
        let mut strangers = self.strangers.write();
        if strangers.len() >= STRANGERS && !strangers.contains_key(&ip) {
            strangers.retain(|_, stranger| stranger.silent_until > now);
            if strangers.len() >= STRANGERS {
                return Source::Told;
            }
        }
        let fresh = Stranger { since: now, within: 0, silent_until: Timestamp::EPOCH };
        let stranger = strangers.entry(ip).or_insert(fresh);
        if now.since(stranger.since) >= Duration::from_secs(1) {
            (stranger.since, stranger.within) = (now, 0);
        }
        stranger.within += 1;
        if stranger.within > NUISANCE {
            stranger.silent_until = now.plus(SILENCE);
            return Source::Told;
        }
        if now < stranger.silent_until {
            return Source::Told;
        }
        stranger.silent_until = now.plus(SILENCE);
        Source::Stranger
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_are_logged_once_a_minute_and_a_nuisance_not_at_all() {
        let sources = Sources::default();
        let (friend, stranger) = ("192.0.2.1".parse().unwrap(), "203.0.113.66".parse().unwrap());
        sources.set(BTreeSet::from([friend]));
        let start = Timestamp::from_seconds(1_800_000_000);
        assert_eq!(sources.judge(friend, start), Source::Known);
        assert_eq!(sources.judge(stranger, start), Source::Stranger);
        for _ in 0..100 {
            assert_eq!(sources.judge(stranger, start), Source::Told);
        }
        let later = start.plus(Duration::from_secs(59));
        assert_eq!(sources.judge(stranger, later), Source::Told);
        let calm = start.plus(Duration::from_secs(61));
        assert_eq!(sources.judge(stranger, calm), Source::Stranger);
        for _ in 0..100 {
            assert_eq!(sources.judge(friend, start), Source::Known);
        }
    }

    #[test]
    fn a_flood_from_forged_addresses_does_not_fill_the_memory() {
        let sources = Sources::default();
        let now = Timestamp::from_seconds(1_800_000_000);
        for n in 0..20_000_u32 {
            sources.judge(IpAddr::from(n.to_be_bytes()), now);
        }
        assert!(sources.strangers.read().len() <= STRANGERS);
    }
}
