//! All lines in memory: what is set, how they fare, and which channels are taken.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use base::{Id, Timestamp, kind};
use dialer::LineHealth;
use http_kit::Hub;
use parking_lot::RwLock;
use tokio::sync::watch;

use super::Line;

/// The live topic that shows lines.
pub(crate) const TOPIC: &str = "lines";

/// How a line fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Health {
    pub(crate) state: LineHealth,
    /// Since when the state holds.
    pub(crate) since: Timestamp,
    /// The last SIP status that was no success.
    pub(crate) code: Option<u16>,
    /// Its reason phrase, or what happened instead of an answer.
    pub(crate) reason: Option<String>,
    /// When the line last answered well.
    pub(crate) last_ok_at: Option<Timestamp>,
}

struct Entry {
    line: Arc<Line>,
    health: Health,
    in_use: Arc<AtomicU32>,
}

/// A line with its state, as the book shows it.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) line: Arc<Line>,
    pub(crate) health: Health,
    pub(crate) in_use: u32,
}

/// The book. Clones are the same book.
#[derive(Clone)]
pub(crate) struct Book(Arc<Inner>);

struct Inner {
    lines: RwLock<BTreeMap<Id<kind::Line>, Entry>>,
    changes: watch::Sender<u64>,
    loaded: watch::Sender<bool>,
    hub: Hub,
}

impl Book {
    /// An empty book that tells `hub` of changes.
    pub(crate) fn new(hub: Hub) -> Self {
        let lines = RwLock::new(BTreeMap::new());
        let (changes, loaded) = (watch::Sender::new(0), watch::Sender::new(false));
        Self(Arc::new(Inner { lines, changes, loaded, hub }))
    }

    /// Takes in every line that is stored, once, at the start.
    pub(crate) fn load(&self, lines: Vec<Line>, now: Timestamp) {
        for line in lines {
            self.put(line, now);
        }
        self.0.loaded.send_replace(true);
    }

    /// Whether [`Book::load`] has been called.
    pub(crate) fn is_loaded(&self) -> bool {
        *self.0.loaded.borrow()
    }

    /// Takes in a new or changed line. A change of settings leaves the channels in use; health
    /// starts anew, because it may be another carrier now.
    pub(crate) fn put(&self, line: Line, now: Timestamp) {
        let (id, account) = (line.id, line.account);
        let health = Health {
            state: LineHealth::Unknown,
            since: now,
            code: None,
            reason: None,
            last_ok_at: None,
        };
        let mut lines = self.0.lines.write();
        let in_use = lines.get(&id).map(|entry| Arc::clone(&entry.in_use)).unwrap_or_default();
        lines.insert(id, Entry { line: Arc::new(line), health, in_use });
        drop(lines);
        self.changed(account);
    }

    /// Forgets a line. Its slots stay valid until they are dropped.
    pub(crate) fn remove(&self, account: Id<kind::Account>, line: Id<kind::Line>) {
        self.0.lines.write().remove(&line);
        self.changed(account);
    }

    /// The line, whoever asks.
    pub(crate) fn line(&self, line: Id<kind::Line>) -> Option<Arc<Line>> {
        self.0.lines.read().get(&line).map(|entry| Arc::clone(&entry.line))
    }

    /// The line, if it is the account's.
    pub(crate) fn shown(&self, account: Id<kind::Account>, line: Id<kind::Line>) -> Option<Shown> {
        let lines = self.0.lines.read();
        lines.get(&line).filter(|entry| entry.line.account == account).map(show)
    }

    /// The account's lines, by id.
    pub(crate) fn of(&self, account: Id<kind::Account>) -> Vec<Shown> {
        let lines = self.0.lines.read();
        lines.values().filter(|entry| entry.line.account == account).map(show).collect()
    }

    /// Every line of every account.
    pub(crate) fn all(&self) -> Vec<Arc<Line>> {
        self.0.lines.read().values().map(|entry| Arc::clone(&entry.line)).collect()
    }

    /// Counts changes of settings and health.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// Takes down how a line fares. `failure` is the status and the words of a bad answer; with
    /// [`LineHealth::Up`] an earlier failure stays readable.
    pub(crate) fn heard(
        &self,
        line: Id<kind::Line>,
        state: LineHealth,
        failure: Option<(Option<u16>, String)>,
        now: Timestamp,
    ) {
        let mut lines = self.0.lines.write();
        let Some(entry) = lines.get_mut(&line) else { return };
        let before = entry.health.clone();
        let health = &mut entry.health;
        if health.state != state {
            (health.state, health.since) = (state, now);
        }
        if state == LineHealth::Up {
            health.last_ok_at = Some(now);
        }
        if let Some((code, reason)) = failure {
            (health.code, health.reason) = (code, Some(reason));
        }
        let told = (before.state, before.code) != (health.state, health.code);
        let account = entry.line.account;
        drop(lines);
        if told {
            self.changed(account);
        }
    }

    /// Takes a channel; `None` when all are taken or the line is gone, switched off or not the
    /// account's.
    pub(crate) fn reserve(
        &self,
        account: Id<kind::Account>,
        line: Id<kind::Line>,
    ) -> Option<SlotGuard> {
        let lines = self.0.lines.read();
        let entry = lines.get(&line)?;
        if entry.line.account != account || !entry.line.enabled {
            return None;
        }
        let limit = entry.line.channels;
        entry
            .in_use
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |used| {
                (used < limit).then_some(used + 1)
            })
            .ok()?;
        let guard =
            SlotGuard { in_use: Arc::clone(&entry.in_use), hub: self.0.hub.clone(), account };
        drop(lines);
        self.0.hub.touch(account, TOPIC);
        Some(guard)
    }

    fn changed(&self, account: Id<kind::Account>) {
        self.0.changes.send_modify(|n| *n += 1);
        self.0.hub.touch(account, TOPIC);
    }
}

fn show(entry: &Entry) -> Shown {
    Shown {
        line: Arc::clone(&entry.line),
        health: entry.health.clone(),
        in_use: entry.in_use.load(Ordering::Acquire),
    }
}

impl fmt::Debug for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all()).finish()
    }
}

/// A taken channel; dropping it frees the channel.
pub(crate) struct SlotGuard {
    in_use: Arc<AtomicU32>,
    hub: Hub,
    account: Id<kind::Account>,
}

impl Drop for SlotGuard {
    fn drop(&mut self) {
        self.in_use.fetch_sub(1, Ordering::AcqRel);
        self.hub.touch(self.account, TOPIC);
    }
}

impl fmt::Debug for SlotGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SlotGuard({} in use)", self.in_use.load(Ordering::Acquire))
    }
}

#[cfg(test)]
mod tests {
    use clock::Clock;
    use dialer::Rate;

    use super::*;
    use crate::lines::{Codec, Mode};

    fn line(id: i64, channels: u32) -> Line {
        Line {
            id: Id::from_raw(id),
            account: Id::from_raw(1),
            name: format!("Line {id}"),
            mode: Mode::Address,
            host: "192.0.2.1".to_owned(),
            port: 5060,
            login: None,
            auth_login: None,
            password: None,
            realm: None,
            expires_s: 300,
            caller_id: None,
            channels,
            rate: Rate::ONE,
            codecs: vec![Codec::Pcmu],
            enabled: true,
            demo: None,
            version: 1,
            created_at: Timestamp::EPOCH,
            updated_at: Timestamp::EPOCH,
        }
    }

    fn book() -> Book {
        Book::new(Hub::new(Clock::manual(Timestamp::EPOCH).0))
    }

    #[test]
    fn channels_are_given_out_once_and_come_back_when_dropped() {
        let (book, account) = (book(), Id::from_raw(1));
        book.put(line(7, 2), Timestamp::EPOCH);
        let first = book.reserve(account, Id::from_raw(7)).unwrap();
        let _second = book.reserve(account, Id::from_raw(7)).unwrap();
        assert!(book.reserve(account, Id::from_raw(7)).is_none());
        drop(first);
        assert!(book.reserve(account, Id::from_raw(7)).is_some());
    }

    #[test]
    fn a_changed_line_keeps_the_count_of_its_calls() {
        let (book, account) = (book(), Id::from_raw(1));
        book.put(line(7, 1), Timestamp::EPOCH);
        let held = book.reserve(account, Id::from_raw(7)).unwrap();
        book.put(line(7, 2), Timestamp::EPOCH);
        let second = book.reserve(account, Id::from_raw(7)).unwrap();
        assert!(book.reserve(account, Id::from_raw(7)).is_none());
        drop((held, second));
        assert_eq!(book.shown(account, Id::from_raw(7)).unwrap().in_use, 0);
    }

    #[test]
    fn a_foreign_or_switched_off_line_is_not_given() {
        let book = book();
        let mut off = line(7, 1);
        off.enabled = false;
        book.put(off, Timestamp::EPOCH);
        assert!(book.reserve(Id::from_raw(1), Id::from_raw(7)).is_none());
        book.put(line(8, 1), Timestamp::EPOCH);
        assert!(book.reserve(Id::from_raw(2), Id::from_raw(8)).is_none());
        assert!(book.shown(Id::from_raw(2), Id::from_raw(8)).is_none());
    }

    #[test]
    fn changes_are_counted_when_state_or_status_change_and_not_otherwise() {
        let book = book();
        book.put(line(7, 1), Timestamp::EPOCH);
        let changes = book.changes();
        let before = *changes.borrow();
        let at = Timestamp::from_seconds(5);
        book.heard(Id::from_raw(7), LineHealth::Up, None, at);
        book.heard(
            Id::from_raw(7),
            LineHealth::Up,
            None,
            at.plus(std::time::Duration::from_secs(1)),
        );
        assert_eq!(*changes.borrow(), before + 1);
        book.heard(Id::from_raw(7), LineHealth::Down, Some((Some(503), "Busy".to_owned())), at);
        let shown = book.shown(Id::from_raw(1), Id::from_raw(7)).unwrap();
        assert_eq!((shown.health.state, shown.health.code), (LineHealth::Down, Some(503)));
        assert!(shown.health.last_ok_at.is_some());
    }
}
