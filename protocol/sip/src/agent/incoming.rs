//! What far ends ask: within calls, and about ourselves.

use std::net::SocketAddr;

use sipx_sip::{
    HeaderName, Message, Method, Reliability, Request, TransactionKey,
    headers::{CSeq, MaxForwards, Require, Supported},
    session::{self, Answer, MinSe, Refresher, SessionExpires},
    transaction::Dispatch,
};

use super::{
    ALLOW, Agent, CallKey, CallTimer, Due, Effect, Flow, Purpose, Transaction, Turn,
    call::{CallFact, End, EndedBy, Stage},
    session::Accepting,
};
use crate::{
    digest::Answered,
    sdp::{Remote, SdpError},
    wire,
};

/// The only extension that we know.
const TIMER: &str = "timer";

/// A refusal: status and further headers.
type Refusal = (u16, Vec<(HeaderName, String)>);

/// What we answer a session timer with.
struct Timing {
    headers: Vec<(HeaderName, String)>,
    session: Option<session::Session>,
}

impl Agent {
    pub(super) fn request(&mut self, flow: Flow, mut request: Request, turn: &mut Turn<'_>) {
        let findings = sipx_sip::validate_request(&request);
        let fault = findings.iter().find(|finding| !finding.is_repairable());
        let back = Flow { remote: wire::stamp_source(&mut request, flow.remote), ..flow };
        if let Some(fault) = fault {
            if request.method != Method::Ack {
                self.refuse_at_once(back, &request, fault.status(), turn);
            }
            return;
        }
        match self.layer.receive(Message::Request(request), Reliability::Unreliable) {
            Dispatch::Matched { key, outputs } => self.outputs(&key, outputs, Some(flow), turn),
            Dispatch::Created { key, outputs } => {
                if self.transactions.contains_key(&key) {
                    // Our own branch comes back at us.
                    self.layer.abandon(&key);
                    return;
                }
                let theirs = Transaction {
                    purpose: Purpose::Theirs,
                    flow: back,
                    answered: Answered::default(),
                };
                self.transactions.insert(key.clone(), theirs);
                self.outputs(&key, outputs, Some(flow), turn);
            }
            Dispatch::Unmatched(message) => {
                if let Message::Request(request) = *message {
                    self.acknowledged(&request, flow.remote, turn);
                }
            }
        }
    }

    /// Without a transaction: what came may have no branch that could name one.
    fn refuse_at_once(&mut self, back: Flow, request: &Request, status: u16, turn: &mut Turn<'_>) {
        let tag = self.token();
        if let Some(response) = wire::respond(request, status, &tag, &[], None) {
            let datagram = Message::Response(response).to_bytes();
            turn.effects.push(Effect::Send { flow: back, datagram, ticket: None });
        }
    }

    /// A request that was not there before.
    pub(super) fn asked(
        &mut self,
        key: &TransactionKey,
        flow: Flow,
        request: &Request,
        turn: &mut Turn<'_>,
    ) {
        if let Some((status, headers)) = refusal(request) {
            self.answer(key, request, status, &headers, turn);
            return;
        }
        let call = wire::call_id(&request.headers)
            .and_then(|id| self.by_call_id.get(&id).copied())
            .filter(|call| self.is_within(*call, request, flow.remote));
        match (&request.method, call) {
            (Method::Cancel, _) => {
                let invite = TransactionKey::for_cancelled_invite(request);
                let known = invite.is_some_and(|invite| self.layer.server_state(&invite).is_some());
                self.answer(key, request, if known { 200 } else { 481 }, &[], turn);
            }
            (_, Some(call)) => self.asked_within(key, call, request, turn),
            (Method::Options, None) if wire::to_tag(&request.headers).is_empty() => {
                self.answer(key, request, 200, &abilities(), turn);
            }
            // Nobody is here who could be called.
            (Method::Invite, None) if wire::to_tag(&request.headers).is_empty() => {
                self.answer(key, request, 480, &[], turn);
            }
            _ => self.answer(key, request, 481, &[], turn),
        }
    }

    /// Whether a request belongs to a dialog of the call and comes from its far end.
    fn is_within(&self, key: CallKey, request: &Request, source: SocketAddr) -> bool {
        self.calls.get(&key).is_some_and(|call| {
            let theirs = wire::from_tag(&request.headers);
            wire::to_tag(&request.headers) == call.from_tag
                && call.has_tag(&theirs)
                && self.is_party(call, source)
        })
    }

    fn asked_within(
        &mut self,
        key: &TransactionKey,
        call_key: CallKey,
        request: &Request,
        turn: &mut Turn<'_>,
    ) {
        let Some(call) = self.calls.get_mut(&call_key) else { return };
        let cseq =
            request.headers.typed::<CSeq>().and_then(Result::ok).map_or(0, |cseq| cseq.sequence);
        // Out of order (RFC 3261, 12.2.2).
        if call.remote_cseq.is_some_and(|last| cseq <= last) {
            self.answer(key, request, 500, &[], turn);
            return;
        }
        call.remote_cseq = Some(cseq);
        let up = call.stage == Stage::Up;
        let asks = |methods: &[Method]| methods.contains(&request.method);
        if asks(&[Method::Bye]) {
            let current = call.dialog.as_ref().map(|dialog| dialog.tag.as_str());
            let ours = current == Some(wire::from_tag(&request.headers).as_str());
            let q850 = wire::q850(&request.headers);
            self.answer(key, request, 200, &[], turn);
            if up && ours {
                self.end(call_key, End { q850, ..End::by(EndedBy::Them) }, turn);
            }
        } else if asks(&[Method::Options]) {
            self.answer(key, request, 200, &abilities(), turn);
        } else if up && asks(&[Method::Info]) {
            self.answer(key, request, 200, &[], turn);
        } else if up && asks(&[Method::Invite, Method::Update]) {
            self.renegotiate(key, call_key, request, turn);
        } else {
            self.answer(key, request, 481, &[], turn);
        }
    }

    /// A re-INVITE or UPDATE: the sound moves, is held, or the session goes on (RFC 3261, 14.2; RFC
    /// 3311; RFC 4028, 9).
    fn renegotiate(
        &mut self,
        key: &TransactionKey,
        call_key: CallKey,
        request: &Request,
        turn: &mut Turn<'_>,
    ) {
        let Some(call) = self.calls.get_mut(&call_key) else { return };
        let invites = request.method == Method::Invite;
        if call.refreshing && (invites || !request.body().is_empty()) {
            self.answer(key, request, 491, &[], turn);
            return;
        }
        if call.accepting.is_some() && invites {
            let wait = vec![(HeaderName::RetryAfter, "2".to_owned())];
            self.answer(key, request, 500, &wait, turn);
            return;
        }
        let timing = match timing(request) {
            Ok(timing) => timing,
            Err((status, headers)) => {
                self.answer(key, request, status, &headers, turn);
                return;
            }
        };
        let Ok(described) = self.describe(call_key, request) else {
            self.answer(key, request, 488, &[], turn);
            return;
        };
        let Some(call) = self.calls.get_mut(&call_key) else { return };
        if let Some(dialog) = &mut call.dialog {
            dialog.retarget(&request.headers, dialog.hop);
        }
        let (body, remote) = described.map_or((None, None), |(body, remote)| (Some(body), remote));
        let contact = call.contact().to_owned();
        if let Some(body) = &body {
            call.description.clone_from(body);
        }
        let mut headers = timing.headers;
        headers.push((HeaderName::Contact, contact));
        headers.extend(abilities());
        // The request is within a dialog: our tag is in it.
        let Some(response) = wire::respond(request, 200, "", &headers, body.as_deref()) else {
            return;
        };
        self.reply(key, response.clone(), turn);
        if let (true, Some(call)) = (invites, self.calls.get_mut(&call_key)) {
            let offered = request.body().is_empty();
            call.accepting = Some(Accepting::new(turn.now, key.clone(), response, offered));
            self.timers.arm(
                turn.now,
                Accepting::FIRST,
                Due::Call(call_key, CallTimer::RepeatSuccess),
            );
        }
        self.moved(call_key, remote, turn);
        // Every one of these agrees anew: without a wish there is no timer any more.
        self.session_agreed(call_key, timing.session, None, turn);
    }

    /// What we say of our side, and what the far end said of its own. An INVITE without a
    /// description wants our offer; an UPDATE without one wants nothing.
    fn describe(
        &mut self,
        key: CallKey,
        request: &Request,
    ) -> Result<Option<(String, Option<Remote>)>, SdpError> {
        let Some(call) = self.calls.get_mut(&key) else { return Ok(None) };
        let Some(media) = &call.media else { return Err(SdpError::NoAudio) };
        if request.body().is_empty() {
            if request.method != Method::Invite {
                return Ok(None);
            }
            return Ok(Some((media.offer_again(call.versions), None)));
        }
        let (answer, remote) = media.answer(request.body(), call.versions + 1)?;
        call.versions += 1;
        Ok(Some((answer, Some(remote))))
    }

    fn moved(&mut self, key: CallKey, remote: Option<Remote>, turn: &mut Turn<'_>) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        if let Some(remote) = remote
            && call.remote.as_ref() != Some(&remote)
        {
            call.remote = Some(remote.clone());
            turn.effects.push(Effect::Call(key, CallFact::Moved(remote)));
        }
    }

    /// ACK of a 2xx of ours: it needs no repeating any more.
    fn acknowledged(&mut self, request: &Request, source: SocketAddr, turn: &mut Turn<'_>) {
        let call = wire::call_id(&request.headers)
            .and_then(|id| self.by_call_id.get(&id).copied())
            .filter(|call| self.is_within(*call, request, source));
        let Some(key) = call else { return };
        let cseq = request.headers.typed::<CSeq>().and_then(Result::ok).map(|cseq| cseq.sequence);
        let Some(call) = self.calls.get_mut(&key) else { return };
        let Some(accepting) = call.accepting.take() else { return };
        let awaited = accepting.response.headers.typed::<CSeq>().and_then(Result::ok);
        if awaited.map(|awaited| awaited.sequence) != cseq {
            call.accepting = Some(accepting);
            return;
        }
        self.timers.disarm(&Due::Call(key, CallTimer::RepeatSuccess));
        if accepting.offered {
            self.adopt_description(key, request.body(), turn);
        }
    }

    fn answer(
        &mut self,
        key: &TransactionKey,
        request: &Request,
        status: u16,
        headers: &[(HeaderName, String)],
        turn: &mut Turn<'_>,
    ) {
        let tag = self.token();
        if let Some(response) = wire::respond(request, status, &tag, headers, None) {
            self.reply(key, response, turn);
        }
    }
}

/// What can be refused without knowing the call.
fn refusal(request: &Request) -> Option<Refusal> {
    let allow = || vec![(HeaderName::Allow, ALLOW.to_owned())];
    if matches!(request.method, Method::Other(_)) {
        return Some((501, allow()));
    }
    let known = [
        Method::Invite,
        Method::Ack,
        Method::Cancel,
        Method::Bye,
        Method::Options,
        Method::Info,
        Method::Update,
    ];
    if !known.contains(&request.method) {
        return Some((405, allow()));
    }
    // A call is ended whatever its BYE has been through.
    if matches!(request.method, Method::Bye | Method::Cancel) {
        return None;
    }
    let hops = request.headers.typed::<MaxForwards>().and_then(Result::ok);
    if hops.is_some_and(|hops| hops.0 == 0) {
        return Some((483, Vec::new()));
    }
    let unknown: Vec<String> = request
        .headers
        .typed_all::<Require>()
        .filter_map(Result::ok)
        .flat_map(|require| require.0.0)
        .map(|tag| String::from_utf8_lossy(&tag).into_owned())
        .filter(|tag| !tag.eq_ignore_ascii_case(TIMER))
        .collect();
    (!unknown.is_empty()).then(|| (420, vec![(HeaderName::Unsupported, unknown.join(", "))]))
}

fn abilities() -> Vec<(HeaderName, String)> {
    vec![
        (HeaderName::Allow, ALLOW.to_owned()),
        (HeaderName::Accept, "application/sdp".to_owned()),
        (HeaderName::Supported, TIMER.to_owned()),
    ]
}

/// Our side of the session timer that a request asks for.
fn timing(request: &Request) -> Result<Timing, Refusal> {
    let headers = &request.headers;
    let supports = headers
        .typed_all::<Supported>()
        .filter_map(Result::ok)
        .any(|supported| supported.0.contains(TIMER));
    let wish = headers.typed::<SessionExpires>().and_then(Result::ok);
    if wish.is_none() {
        return Ok(Timing { headers: Vec::new(), session: None });
    }
    let least = headers.typed::<MinSe>().and_then(Result::ok).map(|least| least.0);
    match session::answer(supports, wish, least, session::ABSOLUTE_MIN_INTERVAL) {
        Answer::None => Ok(Timing { headers: Vec::new(), session: None }),
        Answer::Accept(accepted) => {
            let mut headers = vec![(
                HeaderName::SessionExpires,
                format!(
                    "{};refresher={}",
                    accepted.interval.as_secs(),
                    accepted.refresher.as_str()
                ),
            )];
            if accepted.require {
                headers.push((HeaderName::Require, TIMER.to_owned()));
            }
            let we_refresh = accepted.refresher == Refresher::Uas;
            let session = session::Session { interval: accepted.interval, we_refresh };
            Ok(Timing { headers, session: Some(session) })
        }
        Answer::TooBrief(least) => {
            Err((422, vec![(HeaderName::MinSe, least.as_secs().to_string())]))
        }
    }
}
