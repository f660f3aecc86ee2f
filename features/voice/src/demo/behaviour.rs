//! What the phones of the demo carrier do: told by the last two digits of the number.

use std::time::Duration;

use base::{Dice, PhoneNumber};
use call::Outcome;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::sounds::Sound;

/// What a demo phone does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Behaviour {
    /// Answers after 3 s, says hello and listens.
    Listens,
    /// Is busy.
    Busy,
    /// Rings until the caller gives up.
    NoAnswer,
    /// Declines the call.
    Rejects,
    /// Is an answering machine: a greeting, a beep, then silence.
    Machine,
    /// Answers and hangs up after 4 s.
    HangsUp,
    /// Presses 1.
    PressesOne,
    /// Presses 2.
    PressesTwo,
    /// Says yes.
    SaysYes,
    /// Says no.
    SaysNo,
    /// Talks and talks.
    TalksLong,
    /// Answers and says nothing.
    Silent,
    /// Does not exist.
    Invalid,
    /// Cannot be reached: the network is full.
    Congested,
    /// Answers and asks for an operator.
    AsksOperator,
}

/// Those with two digits of their own, in the order of these digits from 00 on.
pub(crate) const FIXED: [Behaviour; 15] = [
    Behaviour::Listens,
    Behaviour::Busy,
    Behaviour::NoAnswer,
    Behaviour::Rejects,
    Behaviour::Machine,
    Behaviour::HangsUp,
    Behaviour::PressesOne,
    Behaviour::PressesTwo,
    Behaviour::SaysYes,
    Behaviour::SaysNo,
    Behaviour::TalksLong,
    Behaviour::Silent,
    Behaviour::Invalid,
    Behaviour::Congested,
    Behaviour::AsksOperator,
];

/// Endings drawn by the seed alone, the same for every number that ends in them.
pub(crate) const DRAWN: std::ops::RangeInclusive<u8> = 20..=29;

/// How 100 phones behave where the digits do not say it: 55 are answered.
const MIX: [(u64, Behaviour); 10] = [
    (38, Behaviour::Listens),
    (7, Behaviour::SaysYes),
    (4, Behaviour::SaysNo),
    (4, Behaviour::HangsUp),
    (2, Behaviour::AsksOperator),
    (20, Behaviour::NoAnswer),
    (12, Behaviour::Busy),
    (5, Behaviour::Rejects),
    (4, Behaviour::Machine),
    (4, Behaviour::Invalid),
];

/// One thing that a demo phone does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Lets time of the carrier pass, which its speed divides.
    Wait(Duration),
    /// Rings.
    Ring,
    /// Refuses with a status and a cause of Q.850.
    Refuse(u16, Option<u8>),
    /// Picks up, and goes on when the caller has acknowledged.
    Answer,
    /// Lets real time pass.
    Pause(Duration),
    /// Says something, and goes on when it is said.
    Say(Sound),
    /// Hangs up.
    HangUp,
}

impl Behaviour {
    /// What `number` does on a line with `seed`.
    pub(crate) fn of(number: &PhoneNumber, seed: u32) -> Self {
        let digits = number.digits();
        let ending = digits.get(digits.len().saturating_sub(2)..).and_then(|two| two.parse().ok());
        match ending {
            Some(ending) => Self::of_ending(ending, seed).unwrap_or_else(|| {
                let whole: u64 = digits.parse().unwrap_or_default();
                draw(&mut Dice::new(whole ^ (u64::from(seed) << 32)))
            }),
            None => Self::Invalid,
        }
    }

    /// What every number does that ends in these two digits; `None` when the rest of the number
    /// decides.
    pub(crate) fn of_ending(ending: u8, seed: u32) -> Option<Self> {
        if DRAWN.contains(&ending) {
            return Some(draw(&mut Dice::new(u64::from(seed) * 100 + u64::from(ending))));
        }
        FIXED.get(usize::from(ending)).copied()
    }

    /// What it does when it is called.
    pub(crate) fn script(self) -> &'static [Step] {
        use Step::{Answer, HangUp, Pause, Refuse, Ring, Say, Wait};
        const SOON: Step = Wait(Duration::from_millis(600));
        const RINGS: Step = Wait(Duration::from_secs(3));
        // With the hello before it: four seconds in all.
        const REST: Step = Pause(Duration::from_millis(3_350));
        const MOMENT: Step = Pause(Duration::from_millis(700));
        match self {
            Self::Listens => &[SOON, Ring, RINGS, Answer, MOMENT, Say(Sound::Hello)],
            Self::Busy => &[SOON, Refuse(486, Some(17))],
            Self::NoAnswer => &[SOON, Ring],
            Self::Rejects => &[SOON, Ring, RINGS, Refuse(603, Some(21))],
            Self::Machine => &[SOON, Ring, RINGS, Answer, Say(Sound::Greeting), Say(Sound::Beep)],
            Self::HangsUp => &[SOON, Ring, RINGS, Answer, Say(Sound::Hello), REST, HangUp],
            Self::PressesOne => {
                &[SOON, Ring, RINGS, Answer, MOMENT, Say(Sound::Hello), MOMENT, Say(Sound::KeyOne)]
            }
            Self::PressesTwo => {
                &[SOON, Ring, RINGS, Answer, MOMENT, Say(Sound::Hello), MOMENT, Say(Sound::KeyTwo)]
            }
            Self::SaysYes => {
                &[SOON, Ring, RINGS, Answer, MOMENT, Say(Sound::Hello), MOMENT, Say(Sound::Yes)]
            }
            Self::SaysNo => {
                &[SOON, Ring, RINGS, Answer, MOMENT, Say(Sound::Hello), MOMENT, Say(Sound::No)]
            }
            Self::TalksLong => &[SOON, Ring, RINGS, Answer, MOMENT, Say(Sound::LongTalk)],
            Self::Silent => &[SOON, Ring, RINGS, Answer],
            Self::Invalid => &[SOON, Refuse(404, Some(1))],
            Self::Congested => &[SOON, Refuse(503, Some(34))],
            Self::AsksOperator => {
                &[SOON, Ring, RINGS, Answer, MOMENT, Say(Sound::Hello), MOMENT, Say(Sound::Request)]
            }
        }
    }

    /// What comes of a call to it that plays a recording of 5 s or more, with a minimum talk of
    /// 5 s.
    pub(crate) const fn outcome(self) -> Outcome {
        match self {
            Self::Listens
            | Self::Machine
            | Self::PressesOne
            | Self::PressesTwo
            | Self::SaysYes
            | Self::SaysNo
            | Self::TalksLong
            | Self::Silent
            | Self::AsksOperator => Outcome::Success,
            Self::HangsUp => Outcome::ShortTalk,
            Self::Busy => Outcome::Busy,
            Self::NoAnswer => Outcome::NoAnswer,
            Self::Rejects => Outcome::Rejected,
            Self::Invalid => Outcome::InvalidNumber,
            Self::Congested => Outcome::Failed,
        }
    }
}

fn draw(dice: &mut Dice) -> Behaviour {
    let mut point = dice.roll(100);
    for (share, behaviour) in MIX {
        match point.checked_sub(share) {
            None => return behaviour,
            Some(rest) => point = rest,
        }
    }
    Behaviour::Listens
}

#[cfg(test)]
mod tests {
    use call::Cause;

    use super::*;

    fn number(text: &str) -> PhoneNumber {
        text.parse().unwrap()
    }

    #[test]
    fn the_last_two_digits_decide() {
        assert_eq!(Behaviour::of(&number("+99900000000"), 1), Behaviour::Listens);
        assert_eq!(Behaviour::of(&number("+99912345601"), 9), Behaviour::Busy);
        assert_eq!(Behaviour::of(&number("+99900000014"), 1), Behaviour::AsksOperator);
        for ending in DRAWN {
            let one = Behaviour::of(&number(&format!("+999000000{ending}")), 1);
            assert_eq!(one, Behaviour::of(&number(&format!("+999777777{ending}")), 1));
        }
    }

    #[test]
    fn the_mix_is_a_hundred_and_the_same_seed_draws_the_same() {
        assert_eq!(MIX.iter().map(|(share, _)| share).sum::<u64>(), 100);
        let drawn = |seed| -> Vec<_> {
            (0..50).map(|n| Behaviour::of(&number(&format!("+9990{n:04}55")), seed)).collect()
        };
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
    }

    #[test]
    fn refusals_mean_what_the_table_says() {
        for behaviour in FIXED {
            for step in behaviour.script() {
                if let Step::Refuse(status, q850) = *step {
                    let cause = Cause { sip: Some(status), q850, ..Cause::default() };
                    assert_eq!(cause.outcome(), behaviour.outcome(), "{behaviour:?}");
                    assert!(!cause.is_line_fault(), "{behaviour:?}");
                }
            }
        }
    }

    #[test]
    fn who_hangs_up_does_so_after_four_seconds() {
        let spoken = Sound::Hello.samples().len() as u64 / 8;
        let paused: Duration = Behaviour::HangsUp
            .script()
            .iter()
            .map(|step| if let Step::Pause(span) = step { *span } else { Duration::ZERO })
            .sum();
        let talk = paused + Duration::from_millis(spoken);
        assert!((3_900..4_300).contains(&talk.as_millis()), "{talk:?}");
    }
}
