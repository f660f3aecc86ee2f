//! Who watches what, and what they were told.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use access::Permission;
use axum::extract::ws::Utf8Bytes;
use base::{Id, Timestamp, kind};
use clock::Clock;
use parking_lot::{Mutex, RwLock};
use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc, watch};

use super::{
    Params, Topic,
    patch::{diff, without_nulls},
};
use crate::{Caller, CommonProblem, Problem, Result};

/// At most four updates a second.
const PACE: Duration = Duration::from_millis(250);

/// When a snapshot cannot be made at the moment, it is tried again after this.
const RETRY: Duration = Duration::from_secs(2);

/// Messages that may wait for a slow client before it is sent away.
const QUEUE: usize = 128;

/// Live connections of one session.
const SEATS_PER_SESSION: usize = 32;

/// The live topics and everybody who watches them. Cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    clock: Clock,
    topics: RwLock<Vec<Topic>>,
    rooms: Mutex<HashMap<Key, Room>>,
    seats: Mutex<Seats>,
}

#[derive(Default)]
struct Seats {
    last: u64,
    taken: BTreeMap<u64, Seat>,
}

/// One live connection.
struct Seat {
    user: Id<kind::User>,
    session: Id<kind::Session>,
    close: watch::Sender<Option<Close>>,
}

/// What a connection reads from.
pub(crate) struct Ticket {
    pub(crate) seat: u64,
    pub(crate) queue: mpsc::Sender<Utf8Bytes>,
    pub(crate) messages: mpsc::Receiver<Utf8Bytes>,
    pub(crate) close: watch::Receiver<Option<Close>>,
}

/// Why a live connection is ended by the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Close {
    /// The session ended.
    SignedOut,
    /// The person's role or state changed; they connect again with the new one.
    Changed,
    /// The client did not read fast enough.
    Slow,
    /// The client did not answer.
    Silent,
    /// The client sent something that is not of the protocol, or too much.
    Protocol,
    /// The server stops.
    Stopping,
}

impl Close {
    /// The code and reason of the close frame (RFC 6455, 7.4; 4000 and up are ours).
    pub const fn frame(self) -> (u16, &'static str) {
        match self {
            Self::SignedOut => (4001, "signed out"),
            Self::Changed => (4002, "changed"),
            Self::Slow => (1013, "too slow"),
            Self::Silent => (1002, "no answer"),
            Self::Protocol => (1008, "not of the protocol"),
            Self::Stopping => (1001, "stopping"),
        }
    }
}

type Key = (Id<kind::Account>, String);

/// One topic of one account, while somebody watches it.
struct Room {
    watchers: Vec<Watcher>,
    /// The number of the last message and the state it led to.
    last: Option<(u64, Value)>,
    touched: bool,
    wake: Arc<Notify>,
}

struct Watcher {
    seat: u64,
    queue: mpsc::Sender<Utf8Bytes>,
    /// Whether the snapshot is still to be sent.
    fresh: bool,
}

impl Hub {
    /// A hub without topics.
    pub fn new(clock: Clock) -> Self {
        Self(Arc::new(Inner {
            clock,
            topics: RwLock::default(),
            rooms: Mutex::default(),
            seats: Mutex::default(),
        }))
    }

    /// Declares a topic.
    pub fn topic(&self, topic: Topic) {
        self.0.topics.write().push(topic);
    }

    /// Every declared topic: its pattern and its permission.
    pub fn topics(&self) -> Vec<(&'static str, Permission)> {
        self.0.topics.read().iter().map(|topic| (topic.pattern, topic.permission)).collect()
    }

    /// Says that what `name` shows may have changed. Call it after the commit. Costs a look into a
    /// table when nobody watches; may be called as often as wished.
    pub fn touch(&self, account: Id<kind::Account>, name: &str) {
        if let Some(room) = self.0.rooms.lock().get_mut(&(account, name.to_owned())) {
            room.touched = true;
            room.wake.notify_one();
        }
    }

    /// The present state of a topic for a caller, with every check of a subscription.
    pub async fn snapshot(&self, caller: &Caller, name: &str) -> Result<Value> {
        let (topic, params) = self.admit(caller, name)?;
        topic.snapshot(caller.account, params).await.map(without_nulls)
    }

    /// Ends the live connections of one session.
    pub fn close_session(&self, session: Id<kind::Session>) {
        self.close_where(Close::SignedOut, |seat| seat.session == session);
    }

    /// Ends the live connections of one person.
    pub fn close_user(&self, user: Id<kind::User>, why: Close) {
        self.close_where(why, |seat| seat.user == user);
    }

    /// Ends every live connection, when the server stops.
    pub fn close_all(&self) {
        self.close_where(Close::Stopping, |_| true);
    }

    /// How many live connections there are.
    pub fn connections(&self) -> usize {
        self.0.seats.lock().taken.len()
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub(crate) fn enter(&self, caller: &Caller) -> Result<Ticket> {
        let mut seats = self.0.seats.lock();
        let taken = seats.taken.values().filter(|seat| seat.session == caller.session).count();
        if taken >= SEATS_PER_SESSION {
            return Err(CommonProblem::TooManyConnections.into());
        }
        seats.last += 1;
        let seat = seats.last;
        let (queue, messages) = mpsc::channel(QUEUE);
        let (close, closed) = watch::channel(None);
        seats.taken.insert(seat, Seat { user: caller.user, session: caller.session, close });
        Ok(Ticket { seat, queue, messages, close: closed })
    }

    pub(crate) fn leave(&self, seat: u64) {
        self.0.seats.lock().taken.remove(&seat);
        for room in self.0.rooms.lock().values_mut() {
            room.part(seat);
        }
    }

    /// Starts to watch `name`: the snapshot comes first. Watching twice changes nothing.
    pub(crate) fn subscribe(
        &self,
        caller: &Caller,
        seat: u64,
        queue: &mpsc::Sender<Utf8Bytes>,
        name: &str,
    ) -> Result<()> {
        let (topic, params) = self.admit(caller, name)?;
        let key = (caller.account, name.to_owned());
        let mut rooms = self.0.rooms.lock();
        let room = rooms.entry(key.clone()).or_insert_with(|| {
            let wake = Arc::new(Notify::new());
            self.open(key, topic, params, Arc::clone(&wake));
            Room { watchers: Vec::new(), last: None, touched: true, wake }
        });
        if room.watchers.iter().any(|watcher| watcher.seat == seat) {
            return Ok(());
        }
        let mut watcher = Watcher { seat, queue: queue.clone(), fresh: true };
        if let Some((seq, state)) = &room.last {
            let message = json!({ "topic": name, "seq": seq, "snapshot": state }).to_string();
            watcher.fresh = false;
            let full = watcher.queue.try_send(message.into()).is_err();
            if full {
                drop(rooms);
                self.close_where_seat(&[seat], Close::Slow);
                return Ok(());
            }
        }
        room.watchers.push(watcher);
        // What was kept may be older than this moment.
        room.touched = true;
        room.wake.notify_one();
        Ok(())
    }

    pub(crate) fn unsubscribe(&self, account: Id<kind::Account>, seat: u64, name: &str) {
        if let Some(room) = self.0.rooms.lock().get_mut(&(account, name.to_owned())) {
            room.part(seat);
        }
    }

    fn admit(&self, caller: &Caller, name: &str) -> Result<(Topic, Params)> {
        let topics = self.0.topics.read();
        let found = topics.iter().find_map(|topic| Some((topic.clone(), topic.params(name)?)));
        let (topic, params) = found.ok_or(CommonProblem::NotFound)?;
        caller.require(topic.permission)?;
        Ok((topic, params))
    }

    fn open(&self, key: Key, topic: Topic, params: Params, wake: Arc<Notify>) {
        let hub = self.clone();
        telemetry::spawn("live.room", async move { hub.attend(key, topic, params, wake).await });
    }

    /// Keeps the watchers of one room up to date until the last has left.
    async fn attend(self, key: Key, topic: Topic, params: Params, wake: Arc<Notify>) {
        let mut next = Timestamp::EPOCH;
        loop {
            wake.notified().await;
            self.0.clock.sleep_until(next).await;
            {
                let mut rooms = self.0.rooms.lock();
                let Some(room) = rooms.get_mut(&key) else { return };
                if room.watchers.is_empty() {
                    rooms.remove(&key);
                    return;
                }
                if !std::mem::take(&mut room.touched) {
                    continue;
                }
            }
            let state = topic.snapshot(key.0, params.clone()).await;
            next = self.0.clock.now().plus(PACE);
            match state {
                Ok(state) => self.publish(&key, without_nulls(state)),
                Err(problem) if problem.status().is_client_error() => {
                    self.refuse(&key, &problem);
                }
                Err(problem) => {
                    tracing::warn!(topic = key.1, %problem, "a snapshot could not be made");
                    next = self.0.clock.now().plus(RETRY);
                    self.touch(key.0, &key.1);
                }
            }
        }
    }

    /// Tells every watcher the difference, and new ones the whole.
    fn publish(&self, key: &Key, state: Value) {
        let mut slow = Vec::new();
        {
            let mut rooms = self.0.rooms.lock();
            let Some(room) = rooms.get_mut(key) else { return };
            let patch = room.last.as_ref().and_then(|(_, before)| diff(before, &state));
            let seq = match &room.last {
                None => 1,
                Some((seq, _)) => seq + u64::from(patch.is_some()),
            };
            let patch = patch.map(|patch| {
                Utf8Bytes::from(json!({ "topic": key.1, "seq": seq, "patch": patch }).to_string())
            });
            let whole = room.watchers.iter().any(|watcher| watcher.fresh).then(|| {
                Utf8Bytes::from(
                    json!({ "topic": key.1, "seq": seq, "snapshot": state }).to_string(),
                )
            });
            room.last = Some((seq, state));
            room.watchers.retain_mut(|watcher| {
                let message =
                    if std::mem::take(&mut watcher.fresh) { whole.clone() } else { patch.clone() };
                let Some(message) = message else { return true };
                let sent = watcher.queue.try_send(message).is_ok();
                if !sent {
                    slow.push(watcher.seat);
                }
                sent
            });
        }
        self.close_where_seat(&slow, Close::Slow);
    }

    /// Tells every watcher that there is nothing to watch, and lets them go.
    fn refuse(&self, key: &Key, problem: &Problem) {
        let message = Utf8Bytes::from(refusal(&key.1, problem));
        let mut rooms = self.0.rooms.lock();
        let Some(room) = rooms.get_mut(key) else { return };
        room.last = None;
        for watcher in room.watchers.drain(..) {
            // A full queue ends the connection at the next publication elsewhere.
            let _ = watcher.queue.try_send(message.clone());
        }
        room.wake.notify_one();
    }

    fn close_where_seat(&self, seats: &[u64], why: Close) {
        if !seats.is_empty() {
            let taken = self.0.seats.lock();
            for seat in seats.iter().filter_map(|seat| taken.taken.get(seat)) {
                seat.close.send_replace(Some(why));
            }
        }
    }

    fn close_where(&self, why: Close, which: impl Fn(&Seat) -> bool) {
        for seat in self.0.seats.lock().taken.values().filter(|seat| which(seat)) {
            seat.close.send_replace(Some(why));
        }
    }
}

impl Room {
    fn part(&mut self, seat: u64) {
        self.watchers.retain(|watcher| watcher.seat != seat);
        if self.watchers.is_empty() {
            self.wake.notify_one();
        }
    }
}

/// The message that refuses a topic.
pub(crate) fn refusal(name: &str, problem: &Problem) -> String {
    json!({ "topic": name, "error": problem.code() }).to_string()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use access::Role;
    use base::Locale;

    use super::*;

    fn caller(account: i64, role: Role) -> Caller {
        Caller {
            account: Id::from_raw(account),
            user: Id::from_raw(account * 10),
            session: Id::from_raw(account * 100),
            locale: Locale::En,
            role,
            permissions: role.permissions(),
            owner: false,
            install_owner: false,
        }
    }

    /// A hub with one topic that shows a number per account, which only account 1 has.
    fn hub() -> (Hub, clock::ManualClock, Arc<AtomicI64>) {
        let (clock, hand) = Clock::manual(Timestamp::from_seconds(1_800_000_000));
        let hub = Hub::new(clock);
        let number = Arc::new(AtomicI64::new(1));
        let shown = Arc::clone(&number);
        hub.topic(Topic::new("thing:{id}", Permission::LineView, move |account, params| {
            let shown = Arc::clone(&shown);
            async move {
                let id: Id<kind::Line> = params.get("id")?;
                if account != Id::from_raw(1) || id != Id::from_raw(7) {
                    return Err(CommonProblem::NotFound.into());
                }
                Ok(json!({ "n": shown.load(Ordering::SeqCst), "gone": null }))
            }
        }));
        (hub, hand, number)
    }

    async fn next(ticket: &mut Ticket) -> Value {
        serde_json::from_str(&ticket.messages.recv().await.unwrap()).unwrap()
    }

    fn watch(hub: &Hub, caller: &Caller, ticket: &Ticket, name: &str) -> Result<()> {
        hub.subscribe(caller, ticket.seat, &ticket.queue, name)
    }

    #[tokio::test]
    async fn the_snapshot_comes_first_and_then_numbered_patches_at_a_bounded_pace() {
        let (hub, hand, number) = hub();
        let me = caller(1, Role::Administrator);
        let mut ticket = hub.enter(&me).unwrap();
        watch(&hub, &me, &ticket, "thing:7").unwrap();
        assert_eq!(
            next(&mut ticket).await,
            json!({"topic": "thing:7", "seq": 1, "snapshot": {"n": 1}})
        );
        for n in 2..100 {
            number.store(n, Ordering::SeqCst);
            hub.touch(me.account, "thing:7");
        }
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        assert!(ticket.messages.try_recv().is_err(), "not before a quarter of a second");
        hand.advance(PACE);
        assert_eq!(
            next(&mut ticket).await,
            json!({"topic": "thing:7", "seq": 2, "patch": {"n": 99}})
        );
        // Somebody who comes later starts from the same number.
        let mut second = hub.enter(&me).unwrap();
        watch(&hub, &me, &second, "thing:7").unwrap();
        assert_eq!(
            next(&mut second).await,
            json!({"topic": "thing:7", "seq": 2, "snapshot": {"n": 99}})
        );
    }

    #[tokio::test]
    async fn forbidden_unknown_and_foreign_topics_are_refused() {
        let (hub, _hand, _) = hub();
        let operator = caller(1, Role::Operator);
        let ticket = hub.enter(&operator).unwrap();
        assert_eq!(watch(&hub, &operator, &ticket, "thing:7").unwrap_err().code(), "forbidden");
        let stranger = caller(2, Role::Administrator);
        let mut ticket = hub.enter(&stranger).unwrap();
        assert_eq!(watch(&hub, &stranger, &ticket, "what").unwrap_err().code(), "not_found");
        watch(&hub, &stranger, &ticket, "thing:7").unwrap();
        assert_eq!(next(&mut ticket).await, json!({"topic": "thing:7", "error": "not_found"}));
        assert_eq!(hub.snapshot(&stranger, "thing:7").await.unwrap_err().code(), "not_found");
    }

    #[tokio::test]
    async fn a_slow_client_is_sent_away_and_others_go_on() {
        let (hub, hand, number) = hub();
        let me = caller(1, Role::Administrator);
        let mut fast = hub.enter(&me).unwrap();
        watch(&hub, &me, &fast, "thing:7").unwrap();
        next(&mut fast).await;
        let slow = hub.enter(&me).unwrap();
        watch(&hub, &me, &slow, "thing:7").unwrap();
        for n in 2..200 {
            number.store(n, Ordering::SeqCst);
            hub.touch(me.account, "thing:7");
            hand.advance(PACE);
            assert_eq!(next(&mut fast).await["patch"]["n"], n);
        }
        assert_eq!(*slow.close.borrow(), Some(Close::Slow));
        assert_eq!(*fast.close.borrow(), None);
    }

    #[tokio::test]
    async fn a_change_of_role_and_a_sign_out_close_the_right_connections() {
        let (hub, _hand, _) = hub();
        let (one, two) = (caller(1, Role::Administrator), caller(2, Role::Administrator));
        let (first, second) = (hub.enter(&one).unwrap(), hub.enter(&two).unwrap());
        hub.close_user(one.user, Close::Changed);
        assert_eq!(*first.close.borrow(), Some(Close::Changed));
        assert_eq!(*second.close.borrow(), None);
        hub.close_session(two.session);
        assert_eq!(*second.close.borrow(), Some(Close::SignedOut));
        hub.leave(first.seat);
        assert_eq!(hub.connections(), 1);
    }

    #[test]
    fn a_session_has_a_bounded_number_of_connections() {
        let (hub, _hand, _) = hub();
        let me = caller(1, Role::Administrator);
        let tickets: Vec<_> = (0..SEATS_PER_SESSION).map(|_| hub.enter(&me).unwrap()).collect();
        let Err(problem) = hub.enter(&me) else { panic!("one too many") };
        assert_eq!(problem.code(), "too_many_connections");
        drop(tickets);
    }
}
