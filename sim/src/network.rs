//! The telephone network of the simulated world: what a phone does, and which legs are up.

use std::{collections::BTreeMap, time::Duration};

use base::{
    Dice, Id, PhoneNumber, Timestamp,
    kind::{Attempt, Campaign},
};
use call::Outcome;
use dialer::LineSign;

/// What a called phone does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    Answers {
        talk_s: u64,
    },
    Busy,
    RingsOut,
    Rejects,
    Invalid,
    Fails,
    Congested,
    Unavailable {
        retry_after_s: Option<u64>,
    },
    /// Nothing comes back at all.
    Dead,
}

impl Manner {
    pub(crate) fn of(dice: &mut Dice, line_alive: bool) -> Self {
        if !line_alive {
            return Self::Dead;
        }
        match dice.roll(100) {
            0..35 => Self::Answers { talk_s: dice.roll(40) },
            35..52 => Self::Busy,
            52..72 => Self::RingsOut,
            72..80 => Self::Rejects,
            80..85 => Self::Invalid,
            85..91 => Self::Fails,
            91..94 => Self::Congested,
            94..97 => Self::Unavailable { retry_after_s: None },
            _ => Self::Unavailable { retry_after_s: Some(1 + dice.roll(90)) },
        }
    }

    /// How long it takes to show, ring time at most, and whether the phone rings meanwhile.
    pub(crate) fn delay(self, dice: &mut Dice, ring: Duration) -> (Duration, bool) {
        let soon = Duration::from_millis(50 + dice.roll(900));
        match self {
            Self::Answers { .. } => {
                (Duration::from_millis(500 + dice.roll(14_000)).min(ring), true)
            }
            Self::RingsOut => (ring, true),
            Self::Rejects => (soon * 3, true),
            Self::Dead => (Duration::from_secs(32), false),
            Self::Busy
            | Self::Invalid
            | Self::Fails
            | Self::Congested
            | Self::Unavailable { .. } => (soon, false),
        }
    }

    /// What the wire says of a call that is not answered.
    pub(crate) fn word(self) -> (Outcome, LineSign) {
        match self {
            Self::Answers { .. } => (Outcome::Success, LineSign::Alive),
            Self::Busy => (Outcome::Busy, LineSign::Alive),
            Self::RingsOut => (Outcome::NoAnswer, LineSign::Alive),
            Self::Rejects => (Outcome::Rejected, LineSign::Alive),
            Self::Invalid => (Outcome::InvalidNumber, LineSign::Alive),
            Self::Fails => (Outcome::Failed, LineSign::Alive),
            Self::Congested => (Outcome::Failed, LineSign::Congested),
            Self::Unavailable { retry_after_s } => {
                let retry_after = retry_after_s.map(Duration::from_secs);
                (Outcome::Failed, LineSign::Fault { retry_after })
            }
            Self::Dead => (Outcome::Failed, LineSign::Fault { retry_after: None }),
        }
    }
}

/// A call on the wire, from its INVITE to its release.
#[derive(Debug, Clone)]
pub(crate) struct Leg {
    pub(crate) number: PhoneNumber,
    pub(crate) boot: u64,
    pub(crate) manner: Manner,
    pub(crate) answered_at: Option<Timestamp>,
}

/// The legs that are up, and every INVITE that ever left.
#[derive(Debug, Clone, Default)]
pub(crate) struct Network {
    pub(crate) legs: BTreeMap<Id<Attempt>, Leg>,
    /// When INVITEs left, by number.
    pub(crate) invites: BTreeMap<PhoneNumber, Vec<Timestamp>>,
    /// When the living process claimed calls; their INVITEs leave as soon as that is durable.
    pub(crate) pace: Vec<Timestamp>,
    /// When INVITEs to contacts left, by campaign and version of its settings.
    pub(crate) waves: BTreeMap<(Id<Campaign>, i64), Vec<Timestamp>>,
    pub(crate) calls: u64,
}
