//! Session timers (RFC 4028), and the repeating of our own 2xx (RFC 3261, 13.3.1.4).

use std::{net::SocketAddr, time::Duration};

use base::Timestamp;
use sipx_sip::{
    HeaderName, Headers, Response, TransactionKey,
    headers::Allow,
    session::{self, SessionExpires},
};

use super::{
    ALLOW, Agent, CallKey, CallTimer, Due, Effect, Flow, LIFE, Purpose, Turn,
    call::{CallFact, End, EndedBy, Lack, Stage},
};
use crate::wire;

/// RFC 3261, 17.1.1.1.
const T1: Duration = Duration::from_millis(500);
/// RFC 3261, 17.1.2.2.
const T2: Duration = Duration::from_secs(4);
/// The soonest that a refresh is tried again.
const SOONEST: Duration = Duration::from_secs(5);

/// An agreed session timer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Session {
    agreed: session::Session,
    /// When the session is over unless it is refreshed.
    until: Timestamp,
    /// Whether the far end takes UPDATE, which needs no description.
    takes_update: bool,
}

/// A 2xx of ours that was not acknowledged yet.
#[derive(Debug, Clone)]
pub(super) struct Accepting {
    pub(super) transaction: TransactionKey,
    pub(super) response: Response,
    /// Whether the description in it was an offer, so that the ACK answers it.
    pub(super) offered: bool,
    wait: Duration,
    until: Timestamp,
}

impl Accepting {
    pub(super) fn new(
        now: Timestamp,
        transaction: TransactionKey,
        response: Response,
        offered: bool,
    ) -> Self {
        Self { transaction, response, offered, wait: T1, until: now.plus(LIFE) }
    }

    /// The first pause before it is sent again.
    pub(super) const FIRST: Duration = T1;
}

fn takes_update(headers: &Headers) -> bool {
    headers.typed::<Allow>().and_then(Result::ok).is_some_and(|allow| allow.0.contains("UPDATE"))
}

impl Agent {
    /// Adopts the timer that a 2xx to our INVITE carries.
    pub(super) fn session_begins(
        &mut self,
        key: CallKey,
        response: &Response,
        turn: &mut Turn<'_>,
    ) {
        let asked = response.headers.typed::<SessionExpires>().and_then(Result::ok);
        let update = takes_update(&response.headers);
        self.session_agreed(key, session::adopt(asked, None), Some(update), turn);
    }

    /// Sets the timer going, or takes it away. `update` when it was told anew.
    pub(super) fn session_agreed(
        &mut self,
        key: CallKey,
        agreed: Option<session::Session>,
        update: Option<bool>,
        turn: &mut Turn<'_>,
    ) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        let before = call.session.is_some_and(|session| session.takes_update);
        call.session = agreed.map(|agreed| Session {
            agreed,
            until: turn.now.plus(agreed.interval),
            takes_update: update.unwrap_or(before),
        });
        let due = Due::Call(key, CallTimer::Session);
        match agreed {
            Some(agreed) => self.timers.arm(turn.now, agreed.act_after(), due),
            None => self.timers.disarm(&due),
        }
    }

    pub(super) fn session_due(&mut self, key: CallKey, turn: &mut Turn<'_>) {
        let Some(call) = self.calls.get(&key) else { return };
        let Some(session) = call.session else { return };
        if call.stage != Stage::Up {
            return;
        }
        if !session.agreed.we_refresh || turn.now >= session.until {
            self.part(key, LOST, turn);
        } else if !call.refreshing {
            self.refresh(key, session, turn);
        }
    }

    fn refresh(&mut self, key: CallKey, session: Session, turn: &mut Turn<'_>) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        let Some(dialog) = call.dialog.clone() else { return };
        call.refreshing = true;
        let flow = Flow { local: call.flow.local, remote: dialog.hop };
        let (cseq, branch) = call.next_number();
        let (line, answered, description) =
            (call.line, call.answered.clone(), call.description.clone());
        let (method, body) =
            if session.takes_update { ("UPDATE", "") } else { ("INVITE", description.as_str()) };
        let via = self.via(line, flow, &branch);
        let Some(call) = self.calls.get_mut(&key) else { return };
        let (uri, draft) = call.within(method, &dialog, &via, cseq);
        let wish = format!("{};refresher=uac", session.agreed.interval.as_secs());
        let mut draft = draft
            .header("Allow", ALLOW)
            .header("Supported", "timer")
            .header("Session-Expires", &wish)
            .header("User-Agent", &self.config.user_agent);
        for (name, value) in self.credentials_for(line, method, &uri, body, &answered) {
            draft = draft.header(&name.to_string(), &value);
        }
        let request =
            if body.is_empty() { draft.build() } else { draft.body("application/sdp", body) };
        if let Some(request) = request {
            self.send(request, flow, Purpose::Refresh(key), answered, turn);
        }
    }

    pub(super) fn refresh_heard(
        &mut self,
        key: CallKey,
        outcome: Result<&Response, &Lack>,
        source: SocketAddr,
        turn: &mut Turn<'_>,
    ) {
        let Ok(response) = outcome else {
            self.part_if_up(key, turn);
            return;
        };
        match response.status.code() {
            100..=199 => {}
            200..=299 => self.refreshed(key, response, source, turn),
            408 | 481 => self.part_if_up(key, turn),
            status => self.not_refreshed(key, status, response, turn),
        }
    }

    fn refreshed(
        &mut self,
        key: CallKey,
        response: &Response,
        source: SocketAddr,
        turn: &mut Turn<'_>,
    ) {
        let is_invite = response
            .headers
            .typed::<sipx_sip::CSeq>()
            .and_then(Result::ok)
            .is_some_and(|cseq| cseq.method == sipx_sip::Method::Invite);
        let Some(call) = self.calls.get_mut(&key) else { return };
        let fresh = std::mem::take(&mut call.refreshing);
        let Some(mut dialog) = call.dialog.clone() else { return };
        if is_invite && !fresh {
            // A repeat: the same ACK once more.
            if let Some((flow, ack)) = call.ack_of(&dialog.tag) {
                turn.effects.push(Effect::Send { flow, datagram: ack, ticket: None });
            }
            return;
        }
        dialog.retarget(&response.headers, source);
        call.dialog = Some(dialog.clone());
        if is_invite {
            self.acknowledge(key, &dialog, response, turn);
            self.adopt_description(key, response.body(), turn);
        }
        let Some(call) = self.calls.get(&key) else { return };
        if call.stage != Stage::Up {
            return;
        }
        let asked_for = call.session.map(|session| session.agreed.interval);
        let agreed = response.headers.typed::<SessionExpires>().and_then(Result::ok);
        self.session_agreed(key, session::adopt(agreed, asked_for), None, turn);
    }

    fn not_refreshed(
        &mut self,
        key: CallKey,
        status: u16,
        response: &Response,
        turn: &mut Turn<'_>,
    ) {
        // Both sides asked at once: the one that made the Call-ID waits 2.1 to 4 s (RFC 3261, 14.1).
        let glare = Duration::from_millis(2_100 + self.roll(191) * 10);
        let least = wire::seconds(&response.headers, &HeaderName::MinSe);
        let Some(call) = self.calls.get_mut(&key) else { return };
        call.refreshing = false;
        let Some(session) = &mut call.session else { return };
        let left = session.until.since(turn.now);
        let wait = match (status, least) {
            (491, _) => glare,
            (422, Some(least)) if least > session.agreed.interval => {
                session.agreed.interval = least;
                Duration::ZERO
            }
            _ => (left / 2).max(SOONEST),
        };
        self.timers.arm(turn.now, wait.min(left), Due::Call(key, CallTimer::Session));
    }

    /// Takes in a description of the far end, and tells when the sound moved.
    pub(super) fn adopt_description(&mut self, key: CallKey, body: &[u8], turn: &mut Turn<'_>) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        let Some(media) = &call.media else { return };
        if body.is_empty() || call.stage != Stage::Up {
            return;
        }
        if let Ok(remote) = media.agree(body)
            && call.remote.as_ref() != Some(&remote)
        {
            call.remote = Some(remote.clone());
            turn.effects.push(Effect::Call(key, CallFact::Moved(remote)));
        }
    }

    fn part_if_up(&mut self, key: CallKey, turn: &mut Turn<'_>) {
        if self.calls.get(&key).is_some_and(|call| call.stage == Stage::Up) {
            self.part(key, LOST, turn);
        }
    }

    /// Our 2xx was not acknowledged yet: once more, slower, and at last BYE.
    pub(super) fn repeat_success(&mut self, key: CallKey, turn: &mut Turn<'_>) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        let Some(accepting) = &mut call.accepting else { return };
        if turn.now >= accepting.until {
            call.accepting = None;
            self.part_if_up(key, turn);
            return;
        }
        accepting.wait = (accepting.wait * 2).min(T2);
        let again = accepting.clone();
        self.timers.arm(turn.now, again.wait, Due::Call(key, CallTimer::RepeatSuccess));
        self.reply(&again.transaction, again.response, turn);
    }
}

/// The far end gives no sign of life any more.
const LOST: End = End {
    by: EndedBy::Nobody,
    status: None,
    phrase: None,
    q850: None,
    retry_after: None,
    lack: Some(Lack::Session),
};
