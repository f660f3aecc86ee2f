//! Calls that we make: INVITE, its answers and forks, CANCEL, BYE, and what comes late.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use bytes::Bytes;
use sipx_sip::{HeaderName, Request, Response, TransactionKey};

use super::{
    ALLOW, Agent, Branches, CallKey, CallTimer, Dropped, Due, Effect, Flow, LIFE, LineKey, Purpose,
    Turn,
    dialog::{Dialog, SavedDialog},
    session::{Accepting, Session},
};
use crate::{
    digest::Answered,
    sdp::{self, Remote, SdpError},
    wire::{self, Draft},
};

/// Branch numbers of a restarted process begin here, so that none is used twice.
const RESTARTED: u32 = 1_000;
/// How many INVITEs a call may have sent: the first, and again for credentials.
const MOST_INVITES: u32 = 4;

/// Somebody to be called.
#[derive(Debug, Clone)]
pub struct Invite {
    /// The line that it leaves on.
    pub line: LineKey,
    /// The user part of the callee's address: the number, with its `+`.
    pub to: String,
    /// The user part of our own address; the line's own when there is none.
    pub caller_id: Option<String>,
    /// Value of Call-ID.
    pub call_id: String,
    /// Tag of our From.
    pub from_tag: String,
    /// Branches of the call's requests.
    pub branches: Branches,
    /// Our side of the sound.
    pub media: sdp::Local,
}

/// A call that an earlier process left behind.
#[derive(Debug, Clone)]
pub struct Recovery {
    /// The line that it left on.
    pub line: LineKey,
    /// As in [`Invite`].
    pub to: String,
    /// As in [`Invite`].
    pub caller_id: Option<String>,
    /// As in [`Invite`].
    pub call_id: String,
    /// As in [`Invite`].
    pub from_tag: String,
    /// As in [`Invite`].
    pub branches: Branches,
    /// Its dialog, when it was answered and that is known: it gets BYE. Otherwise it gets CANCEL.
    pub dialog: Option<SavedDialog>,
}

/// What happened to a call. After [`CallFact::Ended`] nothing follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallFact {
    /// The INVITE was handed to the socket.
    Sent,
    /// A provisional response from 180 to 189 came.
    Ringing(u16),
    /// The callee picked up, and the 200 is acknowledged.
    Answered {
        /// Enough to end the call after a restart.
        dialog: SavedDialog,
        /// The far end's side of the sound.
        remote: Remote,
    },
    /// The far end moved its sound, or holds us, or does so no more.
    Moved(Remote),
    /// Over.
    Ended(End),
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// Who ended it.
    pub by: EndedBy,
    /// The final status of the INVITE, 300 to 699.
    pub status: Option<u16>,
    /// Its phrase.
    pub phrase: Option<String>,
    /// The Q.850 cause of a Reason header.
    pub q850: Option<u8>,
    /// For how long the far end asks to be left alone.
    pub retry_after: Option<Duration>,
    /// What was missing, when no status tells.
    pub lack: Option<Lack>,
}

/// Who ended a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedBy {
    /// The far end, by BYE or a final status.
    Them,
    /// We, by CANCEL or BYE.
    Us,
    /// Nobody: it got lost.
    Nobody,
}

/// What a call lacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// Any response.
    TimedOut,
    /// A way to the far end: no address, or a socket that refused.
    Transport,
    /// Sound that both sides speak.
    Media(SdpError),
    /// A sign of life in a call that was up (RFC 4028).
    Session,
}

impl End {
    pub(super) const fn by(by: EndedBy) -> Self {
        Self { by, status: None, phrase: None, q850: None, retry_after: None, lack: None }
    }

    fn lacking(lack: Lack) -> Self {
        Self { lack: Some(lack), ..Self::by(EndedBy::Nobody) }
    }
}

/// How far a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The INVITE is out.
    Calling,
    /// CANCEL is out.
    Cancelling,
    /// Answered.
    Up,
    /// Ended, and told so. What comes late is still put right.
    Over,
}

/// One call.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) line: LineKey,
    pub(super) flow: Flow,
    pub(super) stage: Stage,
    /// Request line of the INVITE.
    uri: String,
    pub(super) from: String,
    to: String,
    pub(super) id: String,
    pub(super) from_tag: String,
    contact: String,
    branches: Branches,
    requests: u32,
    cseq: u32,
    /// The INVITE that is out, its CSeq and branch.
    invite: Option<TransactionKey>,
    invite_cseq: u32,
    invite_branch: String,
    /// Whether a provisional response to it came.
    heard: bool,
    /// Whether the call is to be cancelled as soon as one comes.
    unwanted: bool,
    pub(super) answered: Answered,
    pub(super) media: Option<sdp::Local>,
    /// How often our description changed.
    pub(super) versions: u32,
    /// Our last description.
    pub(super) description: String,
    /// From a 18x, for the 200 that comes without a description.
    early: Option<Remote>,
    pub(super) remote: Option<Remote>,
    pub(super) dialog: Option<Dialog>,
    /// ACKs sent, by tag: they go again for each repeat of their 200.
    acks: BTreeMap<String, (Flow, Bytes)>,
    pub(super) remote_cseq: Option<u32>,
    pub(super) session: Option<Session>,
    pub(super) accepting: Option<Accepting>,
    pub(super) refreshing: bool,
}

impl Call {
    pub(super) fn next_number(&mut self) -> (u32, String) {
        self.requests += 1;
        self.cseq += 1;
        (self.cseq, self.branches.of(self.requests))
    }

    fn next_branch(&mut self) -> String {
        self.requests += 1;
        self.branches.of(self.requests)
    }

    /// Whether the INVITE may go out again with credentials.
    pub(super) const fn may_be_sent_again(&self) -> bool {
        matches!(self.stage, Stage::Calling) && !self.unwanted && self.requests < MOST_INVITES
    }

    pub(super) fn sent_again(&mut self, key: TransactionKey, cseq: u32, branch: String) {
        self.invite = Some(key);
        self.invite_cseq = cseq;
        self.invite_branch = branch;
        self.heard = false;
    }

    /// Whether one of its answered branches has this tag.
    pub(super) fn has_tag(&self, tag: &str) -> bool {
        self.dialog.as_ref().is_some_and(|dialog| dialog.tag == tag) || self.acks.contains_key(tag)
    }

    /// The ACK that was sent into a branch.
    pub(super) fn ack_of(&self, tag: &str) -> Option<(Flow, Bytes)> {
        self.acks.get(tag).cloned()
    }

    pub(super) fn contact(&self) -> &str {
        &self.contact
    }

    pub(super) fn saved(&self, dialog: &Dialog) -> SavedDialog {
        SavedDialog {
            local: self.from.clone(),
            remote: dialog.remote.clone(),
            target: dialog.target.clone(),
            routes: dialog.routes.clone(),
            cseq: self.cseq,
        }
    }

    /// What every request within the dialog begins with.
    pub(super) fn within(
        &mut self,
        method: &str,
        dialog: &Dialog,
        via: &str,
        cseq: u32,
    ) -> (String, Draft) {
        let (uri, routes) = dialog.addressed();
        let draft = Draft::new(method, &uri)
            .header("Via", via)
            .header("Max-Forwards", "70")
            .headers("Route", &routes)
            .header("From", &self.from)
            .header("To", &dialog.remote)
            .header("Call-ID", &self.id)
            .header("CSeq", &format!("{cseq} {method}"))
            .header("Contact", &self.contact);
        (uri, draft)
    }
}

/// The addresses that a call writes into its messages.
struct Names {
    uri: String,
    from: String,
    to: String,
    contact: String,
    flow: Flow,
}

impl Agent {
    /// Request line, From, To, Contact and flow of a call; `None` while the line has no address.
    fn names(
        &self,
        line: LineKey,
        to: &str,
        caller_id: Option<&str>,
        from_tag: &str,
    ) -> Option<Names> {
        let line = self.lines.get(&line)?;
        let flow = line.flow()?;
        let config = &line.config;
        let host = config.host_and_port();
        let to = format!("sip:{}@{host}", wire::user_part(to));
        let caller = caller_id.or(config.caller_id.as_deref()).or(config.user.as_deref());
        let caller = wire::user_part(caller.unwrap_or("anonymous"));
        Some(Names {
            from: format!("<sip:{caller}@{host}>;tag={from_tag}"),
            to: format!("<{to}>"),
            uri: to,
            contact: config.contact(),
            flow,
        })
    }

    pub(super) fn invite(&mut self, key: CallKey, invite: Invite, turn: &mut Turn<'_>) {
        let Invite { line, to, caller_id, call_id, from_tag, branches, media } = invite;
        let names = self.names(line, &to, caller_id.as_deref(), &from_tag);
        let free = !self.calls.contains_key(&key) && !self.by_call_id.contains_key(&call_id);
        let Some(names) = names.filter(|_| free) else {
            let end = End::lacking(Lack::Transport);
            turn.effects.push(Effect::Call(key, CallFact::Ended(end)));
            return;
        };
        let offer = media.offer();
        let mut call = new_call(line, names, call_id, from_tag, branches, Some(media));
        let (cseq, branch) = call.next_number();
        (call.invite_cseq, call.invite_branch) = (cseq, branch.clone());
        call.description.clone_from(&offer);
        let flow = call.flow;
        let credentials =
            self.credentials_for(line, "INVITE", &call.uri, &offer, &Answered::default());
        let request = self.invite_request(&call, &branch, cseq, &credentials, &offer);
        self.keep(key, call);
        let sent = request.and_then(|request| {
            self.send(request, flow, Purpose::Invite(key), Answered::default(), turn)
        });
        match (sent, self.calls.get_mut(&key)) {
            (Some(sent), Some(call)) => {
                call.invite = Some(sent);
                turn.effects.push(Effect::Call(key, CallFact::Sent));
            }
            _ => self.end(key, End::lacking(Lack::Transport), turn),
        }
    }

    fn invite_request(
        &self,
        call: &Call,
        branch: &str,
        cseq: u32,
        credentials: &[(HeaderName, String)],
        offer: &str,
    ) -> Option<Request> {
        let mut draft = Draft::new("INVITE", &call.uri)
            .header("Via", &self.via(call.line, call.flow, branch))
            .header("Max-Forwards", "70")
            .header("From", &call.from)
            .header("To", &call.to)
            .header("Call-ID", &call.id)
            .header("CSeq", &format!("{cseq} INVITE"))
            .header("Contact", &call.contact)
            .header("Allow", ALLOW)
            .header("Supported", "timer")
            .header("User-Agent", &self.config.user_agent);
        for (name, value) in credentials {
            draft = draft.header(&name.to_string(), value);
        }
        draft.body("application/sdp", offer)
    }

    fn keep(&mut self, key: CallKey, call: Call) {
        self.hop_used(call.flow.remote.ip());
        self.by_call_id.insert(call.id.clone(), key);
        self.calls.insert(key, call);
    }

    /// A response to an INVITE, or its lack.
    pub(super) fn invite_heard(
        &mut self,
        transaction: &TransactionKey,
        key: CallKey,
        outcome: Result<&Response, &Lack>,
        source: SocketAddr,
        turn: &mut Turn<'_>,
    ) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        let current = call.invite.as_ref() == Some(transaction);
        match outcome {
            Ok(response) if response.status.is_success() => {
                self.picked_up(key, response, source, turn);
            }
            _ if !current || call.stage == Stage::Over => {}
            Ok(response) if response.status.is_provisional() => {
                self.provisional(key, response, turn);
            }
            Ok(response) => {
                let status = response.status.code();
                // What a CANCEL was waiting for: nothing rings there any more.
                let asked_again = call.unwanted && matches!(status, 401 | 407);
                let end = End {
                    by: EndedBy::Them,
                    status: (!asked_again).then_some(status),
                    phrase: Some(wire::phrase_of(response)),
                    q850: wire::q850(&response.headers),
                    retry_after: wire::retry_after(&response.headers),
                    lack: None,
                };
                self.end(key, end, turn);
            }
            Err(lack) => self.end(key, End::lacking(*lack), turn),
        }
    }

    fn provisional(&mut self, key: CallKey, response: &Response, turn: &mut Turn<'_>) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        call.heard = true;
        if call.unwanted {
            self.cancel(key, turn);
            return;
        }
        let status = response.status.code();
        if let (Some(media), false) = (&call.media, response.body().is_empty())
            && let Ok(remote) = media.agree(response.body())
        {
            call.early = Some(remote);
        }
        if call.stage == Stage::Calling && (180..190).contains(&status) {
            turn.effects.push(Effect::Call(key, CallFact::Ringing(status)));
        }
    }

    /// A 2xx: acknowledged always, kept once, and ended when nobody wants it any more.
    fn picked_up(
        &mut self,
        key: CallKey,
        response: &Response,
        source: SocketAddr,
        turn: &mut Turn<'_>,
    ) {
        let tag = wire::to_tag(&response.headers);
        let Some(call) = self.calls.get(&key) else { return };
        if let Some((flow, ack)) = call.acks.get(&tag) {
            turn.effects.push(Effect::Send { flow: *flow, datagram: ack.clone(), ticket: None });
            return;
        }
        let dialog = Dialog::of_response(response, &call.uri, source);
        let wanted = call.stage == Stage::Calling && !call.unwanted;
        let was_cancelling = matches!(call.stage, Stage::Calling | Stage::Cancelling);
        self.acknowledge(key, &dialog, response, turn);
        let Some(call) = self.calls.get_mut(&key) else { return };
        if !wanted {
            self.bye(key, &dialog, turn);
            if was_cancelling {
                self.end(key, End::by(EndedBy::Us), turn);
            }
            return;
        }
        let agreed = match (&call.media, response.body().is_empty()) {
            (Some(media), false) => media.agree(response.body()),
            _ => call.early.clone().ok_or(SdpError::NoAudio),
        };
        match agreed {
            Ok(remote) => {
                call.stage = Stage::Up;
                call.remote = Some(remote.clone());
                let saved = call.saved(&dialog);
                call.dialog = Some(dialog);
                turn.effects.push(Effect::Call(key, CallFact::Answered { dialog: saved, remote }));
                self.session_begins(key, response, turn);
            }
            Err(problem) => {
                self.bye(key, &dialog, turn);
                let end = End { by: EndedBy::Us, ..End::lacking(Lack::Media(problem)) };
                self.end(key, end, turn);
            }
        }
    }

    /// Sends the ACK of a 2xx and keeps it for the repeats (RFC 3261, 13.2.2.4).
    pub(super) fn acknowledge(
        &mut self,
        key: CallKey,
        dialog: &Dialog,
        response: &Response,
        turn: &mut Turn<'_>,
    ) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        let flow = Flow { local: call.flow.local, remote: dialog.hop };
        let branch = call.next_branch();
        let cseq = response.headers.typed::<sipx_sip::CSeq>().and_then(Result::ok);
        let cseq = cseq.map_or(call.invite_cseq, |cseq| cseq.sequence);
        let (line, answered) = (call.line, call.answered.clone());
        let via = self.via(line, flow, &branch);
        let Some(call) = self.calls.get_mut(&key) else { return };
        let (uri, mut draft) = call.within("ACK", dialog, &via, cseq);
        // The INVITE's credentials hold for its ACK (RFC 3261, 22.1).
        for (name, value) in self.credentials_for(line, "ACK", &uri, "", &answered) {
            draft = draft.header(&name.to_string(), &value);
        }
        let Some(ack) = draft.build() else { return };
        let datagram = sipx_sip::Message::Request(ack).to_bytes();
        self.hop_used(flow.remote.ip());
        if let Some(call) = self.calls.get_mut(&key)
            && let Some((before, _)) =
                call.acks.insert(dialog.tag.clone(), (flow, datagram.clone()))
        {
            self.hop_left(before.remote.ip());
        }
        turn.effects.push(Effect::Send { flow, datagram, ticket: None });
    }

    /// Sends BYE into a dialog.
    pub(super) fn bye(&mut self, key: CallKey, dialog: &Dialog, turn: &mut Turn<'_>) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        let flow = Flow { local: call.flow.local, remote: dialog.hop };
        let (cseq, branch) = call.next_number();
        let (line, answered) = (call.line, call.answered.clone());
        let via = self.via(line, flow, &branch);
        let Some(call) = self.calls.get_mut(&key) else { return };
        let (uri, mut draft) = call.within("BYE", dialog, &via, cseq);
        draft = draft.header("User-Agent", &self.config.user_agent);
        for (name, value) in self.credentials_for(line, "BYE", &uri, "", &answered) {
            draft = draft.header(&name.to_string(), &value);
        }
        if let Some(request) = draft.build() {
            self.send(request, flow, Purpose::Parting(key), answered, turn);
        }
    }

    pub(super) fn hang_up(&mut self, key: CallKey, turn: &mut Turn<'_>) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        match call.stage {
            Stage::Calling if call.heard => self.cancel(key, turn),
            // Nothing may be cancelled before a provisional response (RFC 3261, 9.1).
            Stage::Calling => call.unwanted = true,
            Stage::Up => self.part(key, End::by(EndedBy::Us), turn),
            Stage::Cancelling | Stage::Over => {}
        }
    }

    /// BYE and the end of a call that is up.
    pub(super) fn part(&mut self, key: CallKey, end: End, turn: &mut Turn<'_>) {
        if let Some(dialog) = self.calls.get(&key).and_then(|call| call.dialog.clone()) {
            self.bye(key, &dialog, turn);
        }
        self.end(key, end, turn);
    }

    fn cancel(&mut self, key: CallKey, turn: &mut Turn<'_>) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        call.stage = Stage::Cancelling;
        let (cseq, branch) = (call.invite_cseq, call.invite_branch.clone());
        self.timers.arm(turn.now, LIFE, Due::Call(key, CallTimer::CancelOver));
        self.send_cancel(key, cseq, &branch, turn);
    }

    fn send_cancel(&mut self, key: CallKey, cseq: u32, branch: &str, turn: &mut Turn<'_>) {
        let Some(call) = self.calls.get(&key) else { return };
        let flow = call.flow;
        let request = Draft::new("CANCEL", &call.uri)
            .header("Via", &self.via(call.line, flow, branch))
            .header("Max-Forwards", "70")
            .header("From", &call.from)
            .header("To", &call.to)
            .header("Call-ID", &call.id)
            .header("CSeq", &format!("{cseq} CANCEL"))
            .header("User-Agent", &self.config.user_agent)
            .build();
        if let Some(request) = request {
            self.send(request, flow, Purpose::Parting(key), Answered::default(), turn);
        }
    }

    /// Tells the end, once, and waits on for what comes late.
    pub(super) fn end(&mut self, key: CallKey, end: End, turn: &mut Turn<'_>) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        if call.stage == Stage::Over {
            return;
        }
        call.stage = Stage::Over;
        call.accepting = None;
        for timer in [CallTimer::CancelOver, CallTimer::Session, CallTimer::RepeatSuccess] {
            self.timers.disarm(&Due::Call(key, timer));
        }
        self.timers.arm(turn.now, LIFE, Due::Call(key, CallTimer::Forget));
        turn.effects.push(Effect::Call(key, CallFact::Ended(end)));
    }

    pub(super) fn call_timer(&mut self, key: CallKey, timer: CallTimer, turn: &mut Turn<'_>) {
        match timer {
            CallTimer::CancelOver => self.end(key, End::by(EndedBy::Us), turn),
            CallTimer::Forget => self.forget_call(key),
            CallTimer::Session => self.session_due(key, turn),
            CallTimer::RepeatSuccess => self.repeat_success(key, turn),
        }
    }

    fn forget_call(&mut self, key: CallKey) {
        let Some(call) = self.calls.remove(&key) else { return };
        self.by_call_id.remove(&call.id);
        self.hop_left(call.flow.remote.ip());
        for (flow, _) in call.acks.values() {
            self.hop_left(flow.remote.ip());
        }
    }

    /// A response that no transaction of ours waits for: a late 2xx is put right.
    pub(super) fn late_response(&mut self, flow: Flow, response: &Response, turn: &mut Turn<'_>) {
        let is_invite = response
            .headers
            .typed::<sipx_sip::CSeq>()
            .and_then(Result::ok)
            .is_some_and(|cseq| cseq.method == sipx_sip::Method::Invite);
        let key = wire::call_id(&response.headers).and_then(|id| self.by_call_id.get(&id).copied());
        let ours = key.filter(|key| {
            self.calls.get(key).is_some_and(|call| {
                wire::from_tag(&response.headers) == call.from_tag
                    && self.is_party(call, flow.remote)
            })
        });
        match ours {
            Some(key) if is_invite && response.status.is_success() => {
                self.picked_up(key, response, flow.remote, turn);
            }
            _ => turn.effects.push(Effect::Dropped(Dropped::Unasked, flow.remote)),
        }
    }

    /// Whether an address may speak for the far end of a call.
    pub(super) fn is_party(&self, call: &Call, source: SocketAddr) -> bool {
        let ip = source.ip();
        call.flow.remote.ip() == ip
            || call.acks.values().any(|(flow, _)| flow.remote.ip() == ip)
            || self.lines.get(&call.line).is_some_and(|line| line.is_at(ip))
    }

    /// Ends what an earlier process left behind; waits until the line has an address.
    pub(super) fn recover(&mut self, key: CallKey, recovery: Recovery, turn: &mut Turn<'_>) {
        let names = self.names(
            recovery.line,
            &recovery.to,
            recovery.caller_id.as_deref(),
            &recovery.from_tag,
        );
        let Some(names) = names else {
            if let Some(line) = self.lines.get_mut(&recovery.line) {
                line.recoveries.push((key, recovery));
            }
            return;
        };
        if self.calls.contains_key(&key) || self.by_call_id.contains_key(&recovery.call_id) {
            return;
        }
        let Recovery { line, call_id, from_tag, branches, dialog, .. } = recovery;
        let hop = names.flow.remote;
        let mut call = new_call(line, names, call_id, from_tag, branches.clone(), None);
        call.stage = Stage::Over;
        call.requests = RESTARTED;
        call.cseq = dialog.as_ref().map_or(MOST_INVITES, |dialog| dialog.cseq);
        if let Some(saved) = &dialog {
            call.from.clone_from(&saved.local);
        }
        self.keep(key, call);
        self.timers.arm(turn.now, LIFE, Due::Call(key, CallTimer::Forget));
        if let Some(saved) = dialog {
            let dialog = Dialog::restored(&saved, hop);
            self.bye(key, &dialog, turn);
            return;
        }
        // Which of them went out is not known: with credentials there may have been a second one.
        let asked = self.lines.get(&line).is_some_and(|line| line.config.credentials.is_some());
        for n in 1..=(if asked { MOST_INVITES - 1 } else { 1 }) {
            self.send_cancel(key, n, &branches.of(n), turn);
        }
    }
}

fn new_call(
    line: LineKey,
    names: Names,
    call_id: String,
    from_tag: String,
    branches: Branches,
    media: Option<sdp::Local>,
) -> Call {
    Call {
        line,
        flow: names.flow,
        stage: Stage::Calling,
        uri: names.uri,
        from: names.from,
        to: names.to,
        contact: names.contact,
        id: call_id,
        from_tag,
        branches,
        requests: 0,
        cseq: 0,
        invite: None,
        invite_cseq: 1,
        invite_branch: String::new(),
        heard: false,
        unwanted: false,
        answered: Answered::default(),
        media,
        versions: 0,
        description: String::new(),
        early: None,
        remote: None,
        dialog: None,
        acks: BTreeMap::new(),
        remote_cseq: None,
        session: None,
        accepting: None,
        refreshing: false,
    }
}
