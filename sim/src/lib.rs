#![doc = include_str!("../README.md")]

mod network;
mod rows;
mod rules;
mod world;

use std::fmt;

pub use rules::Rule;
use world::World;

/// What a story came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Of everything that happened, in order. The same seed gives the same.
    pub hash: u64,
    /// Happenings.
    pub steps: u64,
    /// INVITEs.
    pub calls: u64,
    /// How often the process died.
    pub crashes: u64,
    /// Simulated seconds.
    pub seconds: u64,
}

/// A rule was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which rule.
    pub id: Rule,
    /// At which step.
    pub step: u64,
    /// How.
    pub text: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} broken at step {}: {}", self.id, self.step, self.text)
    }
}

impl std::error::Error for Violation {}

/// A rule broken on purpose, to see that its check reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plant {
    /// Neither the machine nor the gate knows the hours. Breaks [`Rule::Hours`].
    ForgetWindow,
    /// The gate is not told of the do-not-call list. Breaks [`Rule::DoNotCall`].
    ForgetDoNotCall,
    /// The gate is not told of earlier calls to the number. Breaks [`Rule::Attempts`].
    ForgetCaps,
    /// The machine believes in more channels than the line has. Breaks [`Rule::Channels`].
    ExceedChannels,
    /// What a dead process left open is not read back. Breaks [`Rule::Ends`].
    LoseAttempt,
    /// What a dead process left up is not hung up. Breaks [`Rule::Legs`].
    LeaveLegs,
    /// The machine does not know that it calls in waves. Breaks [`Rule::Waves`].
    ForgetWaves,
    /// The INVITE leaves before its attempt is committed. Breaks [`Rule::Ends`].
    InviteBeforeCommit,
}

impl Plant {
    /// Every one.
    pub const ALL: [Self; 8] = [
        Self::ForgetWindow,
        Self::ForgetDoNotCall,
        Self::ForgetCaps,
        Self::ExceedChannels,
        Self::LoseAttempt,
        Self::LeaveLegs,
        Self::ForgetWaves,
        Self::InviteBeforeCommit,
    ];

    /// Its name on a command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ForgetWindow => "forget-window",
            Self::ForgetDoNotCall => "forget-do-not-call",
            Self::ForgetCaps => "forget-caps",
            Self::ExceedChannels => "exceed-channels",
            Self::LoseAttempt => "lose-attempt",
            Self::LeaveLegs => "leave-legs",
            Self::ForgetWaves => "forget-waves",
            Self::InviteBeforeCommit => "invite-before-commit",
        }
    }

    /// The rule that it breaks.
    pub const fn breaks(self) -> Rule {
        match self {
            Self::ForgetWindow => Rule::Hours,
            Self::ForgetDoNotCall => Rule::DoNotCall,
            Self::ForgetCaps => Rule::Attempts,
            Self::ExceedChannels => Rule::Channels,
            Self::LoseAttempt | Self::InviteBeforeCommit => Rule::Ends,
            Self::LeaveLegs => Rule::Legs,
            Self::ForgetWaves => Rule::Waves,
        }
    }
}

/// Plays the story of `seed` to its end.
pub fn run(seed: u64) -> Result<Report, Violation> {
    World::new(seed, None).play()
}

/// The same with a rule broken on purpose. A seed in which the occasion never comes is not found
/// out: try several.
pub fn run_with(seed: u64, plant: Plant) -> Result<Report, Violation> {
    World::new(seed, Some(plant)).play()
}
