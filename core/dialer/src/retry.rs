//! What becomes of a contact after an attempt.

use std::time::Duration;

use base::{Id, PhoneNumber, Timestamp, kind::Attempt};
use calendar::Zone;
use call::Outcome;
use serde::{Deserialize, Serialize};

use crate::{ContactState, Rules, Speed};

/// How soon a call that met a full network is tried again.
pub const CONGESTION_DELAY: Duration = Duration::from_mins(1);
/// How soon a call that was never sent is tried again: not at once, so that a lasting hindrance
/// does not spin.
pub const UNSENT_DELAY: Duration = Duration::from_secs(10);

/// How a call ended, as far as the dialler cares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// When.
    pub at: Timestamp,
    /// Whether an INVITE ever left.
    pub invited: bool,
    /// When the callee picked up.
    pub answered_at: Option<Timestamp>,
    /// What the wire said; for an answered call the talk time decides instead.
    pub outcome: Outcome,
    /// What it says about the line.
    pub line: LineSign,
}

impl Ending {
    /// What the end of a call says to the dialler.
    pub fn of(end: &call::End) -> Self {
        let pause = end.cause.line_pause();
        let line = if end.cause.is_line_fault() || pause.is_some() {
            LineSign::Fault { retry_after: pause }
        } else if end.cause.is_congestion() {
            LineSign::Congested
        } else if end.answered_at.is_some() || end.cause.sip.is_some() {
            LineSign::Alive
        } else {
            LineSign::Silent
        };
        Self {
            at: end.at,
            invited: end.invited,
            answered_at: end.answered_at,
            outcome: call::outcome(end, Duration::ZERO),
            line,
        }
    }
}

/// What an ending says about the line that the call went out on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineSign {
    /// The far end spoke: the line carries calls.
    Alive,
    /// Nothing: the call was never sent, or ended by ourselves before the far end spoke.
    Silent,
    /// The network behind it is full: it carries calls, this one came too soon.
    Congested,
    /// A transport failure, a time-out or a 5xx.
    Fault {
        /// For how long the far end asked to be left alone (503 with Retry-After).
        retry_after: Option<Duration>,
    },
}

/// What was known about the contact when the attempt was claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// Attempts spent before this one.
    pub attempts: u32,
    /// Whether the attempt before this one was interrupted.
    pub interrupted: bool,
    /// Whether the contact has another number that is not known to be none.
    pub other_number: bool,
    /// Its own zone.
    pub zone: Option<Zone>,
}

/// What becomes of the contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "next", rename_all = "snake_case")]
pub enum Next {
    /// It is called again, not before `at`.
    Retry {
        /// When.
        at: Timestamp,
        /// On its next number instead of the same.
        other_number: bool,
    },
    /// It is done.
    Done {
        /// Its state from now on.
        state: ContactState,
    },
}

/// The dialler's judgement of one ended attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The outcome, minimum talk considered.
    pub outcome: Outcome,
    /// Whether the attempt counts against the contact's attempts.
    pub spent: bool,
    /// What becomes of the contact.
    pub next: Next,
}

/// The outcome of an ended call: an answered one succeeds by talk time (ALO-03: at least the
/// minimum), unless something more telling happened.
pub fn outcome_of(ending: &Ending, min_talk: Duration) -> Outcome {
    match (ending.answered_at, ending.outcome) {
        (Some(answered), Outcome::Success | Outcome::ShortTalk) => {
            if ending.at.since(answered) >= min_talk {
                Outcome::Success
            } else {
                Outcome::ShortTalk
            }
        }
        (_, outcome) => outcome,
    }
}

/// Judges an attempt. `excused` says that it must not count: the line was dead, or we withdrew the
/// call ourselves. `speed` is the line's: it divides the delays.
///
/// A pure function of its inputs: the run-time, the recovery and the simulated world share it.
pub fn after(
    ending: &Ending,
    rules: &Rules,
    history: &History,
    number: &PhoneNumber,
    excused: bool,
    speed: Speed,
) -> Verdict {
    let outcome = outcome_of(ending, rules.min_talk);
    let answered = ending.answered_at.is_some();
    let spent = !excused
        && match outcome {
            Outcome::Cancelled => false,
            Outcome::Interrupted => answered,
            Outcome::Success
            | Outcome::ShortTalk
            | Outcome::NoAnswer
            | Outcome::Busy
            | Outcome::Rejected
            | Outcome::Failed
            | Outcome::InvalidNumber
            | Outcome::Machine
            | Outcome::AbandonedNoAgent => ending.invited,
        };
    let attempts = history.attempts + u32::from(spent);
    let next = match delay(outcome, ending, rules, history) {
        Wish::Done(state) => Next::Done { state },
        Wish::OtherNumber if attempts < rules.max_attempts => {
            Next::Retry { at: opening(rules, history, number, ending.at), other_number: true }
        }
        Wish::Again(delay) if attempts < rules.max_attempts => {
            let at = opening(rules, history, number, ending.at.plus(speed.hasten(delay)));
            // A call that never left says nothing about the number.
            let other_number = rules.every_number && history.other_number && spent;
            Next::Retry { at, other_number }
        }
        Wish::Again(_) | Wish::OtherNumber => Next::Done { state: ContactState::Attempted },
    };
    Verdict { outcome, spent, next }
}

enum Wish {
    Again(Duration),
    OtherNumber,
    Done(ContactState),
}

fn delay(outcome: Outcome, ending: &Ending, rules: &Rules, history: &History) -> Wish {
    let delays = rules.delays;
    match outcome {
        Outcome::Success => Wish::Done(ContactState::Success),
        Outcome::Rejected => Wish::Done(ContactState::NotSuccess),
        Outcome::InvalidNumber if history.other_number => Wish::OtherNumber,
        Outcome::InvalidNumber => Wish::Done(ContactState::InvalidNumber),
        Outcome::ShortTalk if !rules.retry_short_talk => Wish::Done(ContactState::NotSuccess),
        Outcome::ShortTalk => Wish::Again(delays.short_talk),
        Outcome::NoAnswer => Wish::Again(delays.no_answer),
        Outcome::Busy => Wish::Again(delays.busy),
        Outcome::Machine => Wish::Again(delays.machine),
        Outcome::Failed => match ending.line {
            LineSign::Congested => Wish::Again(CONGESTION_DELAY.min(delays.failed)),
            LineSign::Fault { retry_after: Some(wait) } => Wish::Again(wait.min(delays.failed)),
            LineSign::Fault { retry_after: None } | LineSign::Alive | LineSign::Silent => {
                Wish::Again(if ending.invited { delays.failed } else { UNSENT_DELAY })
            }
        },
        Outcome::AbandonedNoAgent => Wish::Again(delays.failed),
        // The phone may have rung: then it is left in peace as after a failure.
        Outcome::Cancelled if ending.invited => Wish::Again(delays.failed),
        Outcome::Cancelled => Wish::Again(UNSENT_DELAY),
        // Once is bad luck and tried again at once; twice in a row, or after an answer, waits.
        Outcome::Interrupted if history.interrupted || ending.answered_at.is_some() => {
            Wish::Again(delays.failed)
        }
        Outcome::Interrupted => Wish::Again(Duration::ZERO),
    }
}

/// The first moment from `at` on within the contact's window; `at` itself when it never opens, so
/// that the reason is found and shown when it is due.
fn opening(rules: &Rules, history: &History, number: &PhoneNumber, at: Timestamp) -> Timestamp {
    rules.window_of(number, history.zone.as_ref()).next_open(at).unwrap_or(at)
}

/// An attempt of another process that no longer lives, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// The attempt.
    pub attempt: Id<Attempt>,
    /// The number.
    pub phone: PhoneNumber,
    /// When the INVITE was known to have left.
    pub invited_at: Option<Timestamp>,
    /// When it was answered.
    pub answered_at: Option<Timestamp>,
    /// About the contact; `None` for a test call.
    pub history: Option<History>,
}

/// Judges an attempt that its process left open: interrupted. The phone may have rung even when
/// `invited_at` is unknown, so it counts against the caps per number all the same.
pub fn interrupted(
    unfinished: &Unfinished,
    rules: &Rules,
    now: Timestamp,
    speed: Speed,
) -> Verdict {
    let ending = Ending {
        at: now,
        invited: unfinished.invited_at.is_some(),
        answered_at: unfinished.answered_at,
        outcome: Outcome::Interrupted,
        line: LineSign::Silent,
    };
    let none = History { attempts: 0, interrupted: false, other_number: false, zone: None };
    let history = unfinished.history.as_ref().unwrap_or(&none);
    after(&ending, rules, history, &unfinished.phone, false, speed)
}

#[cfg(test)]
mod tests {
    use calendar::{Period, WeeklyHours};
    use call::OnAnswer;

    use super::*;
    use crate::{Caps, Delays};

    /// Friday 2026-11-20 08:00 UTC.
    const NOW: Timestamp = Timestamp::from_seconds(1_795_161_600);

    fn rules() -> Rules {
        Rules {
            version: 1,
            line: Id::from_raw(1),
            on_answer: OnAnswer::Audio { audio: Id::from_raw(1) },
            zone: Zone::utc(),
            by_contact_zone: false,
            hours: WeeklyHours::always().into(),
            batch: None,
            every_number: false,
            period: Period::default(),
            max_attempts: 3,
            concurrency: 5,
            rate: None,
            ring: Duration::from_secs(30),
            min_talk: Duration::from_secs(10),
            delays: Delays::default(),
            retry_short_talk: true,
            caps: Caps::default(),
            record: false,
            priority: 0,
            always_active: false,
        }
    }

    fn history(attempts: u32) -> History {
        History { attempts, interrupted: false, other_number: false, zone: None }
    }

    fn ending(outcome: Outcome) -> Ending {
        Ending { at: NOW, invited: true, answered_at: None, outcome, line: LineSign::Alive }
    }

    fn talk(seconds: u64) -> Ending {
        let answered_at = Some(NOW.minus(Duration::from_secs(seconds)));
        Ending { answered_at, ..ending(Outcome::Success) }
    }

    fn judge(ending: &Ending, rules: &Rules, history: &History) -> Verdict {
        after(ending, rules, history, &"+380931234567".parse().unwrap(), false, Speed::Real)
    }

    fn done(state: ContactState) -> Next {
        Next::Done { state }
    }

    fn again(delay: Duration) -> Next {
        Next::Retry { at: NOW.plus(delay), other_number: false }
    }

    #[test]
    fn the_demo_carrier_hastens_delays() {
        let number = "+99900000001".parse().unwrap();
        let busy = |speed| {
            after(&ending(Outcome::Busy), &rules(), &history(0), &number, false, speed).next
        };
        let at = |delay: Duration| Next::Retry { at: NOW.plus(delay), other_number: false };
        assert_eq!(busy(Speed::Real), at(Duration::from_mins(10)));
        assert_eq!(busy(Speed::SixtyTimes), at(Duration::from_secs(10)));
    }

    #[test]
    fn alo_03_ten_seconds_of_talk_are_a_success_and_nine_are_not() {
        let short = judge(&talk(9), &rules(), &history(0));
        assert_eq!(short.outcome, Outcome::ShortTalk);
        assert_eq!(short.next, again(Delays::default().short_talk));
        let off = Rules { retry_short_talk: false, ..rules() };
        assert_eq!(judge(&talk(9), &off, &history(0)).next, done(ContactState::NotSuccess));
        let enough = judge(&talk(10), &rules(), &history(0));
        assert_eq!(enough.outcome, Outcome::Success);
        assert_eq!(enough.next, done(ContactState::Success));
        let any = Rules { min_talk: Duration::ZERO, ..rules() };
        assert_eq!(judge(&talk(0), &any, &history(0)).outcome, Outcome::Success);
    }

    #[test]
    fn alo_03_attempts_are_a_total_with_the_first() {
        let busy = ending(Outcome::Busy);
        assert_eq!(judge(&busy, &rules(), &history(0)).next, again(Delays::default().busy));
        assert_eq!(judge(&busy, &rules(), &history(1)).next, again(Delays::default().busy));
        assert_eq!(judge(&busy, &rules(), &history(2)).next, done(ContactState::Attempted));
        let once = Rules { max_attempts: 1, ..rules() };
        assert_eq!(judge(&busy, &once, &history(0)).next, done(ContactState::Attempted));
    }

    #[test]
    fn each_outcome_has_its_delay_and_two_have_none() {
        let delays = Delays::default();
        for (outcome, next) in [
            (Outcome::NoAnswer, again(delays.no_answer)),
            (Outcome::Failed, again(delays.failed)),
            (Outcome::Machine, again(delays.machine)),
            (Outcome::Rejected, done(ContactState::NotSuccess)),
            (Outcome::InvalidNumber, done(ContactState::InvalidNumber)),
        ] {
            let verdict = judge(&ending(outcome), &rules(), &history(0));
            assert_eq!((verdict.next, verdict.spent), (next, true), "{outcome:?}");
        }
    }

    #[test]
    fn a_full_network_is_tried_again_soon_and_a_tired_line_when_it_asks() {
        let congested = Ending { line: LineSign::Congested, ..ending(Outcome::Failed) };
        assert_eq!(judge(&congested, &rules(), &history(0)).next, again(CONGESTION_DELAY));
        let wait = Duration::from_secs(7);
        let line = LineSign::Fault { retry_after: Some(wait) };
        let tired = Ending { line, ..ending(Outcome::Failed) };
        assert_eq!(judge(&tired, &rules(), &history(0)).next, again(wait));
    }

    #[test]
    fn what_was_never_sent_or_was_excused_is_not_spent() {
        let unsent = Ending { invited: false, ..ending(Outcome::Cancelled) };
        let verdict = judge(&unsent, &rules(), &history(2));
        assert_eq!((verdict.spent, verdict.next), (false, again(UNSENT_DELAY)));
        let number = "+380931234567".parse().unwrap();
        let excused =
            after(&ending(Outcome::Failed), &rules(), &history(2), &number, true, Speed::Real);
        assert_eq!((excused.spent, excused.next), (false, again(Delays::default().failed)));
    }

    #[test]
    fn an_interruption_counts_when_it_was_answered_and_two_in_a_row_wait() {
        let unfinished = |answered: bool, before: bool| Unfinished {
            attempt: Id::from_raw(1),
            phone: "+380931234567".parse().unwrap(),
            invited_at: None,
            answered_at: answered.then_some(NOW),
            history: Some(History { interrupted: before, ..history(0) }),
        };
        let verdict = |answered, before| {
            interrupted(&unfinished(answered, before), &rules(), NOW, Speed::Real)
        };
        let failed = again(Delays::default().failed);
        assert_eq!(
            (verdict(false, false).spent, verdict(false, false).next),
            (false, again(Duration::ZERO))
        );
        assert_eq!((verdict(false, true).spent, verdict(false, true).next), (false, failed));
        assert_eq!((verdict(true, false).spent, verdict(true, false).next), (true, failed));
    }

    #[test]
    fn a_wrong_number_is_followed_by_the_next_one() {
        let more = History { other_number: true, ..history(0) };
        let verdict = judge(&ending(Outcome::InvalidNumber), &rules(), &more);
        assert_eq!(verdict.next, Next::Retry { at: NOW, other_number: true });
    }

    #[test]
    fn the_next_attempt_lies_within_the_hours() {
        let usual = Rules { hours: WeeklyHours::usual().into(), ..rules() };
        // Friday 19:30 and two hours more is Saturday at ten.
        let late = NOW.plus(Duration::from_mins(11 * 60 + 30));
        let verdict = judge(&Ending { at: late, ..ending(Outcome::NoAnswer) }, &usual, &history(0));
        let saturday = NOW.plus(Duration::from_hours(26));
        assert_eq!(verdict.next, Next::Retry { at: saturday, other_number: false });
    }

    #[test]
    fn the_end_of_a_call_tells_of_the_line() {
        let end = |sip, q850, local| call::End {
            at: NOW,
            invited: true,
            answered_at: None,
            by: call::EndedBy::Callee,
            cause: call::Cause { sip, q850, local, ..call::Cause::default() },
            recording: None,
            rtp: None,
        };
        let sign = |sip, q850, local| Ending::of(&end(sip, q850, local)).line;
        assert_eq!(sign(Some(486), None, None), LineSign::Alive);
        assert_eq!(sign(Some(503), Some(34), None), LineSign::Congested);
        assert_eq!(sign(Some(500), None, None), LineSign::Fault { retry_after: None });
        let timed_out = Some(call::LocalCause::TimedOut);
        assert_eq!(sign(None, None, timed_out), LineSign::Fault { retry_after: None });
        assert_eq!(sign(None, None, Some(call::LocalCause::Withdrawn)), LineSign::Silent);
    }
}
