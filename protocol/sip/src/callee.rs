//! The other side of a call: a far end that is called, for carriers that live in the program
//! itself. One offer, one answer; no forwarding, no registration.

use std::{collections::BTreeMap, time::Duration};

use base::{Dice, Machine, Timestamp};
use bytes::Bytes;
use sipx_sip::{HeaderName, Message, Method, Request, Response};

use crate::{
    agent::Flow,
    sdp::{Local, Remote},
    wire::{self, Draft},
};

/// RFC 3261, 17.1.1.1.
const T1: Duration = Duration::from_millis(500);
/// RFC 3261, 17.1.2.2.
const T2: Duration = Duration::from_secs(4);
/// For how long anything is repeated, and an ended call is remembered: 64·T1.
const LIFE: Duration = Duration::from_secs(32);

/// A call's name, chosen by the far end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CalleeKey(pub u64);

/// What happened to the far end, or what it wants.
#[derive(Debug)]
pub enum CalleeEvent {
    /// A datagram came in.
    Received {
        /// Between whom.
        flow: Flow,
        /// All of it.
        datagram: Bytes,
    },
    /// Let it ring.
    Ring(CalleeKey),
    /// Pick up, with this side of the stream.
    Answer(CalleeKey, Local),
    /// Refuse, with a status from 300 on and a cause of Q.850.
    Refuse(CalleeKey, u16, Option<u8>),
    /// Hang up an answered call.
    HangUp(CalleeKey),
}

/// To be done outside, in order.
#[derive(Debug)]
pub enum CalleeEffect {
    /// Send a datagram.
    Send {
        /// Between whom.
        flow: Flow,
        /// All of it.
        datagram: Bytes,
    },
    /// Somebody calls `to`, the user part of the address.
    Called {
        /// The call.
        key: CalleeKey,
        /// Who is called.
        to: String,
    },
    /// An answered call may speak: the caller acknowledged, and takes sound there.
    Talking(CalleeKey, Remote),
    /// The call is over, whoever ended it; nothing follows.
    Over(CalleeKey),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Trying or ringing.
    Early,
    /// 200 was sent and not acknowledged.
    Accepted,
    /// It is up.
    Up,
    /// A final refusal was sent and not acknowledged.
    Refused,
    /// BYE was sent and not answered.
    Parting,
    /// Nothing happens any more; kept for what is repeated.
    Over,
}

/// A datagram that is sent until somebody answers it.
#[derive(Debug, Clone)]
struct Repeat {
    datagram: Bytes,
    wait: Duration,
    due: Timestamp,
    until: Timestamp,
}

#[derive(Debug)]
struct Leg {
    flow: Flow,
    invite: Request,
    call_id: String,
    tag: String,
    stage: Stage,
    /// The last response to the INVITE, for one that comes again.
    last: Option<Bytes>,
    answer: Option<(String, Remote)>,
    repeat: Option<Repeat>,
    forget_at: Timestamp,
}

/// A far end that takes calls.
#[derive(Debug)]
pub struct Callee {
    dice: Dice,
    legs: BTreeMap<CalleeKey, Leg>,
    by_call_id: BTreeMap<String, CalleeKey>,
    next: u64,
}

impl Callee {
    /// A far end whose tags and branches come from `seed`.
    pub const fn new(seed: u64) -> Self {
        Self { dice: Dice::new(seed), legs: BTreeMap::new(), by_call_id: BTreeMap::new(), next: 1 }
    }

    fn token(&mut self) -> String {
        format!("{:016x}", self.dice.bits())
    }

    fn received(&mut self, turn: &mut Turn<'_>, flow: Flow, datagram: Bytes) {
        match wire::read(datagram) {
            Some(Message::Request(mut request)) => {
                let back = Flow { remote: wire::stamp_source(&mut request, flow.remote), ..flow };
                self.asked(turn, back, request);
            }
            Some(Message::Response(response)) => self.answered(turn, &response),
            None => {}
        }
    }

    fn asked(&mut self, turn: &mut Turn<'_>, flow: Flow, request: Request) {
        let call = wire::call_id(&request.headers).unwrap_or_default();
        let known = self.by_call_id.get(&call).copied();
        match (&request.method, known) {
            (Method::Invite, None) if wire::to_tag(&request.headers).is_empty() => {
                self.called(turn, flow, call, request);
            }
            (Method::Invite, Some(key)) => self.invited_again(turn, key, flow, &request),
            (Method::Ack, Some(key)) => self.acknowledged(turn, key),
            (Method::Ack, None) => {}
            (Method::Cancel, Some(key)) => {
                self.reply(turn, flow, &request, 200, None);
                if self.legs.get(&key).is_some_and(|leg| leg.stage == Stage::Early) {
                    self.refuse(turn, key, 487, None);
                }
            }
            (Method::Bye, Some(key)) => {
                self.reply(turn, flow, &request, 200, None);
                self.end(turn, key);
            }
            (Method::Options, _) => self.reply(turn, flow, &request, 200, None),
            (_, Some(_)) => self.reply(turn, flow, &request, 501, None),
            (_, None) => self.reply(turn, flow, &request, 481, None),
        }
    }

    fn called(&mut self, turn: &mut Turn<'_>, flow: Flow, call_id: String, invite: Request) {
        let key = CalleeKey(self.next);
        self.next += 1;
        let user = invite.uri.user().map(|user| String::from_utf8_lossy(user).into_owned());
        let leg = Leg {
            flow,
            call_id: call_id.clone(),
            tag: self.token(),
            invite,
            stage: Stage::Early,
            last: None,
            answer: None,
            repeat: None,
            forget_at: Timestamp::MAX,
        };
        self.legs.insert(key, leg);
        self.by_call_id.insert(call_id, key);
        self.respond(turn, key, 100, &[], None);
        turn.effects.push(CalleeEffect::Called { key, to: user.unwrap_or_default() });
    }

    /// The same INVITE once more, or one within the call, which keeps what was agreed.
    fn invited_again(
        &mut self,
        turn: &mut Turn<'_>,
        key: CalleeKey,
        flow: Flow,
        request: &Request,
    ) {
        let Some(leg) = self.legs.get(&key) else { return };
        if wire::to_tag(&request.headers).is_empty() {
            if let Some(datagram) = leg.last.clone() {
                turn.effects.push(CalleeEffect::Send { flow: leg.flow, datagram });
            }
        } else if leg.stage == Stage::Up {
            let body = leg.answer.as_ref().map(|(body, _)| body.clone());
            self.reply(turn, flow, request, 200, body.as_deref());
        } else {
            self.reply(turn, flow, request, 481, None);
        }
    }

    fn acknowledged(&mut self, turn: &mut Turn<'_>, key: CalleeKey) {
        let Some(leg) = self.legs.get_mut(&key) else { return };
        match leg.stage {
            Stage::Accepted => {
                leg.repeat = None;
                leg.stage = Stage::Up;
                if let Some((_, remote)) = &leg.answer {
                    turn.effects.push(CalleeEffect::Talking(key, remote.clone()));
                }
            }
            Stage::Refused => self.end(turn, key),
            Stage::Early | Stage::Up | Stage::Parting | Stage::Over => {}
        }
    }

    /// A final response can only be to our BYE.
    fn answered(&mut self, turn: &mut Turn<'_>, response: &Response) {
        let call = wire::call_id(&response.headers).unwrap_or_default();
        let Some(key) = self.by_call_id.get(&call).copied() else { return };
        let parting = self.legs.get(&key).is_some_and(|leg| leg.stage == Stage::Parting);
        if parting && response.status.code() >= 200 {
            self.end(turn, key);
        }
    }

    fn ring(&mut self, turn: &mut Turn<'_>, key: CalleeKey) {
        if self.legs.get(&key).is_some_and(|leg| leg.stage == Stage::Early) {
            self.respond(turn, key, 180, &[], None);
        }
    }

    fn answer(&mut self, turn: &mut Turn<'_>, key: CalleeKey, local: &Local) {
        let Some(leg) = self.legs.get_mut(&key).filter(|leg| leg.stage == Stage::Early) else {
            return;
        };
        let Ok((body, remote)) = local.answer(leg.invite.body(), 0) else {
            self.refuse(turn, key, 488, None);
            return;
        };
        let contact = format!("<sip:demo@{}>", leg.flow.local);
        leg.answer = Some((body.clone(), remote));
        leg.stage = Stage::Accepted;
        self.respond(turn, key, 200, &[(HeaderName::Contact, contact)], Some(&body));
        self.repeat_last(turn, key);
    }

    fn refuse(&mut self, turn: &mut Turn<'_>, key: CalleeKey, status: u16, q850: Option<u8>) {
        let Some(leg) = self.legs.get_mut(&key).filter(|leg| leg.stage == Stage::Early) else {
            return;
        };
        leg.stage = Stage::Refused;
        let reason = q850.map(|cause| (HeaderName::Reason, format!("Q.850;cause={cause}")));
        self.respond(turn, key, status, reason.as_slice(), None);
        self.repeat_last(turn, key);
    }

    fn hang_up(&mut self, turn: &mut Turn<'_>, key: CalleeKey) {
        let branch = self.token();
        let Some(leg) = self.legs.get_mut(&key) else { return };
        if !matches!(leg.stage, Stage::Accepted | Stage::Up) {
            return;
        }
        leg.stage = Stage::Parting;
        let Some(bye) = leg.bye(&branch) else {
            self.end(turn, key);
            return;
        };
        let datagram = Message::Request(bye).to_bytes();
        turn.effects.push(CalleeEffect::Send { flow: leg.flow, datagram: datagram.clone() });
        leg.repeat = Some(Repeat::of(datagram, turn.now));
    }

    fn end(&mut self, turn: &mut Turn<'_>, key: CalleeKey) {
        if let Some(leg) = self.legs.get_mut(&key)
            && leg.stage != Stage::Over
        {
            leg.stage = Stage::Over;
            leg.repeat = None;
            leg.forget_at = turn.now.plus(LIFE);
            turn.effects.push(CalleeEffect::Over(key));
        }
    }

    /// Responds to the INVITE of a call, and remembers it.
    fn respond(
        &mut self,
        turn: &mut Turn<'_>,
        key: CalleeKey,
        status: u16,
        extra: &[(HeaderName, String)],
        body: Option<&str>,
    ) {
        let Some(leg) = self.legs.get_mut(&key) else { return };
        if let Some(response) = wire::respond(&leg.invite, status, &leg.tag, extra, body) {
            let datagram = Message::Response(response).to_bytes();
            leg.last = Some(datagram.clone());
            turn.effects.push(CalleeEffect::Send { flow: leg.flow, datagram });
        }
    }

    /// Repeats the last response until it is acknowledged.
    fn repeat_last(&mut self, turn: &Turn<'_>, key: CalleeKey) {
        if let Some(leg) = self.legs.get_mut(&key) {
            leg.repeat = leg.last.clone().map(|datagram| Repeat::of(datagram, turn.now));
        }
    }

    /// Responds to anything but the INVITE that began a call.
    fn reply(
        &mut self,
        turn: &mut Turn<'_>,
        flow: Flow,
        request: &Request,
        status: u16,
        body: Option<&str>,
    ) {
        let tag = self.token();
        let contact = body.map(|_| (HeaderName::Contact, format!("<sip:demo@{}>", flow.local)));
        let made = wire::respond(request, status, &tag, contact.as_slice(), body);
        if let Some(response) = made {
            let datagram = Message::Response(response).to_bytes();
            turn.effects.push(CalleeEffect::Send { flow, datagram });
        }
    }
}

impl Leg {
    fn bye(&self, branch: &str) -> Option<Request> {
        let headers = &self.invite.headers;
        let target = wire::contact(headers)?;
        let target = String::from_utf8_lossy(&target.to_bytes()).into_owned();
        let local = self.flow.local;
        Draft::new("BYE", &target)
            .header("Via", &format!("SIP/2.0/UDP {local};branch=z9hG4bK{branch};rport"))
            .header("Max-Forwards", "70")
            .header("From", &format!("{};tag={}", wire::text(headers, &HeaderName::To)?, self.tag))
            .header("To", &wire::text(headers, &HeaderName::From)?)
            .header("Call-ID", &self.call_id)
            .header("CSeq", "1 BYE")
            .build()
    }
}

impl Repeat {
    fn of(datagram: Bytes, now: Timestamp) -> Self {
        Self { datagram, wait: T1, due: now.plus(T1), until: now.plus(LIFE) }
    }
}

struct Turn<'a> {
    now: Timestamp,
    effects: &'a mut Vec<CalleeEffect>,
}

impl Machine for Callee {
    type Event = CalleeEvent;
    type Effect = CalleeEffect;

    fn handle(&mut self, now: Timestamp, event: CalleeEvent, effects: &mut Vec<CalleeEffect>) {
        let turn = &mut Turn { now, effects };
        match event {
            CalleeEvent::Received { flow, datagram } => self.received(turn, flow, datagram),
            CalleeEvent::Ring(key) => self.ring(turn, key),
            CalleeEvent::Answer(key, local) => self.answer(turn, key, &local),
            CalleeEvent::Refuse(key, status, q850) => self.refuse(turn, key, status, q850),
            CalleeEvent::HangUp(key) => self.hang_up(turn, key),
        }
    }

    fn wake(&mut self, now: Timestamp, effects: &mut Vec<CalleeEffect>) {
        let mut lost = Vec::new();
        for (key, leg) in &mut self.legs {
            let Some(repeat) = &mut leg.repeat else { continue };
            if now >= repeat.until {
                lost.push(*key);
            } else if now >= repeat.due {
                effects
                    .push(CalleeEffect::Send { flow: leg.flow, datagram: repeat.datagram.clone() });
                repeat.wait = (repeat.wait * 2).min(T2);
                repeat.due = now.plus(repeat.wait);
            }
        }
        let turn = &mut Turn { now, effects };
        for key in lost {
            self.end(turn, key);
        }
        let by_call_id = &mut self.by_call_id;
        self.legs.retain(|_, leg| {
            let keep = leg.forget_at > now;
            if !keep {
                by_call_id.remove(&leg.call_id);
            }
            keep
        });
    }

    fn next_wake(&self) -> Option<Timestamp> {
        let due = |leg: &Leg| match &leg.repeat {
            Some(repeat) => Some(repeat.due.min(repeat.until)),
            None => (leg.forget_at < Timestamp::MAX).then_some(leg.forget_at),
        };
        self.legs.values().filter_map(due).min()
    }
}

/// The user part of an address of ours, as a number with its plus.
pub fn number_of(user: &str) -> String {
    let user = user.split(';').next().unwrap_or_default().replace("%2B", "+");
    if user.starts_with('+') { user } else { format!("+{user}") }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::{
        Agent, Branches, CallFact, CallKey, Config, Effect, End, EndedBy, Event, Invite,
        LineConfig, LineKey, sdp::Coding,
    };

    const START: Timestamp = Timestamp::from_seconds(1_800_000_000);
    const CALL: CallKey = CallKey(7);
    const LINE: LineKey = LineKey(1);

    fn ours() -> SocketAddr {
        "127.0.0.1:5060".parse().unwrap()
    }

    fn theirs() -> SocketAddr {
        "127.0.0.1:6060".parse().unwrap()
    }

    fn local(port: u16) -> Local {
        Local {
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            codings: vec![Coding::Pcmu],
            session: 1,
        }
    }

    /// The agent that calls and the far end, with a wire between them.
    struct Wire {
        agent: Agent,
        callee: Callee,
        now: Timestamp,
        facts: Vec<CallFact>,
        told: Vec<CalleeEffect>,
        /// Datagrams that the far end sends are lost while this is above zero.
        lose: u32,
    }

    impl Wire {
        fn new() -> Self {
            let mut wire = Self {
                agent: Agent::new(Config { user_agent: "Test".into(), seed: [7; 32] }),
                callee: Callee::new(1),
                now: START,
                facts: Vec::new(),
                told: Vec::new(),
                lose: 0,
            };
            let line = LineConfig {
                host: "127.0.0.1".into(),
                port: Some(6060),
                user: None,
                caller_id: None,
                credentials: None,
                realm: None,
                register: None,
                local: ours(),
                advertised: ours(),
            };
            wire.caller(Event::Line(LINE, Box::new(line)));
            wire.caller(Event::Targets(LINE, vec![theirs()]));
            wire
        }

        fn call(&mut self) -> CalleeKey {
            let invite = Invite {
                line: LINE,
                to: "+99900000004".into(),
                caller_id: None,
                call_id: "one".into(),
                from_tag: "ours".into(),
                branches: Branches::new(|n| format!("z9hG4bKours{n}")),
                media: local(10_000),
            };
            self.caller(Event::Invite(CALL, Box::new(invite)));
            match self.told.pop() {
                Some(CalleeEffect::Called { key, to }) => {
                    assert_eq!(number_of(&to), "+99900000004");
                    key
                }
                other => panic!("{other:?}"),
            }
        }

        fn caller(&mut self, event: Event) {
            let mut effects = Vec::new();
            self.agent.handle(self.now, event, &mut effects);
            self.carry(effects);
        }

        fn far(&mut self, event: CalleeEvent) {
            let mut effects = Vec::new();
            self.callee.handle(self.now, event, &mut effects);
            self.carry_back(effects);
        }

        fn carry(&mut self, effects: Vec<Effect>) {
            for effect in effects {
                match effect {
                    Effect::Send { flow, datagram, .. } => {
                        let flow = Flow { local: flow.remote, remote: flow.local };
                        self.far(CalleeEvent::Received { flow, datagram });
                    }
                    Effect::Call(_, fact) => self.facts.push(fact),
                    Effect::Line(..) | Effect::Dropped(..) => {}
                }
            }
        }

        fn carry_back(&mut self, effects: Vec<CalleeEffect>) {
            for effect in effects {
                let CalleeEffect::Send { flow, datagram } = effect else {
                    self.told.push(effect);
                    continue;
                };
                if self.lose > 0 {
                    self.lose -= 1;
                    continue;
                }
                let flow = Flow { local: flow.remote, remote: flow.local };
                self.caller(Event::Received { flow, datagram });
            }
        }

        fn after(&mut self, span: Duration) {
            let end = self.now.plus(span);
            loop {
                let wakes = [self.agent.next_wake(), self.callee.next_wake()];
                let Some(wake) = wakes.into_iter().flatten().min().filter(|wake| *wake <= end)
                else {
                    break;
                };
                self.now = self.now.max(wake);
                let mut effects = Vec::new();
                self.agent.wake(self.now, &mut effects);
                self.carry(effects);
                let mut effects = Vec::new();
                self.callee.wake(self.now, &mut effects);
                self.carry_back(effects);
            }
            self.now = end;
        }

        fn end(&self) -> &End {
            match self.facts.last() {
                Some(CallFact::Ended(end)) => end,
                other => panic!("no end but {other:?}"),
            }
        }
    }

    #[test]
    fn a_call_is_answered_and_ended_by_the_caller() {
        let mut wire = Wire::new();
        let key = wire.call();
        wire.far(CalleeEvent::Ring(key));
        assert!(matches!(wire.facts.last(), Some(CallFact::Ringing(180))));
        wire.far(CalleeEvent::Answer(key, local(20_000)));
        assert!(matches!(wire.facts.last(), Some(CallFact::Answered { remote, .. })
            if remote.address.port() == 20_000));
        assert!(matches!(wire.told.pop(), Some(CalleeEffect::Talking(_, remote))
            if remote.address.port() == 10_000));
        wire.caller(Event::HangUp(CALL));
        assert_eq!(wire.end().by, EndedBy::Us);
        assert!(matches!(wire.told.pop(), Some(CalleeEffect::Over(_))));
        wire.after(Duration::from_mins(2));
        assert!(wire.callee.legs.is_empty() && wire.callee.by_call_id.is_empty());
    }

    #[test]
    fn a_far_end_hangs_up() {
        let mut wire = Wire::new();
        let key = wire.call();
        wire.far(CalleeEvent::Answer(key, local(20_000)));
        wire.far(CalleeEvent::HangUp(key));
        assert_eq!(wire.end().by, EndedBy::Them);
        assert!(matches!(wire.told.pop(), Some(CalleeEffect::Over(_))));
    }

    #[test]
    fn a_refusal_carries_its_status_and_cause() {
        let mut wire = Wire::new();
        let key = wire.call();
        wire.far(CalleeEvent::Refuse(key, 503, Some(34)));
        assert_eq!((wire.end().status, wire.end().q850), (Some(503), Some(34)));
        assert!(matches!(wire.told.pop(), Some(CalleeEffect::Over(_))));
    }

    #[test]
    fn a_cancelled_call_ends_with_487() {
        let mut wire = Wire::new();
        let key = wire.call();
        wire.far(CalleeEvent::Ring(key));
        wire.caller(Event::HangUp(CALL));
        assert_eq!(wire.end().status, Some(487));
        assert!(matches!(wire.told.pop(), Some(CalleeEffect::Over(_))));
    }

    #[test]
    fn what_is_lost_is_said_again() {
        let mut wire = Wire::new();
        let key = wire.call();
        wire.lose = 2;
        wire.far(CalleeEvent::Answer(key, local(20_000)));
        assert!(wire.told.is_empty());
        wire.after(Duration::from_secs(3));
        assert!(matches!(wire.told.pop(), Some(CalleeEffect::Talking(..))));
    }
}
