//! What a rule would do with one contact: the same judgements, run ahead.

use base::{PhoneNumber, Timestamp};
use calendar::Zone;
use call::Outcome;

use crate::{
    ContactState, Ending, History, LineSign, Next, Refusal, Rules, Speed, after, gate::under_caps,
};

/// Moves of a start because of caps, at most; more mean that the caps never let go.
const MOST_MOVES: usize = 100;
/// Attempts of one contact, at most: those that do not count have no end of their own.
const MOST_ATTEMPTS: usize = 100;

/// One attempt that would be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// When.
    pub at: Timestamp,
    /// On which of the contact's numbers, from 0.
    pub number: usize,
    /// How it would end.
    pub outcome: Outcome,
    /// The cap of the number that moved it to later, if one did.
    pub moved: Option<Refusal>,
}

/// Every attempt on one contact, and how that ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// In order.
    pub attempts: Vec<Tried>,
    /// What the contact is in the end; callable when it can never be called (again).
    pub ends: ContactState,
}

/// What would be done with a contact that becomes due at `start` and whose attempts end one after
/// the other as `outcomes` say, the last of these again and again. Without outcomes or numbers
/// nothing is done.
pub fn preview(
    rules: &Rules,
    numbers: &[PhoneNumber],
    zone: Option<&Zone>,
    start: Timestamp,
    outcomes: &[Outcome],
) -> Preview {
    let mut done = Preview { attempts: Vec::new(), ends: ContactState::Callable };
    let (mut due, mut number, mut dead) = (start, 0, vec![false; numbers.len()]);
    let mut history = History { attempts: 0, interrupted: false, other_number: false, zone: None };
    while done.attempts.len() < MOST_ATTEMPTS
        && let Some(phone) = numbers.get(number)
    {
        let Some((at, moved)) = first_chance(rules, phone, zone, due, number, &done.attempts)
        else {
            return done;
        };
        let Some(outcome) = outcomes.get(done.attempts.len()).or(outcomes.last()).copied() else {
            return done;
        };
        let next_number = next_of(number, &dead);
        history.other_number = next_number.is_some();
        history.zone = zone.cloned();
        let verdict =
            after(&ending(rules, at, outcome), rules, &history, phone, false, Speed::Real);
        history.attempts += u32::from(verdict.spent);
        history.interrupted = verdict.outcome == Outcome::Interrupted;
        done.attempts.push(Tried { at, number, outcome: verdict.outcome, moved });
        if verdict.outcome == Outcome::InvalidNumber {
            dead[number] = true;
        }
        match verdict.next {
            Next::Done { state } => {
                done.ends = state;
                return done;
            }
            Next::Retry { at, other_number } => {
                due = at;
                number = next_number.filter(|_| other_number).unwrap_or(number);
            }
        }
    }
    done
}

/// The next number in a circle that is not known to be none.
fn next_of(number: usize, dead: &[bool]) -> Option<usize> {
    let count = dead.len();
    (1..count).map(|step| (number + step) % count).find(|other| !dead[*other])
}

/// When the number may first be called from `due` on, and the cap that stood in the way.
fn first_chance(
    rules: &Rules,
    phone: &PhoneNumber,
    zone: Option<&Zone>,
    due: Timestamp,
    number: usize,
    attempts: &[Tried],
) -> Option<(Timestamp, Option<Refusal>)> {
    let window = rules.window_of(phone, zone);
    let calls: Vec<_> = attempts
        .iter()
        .rev()
        .filter(|tried| tried.number == number)
        .map(|tried| tried.at)
        .collect();
    let (mut at, mut moved) = (due, None);
    for _ in 0..MOST_MOVES {
        at = window.next_open(at)?;
        let Err(refusal) = under_caps(&calls, at, rules.caps) else { return Some((at, moved)) };
        at = match &refusal {
            Refusal::DayCap { until, .. } | Refusal::WeekCap { until, .. } => (*until)?,
            Refusal::DoNotCall
            | Refusal::DemoNumber
            | Refusal::RealNumber
            | Refusal::Shut { .. }
            | Refusal::NotWaiting
            | Refusal::AttemptsSpent => return None,
        };
        moved = Some(refusal);
    }
    None
}

/// A call that ends so, as soon as one of its sort does.
fn ending(rules: &Rules, at: Timestamp, outcome: Outcome) -> Ending {
    let (answered_at, over) = match outcome {
        Outcome::Success => (Some(at), at.plus(rules.min_talk)),
        Outcome::ShortTalk | Outcome::Machine | Outcome::AbandonedNoAgent => (Some(at), at),
        Outcome::NoAnswer => (None, at.plus(rules.ring)),
        Outcome::Busy
        | Outcome::Rejected
        | Outcome::Failed
        | Outcome::InvalidNumber
        | Outcome::Cancelled
        | Outcome::Interrupted => (None, at),
    };
    Ending { at: over, invited: true, answered_at, outcome, line: LineSign::Alive }
}
