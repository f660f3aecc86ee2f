//! What the far end's last word makes of an attempt: one table.

use std::{ops::RangeInclusive, time::Duration};

use crate::{Cause, End, LocalCause, Outcome};

/// What a Q.850 cause says about a call that was not answered; causes without a row leave the
/// word to the SIP status.
const Q850: &[(&[u8], Outcome)] = &[
    (&[17], Outcome::Busy),
    (&[18, 19], Outcome::NoAnswer),
    (&[21], Outcome::Rejected),
    (&[1, 3, 22, 28], Outcome::InvalidNumber),
    (CONGESTION, Outcome::Failed),
];

/// Q.850 causes of a network that is full: no circuit, out of order, temporary failure,
/// congestion, channel not available, resource unavailable.
const CONGESTION: &[u8] = &[34, 38, 41, 42, 44, 47];

/// What a final status says; the first row that holds it counts.
const SIP: &[(RangeInclusive<u16>, Outcome)] = &[
    (486..=486, Outcome::Busy),
    (600..=600, Outcome::Busy),
    (408..=408, Outcome::NoAnswer),
    (480..=480, Outcome::NoAnswer),
    (403..=403, Outcome::Rejected),
    (603..=603, Outcome::Rejected),
    (607..=608, Outcome::Rejected),
    (404..=404, Outcome::InvalidNumber),
    (410..=410, Outcome::InvalidNumber),
    (484..=485, Outcome::InvalidNumber),
    (604..=604, Outcome::InvalidNumber),
    // Redirections are never followed; 401 and 407 arrive here only after credentials.
    (300..=699, Outcome::Failed),
];

impl LocalCause {
    /// What an end of our own making is when the far end says nothing more telling.
    const fn outcome(self) -> Outcome {
        match self {
            Self::RingTimeOver => Outcome::NoAnswer,
            Self::TimedOut | Self::Transport | Self::NoResource => Outcome::Failed,
            Self::Withdrawn => Outcome::Cancelled,
        }
    }
}

impl Cause {
    /// The outcome of a call that was not answered.
    ///
    /// After our own CANCEL a 487, or no answer to it, tells nothing: our reason counts, and so it
    /// does against 408 and 480 that crossed the CANCEL. Otherwise the Q.850 cause refines the
    /// status, and the status stands before what happened on our side.
    pub fn outcome(&self) -> Outcome {
        let ours = self.local.map(LocalCause::outcome);
        let cancelled =
            matches!(self.local, Some(LocalCause::RingTimeOver | LocalCause::Withdrawn));
        if let (true, Some(ours), None | Some(487)) = (cancelled, ours, self.sip) {
            return ours;
        }
        if let Some(refined) = self.q850.and_then(|cause| row(Q850, |row| row.contains(&cause))) {
            return refined;
        }
        match (ours, self.sip) {
            (Some(ours), Some(408 | 480)) if cancelled => ours,
            (_, Some(status)) => row(SIP, |row| row.contains(&status)).unwrap_or(Outcome::Failed),
            (Some(ours), None) => ours,
            (None, None) => Outcome::Failed,
        }
    }

    /// Whether the network behind the line was full: failed, but worth another try soon.
    pub fn is_congestion(&self) -> bool {
        self.q850.is_some_and(|cause| CONGESTION.contains(&cause))
            && self.outcome() == Outcome::Failed
    }

    /// Whether the line itself failed: a transport failure, a time-out, or a 5xx that no Q.850
    /// cause lays on the callee or on a full network. Several in a row make a dead line.
    pub fn is_line_fault(&self) -> bool {
        let broken = match self.sip {
            Some(status) => (500..=599).contains(&status),
            None => matches!(self.local, Some(LocalCause::TimedOut | LocalCause::Transport)),
        };
        broken && self.outcome() == Outcome::Failed && !self.is_congestion()
    }

    /// For how long no call may leave on the line: a 503 with `Retry-After`.
    pub fn line_pause(&self) -> Option<Duration> {
        self.retry_after.filter(|_| self.sip == Some(503))
    }
}

/// The outcome of an ended call.
///
/// One that never left is `cancelled`. An answered one succeeds when it was talked for at least
/// `min_talk`, and failed when we had nothing to say to the callee. For the others the last word
/// counts ([`Cause::outcome`]).
pub fn outcome(end: &End, min_talk: Duration) -> Outcome {
    if !end.invited {
        return Outcome::Cancelled;
    }
    match end.answered_at {
        Some(_) if end.cause.local == Some(LocalCause::NoResource) => Outcome::Failed,
        Some(answered) if end.at.since(answered) >= min_talk => Outcome::Success,
        Some(_) => Outcome::ShortTalk,
        None => end.cause.outcome(),
    }
}

fn row<K>(table: &[(K, Outcome)], holds: impl Fn(&K) -> bool) -> Option<Outcome> {
    table.iter().find(|(key, _)| holds(key)).map(|(_, outcome)| *outcome)
}

#[cfg(test)]
mod tests {
    use base::Timestamp;

    use super::*;
    use crate::EndedBy;

    fn sip(status: u16) -> Cause {
        Cause { sip: Some(status), ..Cause::default() }
    }

    fn local(cause: LocalCause) -> Cause {
        Cause { local: Some(cause), ..Cause::default() }
    }

    #[test]
    fn every_status_has_its_row() {
        let rows: &[(&[u16], Outcome)] = &[
            (&[486, 600], Outcome::Busy),
            (&[408, 480], Outcome::NoAnswer),
            (&[403, 603, 607, 608], Outcome::Rejected),
            (&[404, 410, 484, 485, 604], Outcome::InvalidNumber),
        ];
        for status in 300..700 {
            let wanted = rows
                .iter()
                .find(|(statuses, _)| statuses.contains(&status))
                .map_or(Outcome::Failed, |(_, outcome)| *outcome);
            assert_eq!(sip(status).outcome(), wanted, "{status}");
        }
    }

    #[test]
    fn every_q850_cause_refines_a_status_that_says_little() {
        let rows: &[(&[u8], Outcome)] = &[
            (&[17], Outcome::Busy),
            (&[18, 19], Outcome::NoAnswer),
            (&[21], Outcome::Rejected),
            (&[1, 3, 22, 28], Outcome::InvalidNumber),
        ];
        for cause in 1..=127 {
            let wanted = rows
                .iter()
                .find(|(causes, _)| causes.contains(&cause))
                .map_or(Outcome::Failed, |(_, outcome)| *outcome);
            for status in [503, 500, 302] {
                let heard = Cause { q850: Some(cause), ..sip(status) };
                assert_eq!(heard.outcome(), wanted, "{status} with Q.850 {cause}");
            }
        }
    }

    #[test]
    fn a_q850_cause_without_a_row_leaves_the_status_its_word() {
        assert_eq!(Cause { q850: Some(16), ..sip(486) }.outcome(), Outcome::Busy);
        assert_eq!(Cause { q850: Some(127), ..sip(404) }.outcome(), Outcome::InvalidNumber);
    }

    #[test]
    fn a_full_network_is_congestion_and_no_line_fault() {
        for cause in 1..=127 {
            let heard = Cause { q850: Some(cause), ..sip(503) };
            assert_eq!(heard.is_congestion(), [34, 38, 41, 42, 44, 47].contains(&cause), "{cause}");
            assert!(!(heard.is_congestion() && heard.is_line_fault()), "{cause}");
        }
        assert!(!sip(503).is_congestion());
    }

    #[test]
    fn ring_time_over_is_no_answer_unless_the_callee_said_otherwise() {
        let rung_out = |sip| Cause { sip, ..local(LocalCause::RingTimeOver) };
        for heard in [None, Some(487), Some(408), Some(480)] {
            assert_eq!(rung_out(heard).outcome(), Outcome::NoAnswer, "{heard:?}");
        }
        assert_eq!(rung_out(Some(486)).outcome(), Outcome::Busy);
        assert_eq!(rung_out(Some(603)).outcome(), Outcome::Rejected);
        let reasoned = Cause { q850: Some(21), ..rung_out(Some(487)) };
        assert_eq!(reasoned.outcome(), Outcome::NoAnswer, "a 487 only answers our CANCEL");
        assert_eq!(sip(487).outcome(), Outcome::Failed, "a 487 that we did not ask for");
    }

    #[test]
    fn ends_of_our_own_have_their_rows() {
        assert_eq!(local(LocalCause::TimedOut).outcome(), Outcome::Failed);
        assert_eq!(local(LocalCause::Transport).outcome(), Outcome::Failed);
        assert_eq!(local(LocalCause::NoResource).outcome(), Outcome::Failed);
        assert_eq!(local(LocalCause::Withdrawn).outcome(), Outcome::Cancelled);
        let crossed = Cause { sip: Some(486), ..local(LocalCause::Withdrawn) };
        assert_eq!(crossed.outcome(), Outcome::Busy);
        assert_eq!(Cause::default().outcome(), Outcome::Failed);
    }

    #[test]
    fn line_faults_are_transport_failures_time_outs_and_5xx() {
        for broken in
            [sip(500), sip(503), local(LocalCause::TimedOut), local(LocalCause::Transport)]
        {
            assert!(broken.is_line_fault(), "{broken:?}");
        }
        for alive in [
            sip(404),
            sip(486),
            sip(603),
            Cause { q850: Some(17), ..sip(503) },
            local(LocalCause::RingTimeOver),
            local(LocalCause::Withdrawn),
            local(LocalCause::NoResource),
        ] {
            assert!(!alive.is_line_fault(), "{alive:?}");
        }
    }

    #[test]
    fn only_a_503_pauses_the_line() {
        let wait = Some(Duration::from_secs(30));
        assert_eq!(Cause { retry_after: wait, ..sip(503) }.line_pause(), wait);
        assert_eq!(Cause { retry_after: wait, ..sip(486) }.line_pause(), None);
        assert_eq!(sip(503).line_pause(), None);
    }

    fn end(invited: bool, talk: Option<Duration>, cause: Cause) -> End {
        let at = Timestamp::from_seconds(1_800_000_000);
        End {
            at,
            invited,
            answered_at: talk.map(|talk| at.minus(talk)),
            by: EndedBy::Us,
            cause,
            recording: None,
            rtp: None,
        }
    }

    #[test]
    fn an_answered_call_succeeds_by_its_talk_time() {
        let min = Duration::from_secs(5);
        let talked = |talk| outcome(&end(true, Some(talk), Cause::default()), min);
        assert_eq!(talked(Duration::from_secs(5)), Outcome::Success);
        assert_eq!(talked(Duration::from_micros(4_999_999)), Outcome::ShortTalk);
        let mute = end(true, Some(min), local(LocalCause::NoResource));
        assert_eq!(outcome(&mute, Duration::ZERO), Outcome::Failed);
    }

    #[test]
    fn a_call_that_never_left_is_cancelled_whatever_hindered_it() {
        for cause in [local(LocalCause::Transport), local(LocalCause::NoResource), Cause::default()]
        {
            assert_eq!(outcome(&end(false, None, cause), Duration::ZERO), Outcome::Cancelled);
        }
        assert_eq!(outcome(&end(true, None, sip(486)), Duration::ZERO), Outcome::Busy);
    }
}
