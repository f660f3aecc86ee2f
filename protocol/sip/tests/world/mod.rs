//! A far end in a test's hand, and a clock that jumps.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    reason = "each test file uses its own part of the world"
)]

use std::{net::SocketAddr, time::Duration};

use base::{Machine, Timestamp};
use bytes::Bytes;
use sip::{
    Agent, Branches, CallFact, CallKey, Config, Credentials, Dropped, Effect, End, Event, Flow,
    Invite, LineConfig, LineFact, LineKey, Recovery,
    sdp::{Coding, Local},
};

pub const LINE: LineKey = LineKey(1);
pub const CALL: CallKey = CallKey(7);
pub const T1: Duration = Duration::from_millis(500);
pub const START: Timestamp = Timestamp::from_seconds(1_800_000_000);

pub fn us() -> SocketAddr {
    "192.0.2.1:5060".parse().unwrap()
}

pub fn carrier() -> SocketAddr {
    "203.0.113.9:5060".parse().unwrap()
}

/// A datagram of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    pub to: SocketAddr,
    pub text: String,
    pub at: Timestamp,
}

impl Sent {
    pub fn start(&self) -> &str {
        self.text.lines().next().unwrap()
    }

    pub fn is(&self, method: &str) -> bool {
        self.start().starts_with(&format!("{method} "))
    }

    pub fn status(&self) -> u16 {
        self.start().strip_prefix("SIP/2.0 ").unwrap()[..3].parse().unwrap()
    }

    /// The values of a header, in order.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let head = self.text.split("\r\n\r\n").next().unwrap();
        head.lines()
            .filter_map(|line| line.split_once(':'))
            .filter(|(have, _)| have.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
            .collect()
    }

    pub fn one(&self, name: &str) -> &str {
        let all = self.all(name);
        assert_eq!(all.len(), 1, "{name} in\n{}", self.text);
        all[0]
    }

    pub fn body(&self) -> &str {
        self.text.split_once("\r\n\r\n").unwrap().1
    }
}

pub struct World {
    pub agent: Agent,
    pub now: Timestamp,
    pub sent: Vec<Sent>,
    pub facts: Vec<(CallKey, CallFact)>,
    pub lines: Vec<LineFact>,
    pub dropped: Vec<Dropped>,
}

pub fn line_config() -> LineConfig {
    LineConfig {
        host: "203.0.113.9".into(),
        port: None,
        user: Some("alice".into()),
        caller_id: None,
        credentials: Some(Credentials { user: "alice".into(), password: "secret".into() }),
        realm: None,
        register: None,
        local: us(),
        advertised: us(),
    }
}

pub fn invite() -> Invite {
    Invite {
        line: LINE,
        to: "+380931234567".into(),
        caller_id: None,
        call_id: "call-id-of-the-test".into(),
        from_tag: "ourtag".into(),
        branches: branches(),
        media: Local {
            address: "192.0.2.1:10000".parse().unwrap(),
            codings: vec![Coding::Pcma, Coding::Pcmu],
            session: 77,
        },
    }
}

pub fn branches() -> Branches {
    Branches::new(|n| format!("z9hG4bKbranch{n}"))
}

pub fn recovery(dialog: Option<sip::SavedDialog>) -> Recovery {
    let Invite { line, to, caller_id, call_id, from_tag, branches, .. } = invite();
    Recovery { line, to, caller_id, call_id, from_tag, branches, dialog }
}

pub const SDP: &str = "v=0\r\no=- 1 1 IN IP4 203.0.113.20\r\ns=-\r\nc=IN IP4 203.0.113.20\r\nt=0 0\r\n\
     m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n";

impl World {
    /// A line by address whose probe was answered, and nothing under way.
    pub fn new() -> Self {
        Self::with(line_config())
    }

    pub fn with(config: LineConfig) -> Self {
        let registers = config.register.is_some();
        let mut world = Self::bare();
        world.tell(Event::Line(LINE, Box::new(config)));
        world.tell(Event::Targets(LINE, vec![carrier()]));
        if !registers {
            let probe = world.only("OPTIONS");
            world.respond(&probe, "200 OK", "", "");
            world.lines.clear();
        }
        world
    }

    pub fn bare() -> Self {
        let config = Config { user_agent: "Test".into(), seed: [7; 32] };
        Self {
            agent: Agent::new(config),
            now: START,
            sent: Vec::new(),
            facts: Vec::new(),
            lines: Vec::new(),
            dropped: Vec::new(),
        }
    }

    pub fn tell(&mut self, event: Event) {
        let mut effects = Vec::new();
        self.agent.handle(self.now, event, &mut effects);
        self.take(effects);
    }

    fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send { flow, datagram, ticket: _ } => {
                    assert_eq!(flow.local, us());
                    let text = String::from_utf8_lossy(&datagram).into_owned();
                    self.sent.push(Sent { to: flow.remote, text, at: self.now });
                }
                Effect::Call(call, fact) => self.facts.push((call, fact)),
                Effect::Line(_, fact) => self.lines.push(fact),
                Effect::Dropped(why, _) => self.dropped.push(why),
            }
        }
    }

    /// Lets time pass, waking the agent whenever it wants to be.
    pub fn after(&mut self, span: Duration) {
        let end = self.now.plus(span);
        while let Some(wake) = self.agent.next_wake().filter(|wake| *wake <= end) {
            self.now = wake.max(self.now);
            let mut effects = Vec::new();
            self.agent.wake(self.now, &mut effects);
            self.take(effects);
        }
        self.now = end;
    }

    /// What was sent since the last look, probes of the line left out.
    pub fn taken(&mut self) -> Vec<Sent> {
        let mut taken = std::mem::take(&mut self.sent);
        taken.retain(|sent| !sent.is("OPTIONS"));
        taken
    }

    /// The one datagram that was sent since the last look.
    pub fn only(&mut self, method: &str) -> Sent {
        let mut taken = std::mem::take(&mut self.sent);
        if method != "OPTIONS" {
            taken.retain(|sent| !sent.is("OPTIONS"));
        }
        assert_eq!(taken.len(), 1, "{taken:#?}");
        assert!(taken[0].is(method), "{} is no {method}", taken[0].text);
        taken.remove(0)
    }

    pub fn receive_from(&mut self, source: SocketAddr, datagram: &[u8]) {
        let flow = Flow { local: us(), remote: source };
        self.tell(Event::Received { flow, datagram: Bytes::copy_from_slice(datagram) });
    }

    pub fn receive(&mut self, text: &str) {
        self.receive_from(carrier(), text.as_bytes());
    }

    /// The far end answers a request of ours. `extra` are whole header lines.
    pub fn respond(&mut self, request: &Sent, status: &str, extra: &str, body: &str) {
        self.respond_tagged(request, status, "theirtag", extra, body);
    }

    pub fn respond_tagged(
        &mut self,
        request: &Sent,
        status: &str,
        tag: &str,
        extra: &str,
        body: &str,
    ) {
        let response = response(request, status, tag, extra, body);
        self.receive(&response);
    }

    pub fn invite(&mut self) -> Sent {
        self.tell(Event::Invite(CALL, Box::new(invite())));
        assert_eq!(self.facts.remove(0), (CALL, CallFact::Sent));
        self.only("INVITE")
    }

    /// A call that is up; its ACK is taken.
    pub fn up(&mut self) -> Sent {
        self.up_with("")
    }

    pub fn up_with(&mut self, extra: &str) -> Sent {
        let invite = self.invite();
        self.respond(&invite, "180 Ringing", CONTACT, "");
        self.respond(&invite, "200 OK", &format!("{CONTACT}{extra}"), SDP);
        assert!(
            matches!(self.facts.pop(), Some((CALL, CallFact::Answered { .. }))),
            "{:?}",
            self.facts
        );
        assert_eq!(self.facts.pop(), Some((CALL, CallFact::Ringing(180))));
        self.only("ACK");
        invite
    }

    /// A request of the far end within the call that is up.
    pub fn ask(&mut self, method: &str, cseq: u32, extra: &str, body: &str) {
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        self.receive(&format!(
            "{method} sip:alice@192.0.2.1:5060 SIP/2.0\r\n\
             Via: SIP/2.0/UDP 203.0.113.9:5060;branch=z9hG4bKtheirs{cseq}{method};rport\r\n\
             Max-Forwards: 70\r\nFrom: <sip:+380931234567@203.0.113.9>;tag=theirtag\r\n\
             To: <sip:alice@203.0.113.9>;tag=ourtag\r\nCall-ID: call-id-of-the-test\r\n\
             CSeq: {cseq} {method}\r\n{extra}{kind}Content-Length: {}\r\n\r\n{body}",
            body.len()
        ));
    }

    /// The one end that was told.
    pub fn end(&mut self) -> End {
        let mut ends: Vec<End> = self
            .facts
            .drain(..)
            .filter_map(|(_, fact)| match fact {
                CallFact::Ended(end) => Some(end),
                CallFact::Sent
                | CallFact::Ringing(_)
                | CallFact::Answered { .. }
                | CallFact::Moved(_) => None,
            })
            .collect();
        assert_eq!(ends.len(), 1, "{ends:?}");
        ends.remove(0)
    }
}

pub const CONTACT: &str = "Contact: <sip:gw@203.0.113.9:5060>\r\n";

pub fn response(request: &Sent, status: &str, tag: &str, extra: &str, body: &str) -> String {
    let mut text = format!("SIP/2.0 {status}\r\n");
    for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
        for value in request.all(name) {
            text.push_str(&format!("{name}: {value}"));
            if name == "To" && !value.contains("tag=") && !tag.is_empty() {
                text.push_str(&format!(";tag={tag}"));
            }
            text.push_str("\r\n");
        }
    }
    text.push_str(extra);
    if !body.is_empty() {
        text.push_str("Content-Type: application/sdp\r\n");
    }
    text.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    text
}
