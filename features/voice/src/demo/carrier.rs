//! The task that plays every demo phone: rings, answers, speaks and hangs up as its script says.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

use base::{Dice, Id, PhoneNumber, Timestamp, kind};
use clock::Clock;
use dialer::Speed;
use host::Shutdown;
use media::{Codec, Happening, Media, Network, OpenSession, Session};
use sip::{CalleeKey, sdp};
use sip_io::{FarEnd, Heard};
use tokio::sync::mpsc;

use super::{
    Addresses, Demo, Failure,
    behaviour::{Behaviour, Step},
    sounds::Sound,
};
use crate::{calls::convert, lines::Book};

/// News that may wait.
const NEWS: usize = 4_096;
/// How soon a socket that could not be opened is tried again.
const REOPEN: Duration = Duration::from_secs(5);
/// How many of 100 calls meet a full network when that is wished for.
const CONGESTED: u64 = 30;
/// When calls break off that are to be dropped.
const DROP_AFTER: Duration = Duration::from_secs(2);

type Line = Id<kind::Line>;

/// Which call: its line and the far end's name for it.
type Name = (Line, CalleeKey);

/// What the carrier is made of.
pub(crate) struct Carrier {
    pub(crate) book: Book,
    pub(crate) clock: Clock,
    pub(crate) media: Media,
    pub(crate) addresses: Addresses,
}

/// One line of the carrier that is open.
struct Stand {
    demo: Demo,
    far_end: FarEnd,
    dice: Dice,
}

/// One call to a demo phone.
struct Guest {
    script: &'static [Step],
    at: usize,
    speed: Speed,
    drops: bool,
    due: Option<Timestamp>,
    session: Option<Session>,
    /// The media thread's name for it.
    tag: u64,
    codec: Option<Codec>,
}

struct Work<'a> {
    carrier: &'a Carrier,
    heard: mpsc::Sender<(Line, Heard)>,
    events: mpsc::Sender<media::Event>,
    stands: BTreeMap<Line, Stand>,
    guests: BTreeMap<Name, Guest>,
    by_tag: BTreeMap<u64, Name>,
    timers: BTreeSet<(Timestamp, Line, CalleeKey)>,
    sounds: BTreeMap<(Sound, bool), Arc<[u8]>>,
    next_tag: u64,
    /// When a socket is tried again that could not be opened.
    again: Option<Timestamp>,
}

impl Carrier {
    /// Plays the phones until the server stops.
    pub(crate) async fn run(&self, shutdown: Shutdown) {
        let (heard, mut news) = mpsc::channel(NEWS);
        let (events, mut happened) = mpsc::channel(NEWS);
        let mut work = Work {
            carrier: self,
            heard,
            events,
            stands: BTreeMap::new(),
            guests: BTreeMap::new(),
            by_tag: BTreeMap::new(),
            timers: BTreeSet::new(),
            sounds: BTreeMap::new(),
            next_tag: 1,
            again: None,
        };
        let mut changes = self.book.changes();
        work.follow().await;
        loop {
            let wake = work.next_wake();
            tokio::select! {
                () = shutdown.stopping() => return,
                () = self.clock.sleep_until(wake) => work.wake().await,
                Ok(()) = changes.changed() => work.follow().await,
                Some((line, heard)) = news.recv() => work.heard(line, heard),
                Some(event) = happened.recv() => work.happened(&event),
            }
        }
    }
}

impl Work<'_> {
    fn now(&self) -> Timestamp {
        self.carrier.clock.now()
    }

    fn next_wake(&self) -> Timestamp {
        let due = self.timers.first().map_or(Timestamp::MAX, |(due, ..)| *due);
        self.again.map_or(due, |again| again.min(due))
    }

    /// Opens and closes lines as the book says.
    async fn follow(&mut self) {
        self.again = None;
        let lines = self.carrier.book.all();
        let wanted: BTreeMap<Line, Demo> = lines
            .iter()
            .filter(|line| line.enabled)
            .filter_map(|line| Some((line.id, line.demo?)))
            .collect();
        let gone: Vec<_> =
            self.stands.keys().filter(|line| !wanted.contains_key(line)).copied().collect();
        for line in gone {
            self.carrier.addresses.remove(line);
            self.stands.remove(&line);
            let calls: Vec<_> = self.guests.keys().filter(|(on, _)| *on == line).copied().collect();
            for call in calls {
                self.forget(call);
            }
        }
        for (line, demo) in wanted {
            if let Some(stand) = self.stands.get_mut(&line) {
                if stand.demo.seed != demo.seed {
                    stand.dice = Dice::new(demo.seed.into());
                }
                stand.demo = demo;
                stand.far_end.set_deaf(demo.failure == Failure::LineDown);
            } else {
                self.open(line, demo).await;
            }
        }
    }

    async fn open(&mut self, line: Line, demo: Demo) {
        let clock = self.carrier.clock.clone();
        let opened = FarEnd::open(line, line.raw() as u64, clock, self.heard.clone()).await;
        match opened {
            Ok(far_end) => {
                far_end.set_deaf(demo.failure == Failure::LineDown);
                self.carrier.addresses.put(line, far_end.address());
                let dice = Dice::new(demo.seed.into());
                self.stands.insert(line, Stand { demo, far_end, dice });
            }
            Err(error) => {
                tracing::error!(line.id = %line, %error, "the demo line {line} has no socket");
                self.again = Some(self.now().plus(REOPEN));
            }
        }
    }

    async fn wake(&mut self) {
        let now = self.now();
        if self.again.is_some_and(|again| again <= now) {
            self.follow().await;
        }
        while let Some((due, line, key)) =
            self.timers.first().copied().filter(|(due, ..)| *due <= now)
        {
            self.timers.remove(&(due, line, key));
            if let Some(guest) = self.guests.get_mut(&(line, key)) {
                guest.due = None;
            }
            self.go_on((line, key));
        }
    }

    fn heard(&mut self, line: Line, heard: Heard) {
        match heard {
            Heard::Called { key, number } => self.called((line, key), &number),
            Heard::Talking(key, remote) => self.talking((line, key), &remote),
            Heard::Over(key) => self.forget((line, key)),
        }
    }

    fn called(&mut self, name: Name, number: &str) {
        let Some(stand) = self.stands.get_mut(&name.0) else { return };
        let Demo { speed, seed, failure } = stand.demo;
        let number: Option<PhoneNumber> = number.parse().ok();
        let mut behaviour = match &number {
            Some(number) if number.is_demo() => Behaviour::of(number, seed),
            Some(_) | None => Behaviour::Invalid,
        };
        if failure == Failure::Congestion && stand.dice.chance(CONGESTED) {
            behaviour = Behaviour::Congested;
        }
        let guest = Guest {
            script: behaviour.script(),
            at: 0,
            speed,
            drops: failure == Failure::Drops,
            due: None,
            session: None,
            tag: self.next_tag,
            codec: None,
        };
        self.next_tag += 1;
        self.by_tag.insert(guest.tag, name);
        self.guests.insert(name, guest);
        self.go_on(name);
    }

    /// Does the steps of a script until one takes time.
    fn go_on(&mut self, name: Name) {
        while let Some(step) = self.guests.get_mut(&name).and_then(Guest::next) {
            let Some(far_end) = self.stands.get(&name.0).map(|stand| stand.far_end.clone()) else {
                return;
            };
            let busy = match step {
                Step::Wait(span) => {
                    let speed = self.guests.get(&name).map_or(Speed::Real, |guest| guest.speed);
                    return self.sleep(name, speed.hasten(span));
                }
                Step::Pause(span) => return self.sleep(name, span),
                Step::Ring => far_end.ring(name.1).is_err(),
                Step::Refuse(status, q850) => far_end.refuse(name.1, status, q850).is_err(),
                Step::HangUp => far_end.hang_up(name.1).is_err(),
                Step::Answer => return self.answer(name, &far_end),
                Step::Say(sound) => return self.say(name, sound),
            };
            if busy {
                tracing::warn!("the demo carrier is too busy: a step of a phone is lost");
            }
        }
    }

    fn sleep(&mut self, name: Name, span: Duration) {
        let due = self.now().plus(span);
        if let Some(guest) = self.guests.get_mut(&name) {
            guest.due = Some(due);
            self.timers.insert((due, name.0, name.1));
        }
    }

    /// Picks up; what follows waits until the caller has acknowledged.
    fn answer(&mut self, name: Name, far_end: &FarEnd) {
        let Some(guest) = self.guests.get_mut(&name) else { return };
        let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let ask = OpenSession {
            tag: guest.tag,
            local,
            trusted: vec![Network::host(local)],
            events: self.events.clone(),
        };
        match self.carrier.media.open(ask) {
            Ok(session) => {
                let ours = sdp::Local {
                    address: session.local(),
                    codings: vec![sdp::Coding::Pcma, sdp::Coding::Pcmu],
                    session: guest.tag,
                };
                guest.session = Some(session);
                if far_end.answer(name.1, ours).is_err() {
                    tracing::warn!("the demo carrier is too busy: a phone does not pick up");
                }
            }
            Err(error) => {
                tracing::warn!(%error, "a demo phone has no sound: {error}");
                // As a network without a free circuit.
                if far_end.refuse(name.1, 503, Some(34)).is_err() {
                    tracing::warn!("the demo carrier is too busy: a phone rings on");
                }
            }
        }
    }

    fn talking(&mut self, name: Name, remote: &sdp::Remote) {
        let Some(guest) = self.guests.get_mut(&name) else { return };
        let codec = convert::codec(remote.coding);
        let told = guest.session.as_ref().map(|session| session.remote(convert::remote(remote)));
        if !matches!(told, Some(Ok(()))) {
            tracing::warn!("the media thread is busy: a demo phone stays silent");
        }
        guest.codec = Some(codec);
        if guest.drops {
            guest.script = &[Step::Pause(DROP_AFTER), Step::HangUp];
            guest.at = 0;
        }
        self.go_on(name);
    }

    /// Says a sound; what follows waits until it is said.
    fn say(&mut self, name: Name, sound: Sound) {
        let Some(codec) = self.guests.get(&name).and_then(|guest| guest.codec) else { return };
        let bytes = self.sound(sound, codec);
        let session = self.guests.get(&name).and_then(|guest| guest.session.as_ref());
        if session.is_none_or(|session| session.play(bytes).is_err()) {
            tracing::warn!("the media thread is busy: a demo phone stays silent");
        }
    }

    fn sound(&mut self, sound: Sound, codec: Codec) -> Arc<[u8]> {
        let made = self.sounds.entry((sound, codec == Codec::Pcmu)).or_insert_with(|| {
            sound.samples().into_iter().map(|sample| codec.encode(sample)).collect()
        });
        Arc::clone(made)
    }

    fn happened(&mut self, event: &media::Event) {
        let name = self.by_tag.get(&event.tag).copied();
        match (&event.what, name) {
            (Happening::Played, Some(name)) => self.go_on(name),
            // The phones press keys and hear none.
            (Happening::Digit(_) | Happening::Closed(_) | Happening::Played, _) => {}
        }
    }

    fn forget(&mut self, name: Name) {
        if let Some(guest) = self.guests.remove(&name) {
            self.by_tag.remove(&guest.tag);
            if let Some(due) = guest.due {
                self.timers.remove(&(due, name.0, name.1));
            }
        }
    }
}

impl Guest {
    fn next(&mut self) -> Option<Step> {
        let step = self.script.get(self.at).copied()?;
        self.at += 1;
        Some(step)
    }
}
