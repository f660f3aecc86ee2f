//! What goes into the machine and what comes out of it.

use std::{sync::Arc, time::Duration};

use base::{
    Id, PhoneNumber, Timestamp,
    kind::{Attempt, Campaign, CampaignContact, Line},
};

use crate::{Ending, History, Purpose, Rate, Rules, Speed, Verdict, states::words};

/// A campaign contact that waits for a call, as the index brought it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Who.
    pub contact: Id<CampaignContact>,
    /// The id that its attempt will have, should there be one.
    pub attempt: Id<Attempt>,
    /// The number to call.
    pub phone: PhoneNumber,
    /// What went before.
    pub history: History,
}

words! {
    /// Whether a line answers, as far as `features/voice` knows.
    LineHealth {
        /// Nothing is known yet.
        Unknown = "unknown",
        /// A registration is under way; without it calls would be refused.
        Registering = "registering",
        /// It answers.
        Up = "ok",
        /// It missed an answer, and may recover.
        Failing = "failing",
        /// It does not answer OPTIONS, or refuses the registration.
        Down = "down",
    }
}

/// A line of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineFact {
    /// Which.
    pub id: Id<Line>,
    /// Calls at once.
    pub channels: u32,
    /// Calls begun per second.
    pub rate: Rate,
    /// Whether it may be used.
    pub enabled: bool,
    /// Whether it answers.
    pub health: LineHealth,
    /// For a line of the demo carrier: how fast its delays and ring times run. Never changes
    /// between none and some for the same line.
    pub demo: Option<Speed>,
}

/// Something that happened, or a wish of a person. Every event may come twice or late.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A campaign runs from now on, or runs under new rules.
    Running {
        /// Which.
        campaign: Id<Campaign>,
        /// Its rules.
        rules: Arc<Rules>,
        /// When it was started.
        started_at: Timestamp,
        /// Whether its contacts are still being made from its lists.
        preparing: bool,
    },
    /// A campaign makes no new calls. Calls that are up go on.
    Paused {
        /// Which.
        campaign: Id<Campaign>,
    },
    /// A campaign ended for good: what has not been answered is withdrawn.
    Stopped {
        /// Which.
        campaign: Id<Campaign>,
    },
    /// The account's lines, all of them.
    Lines(Vec<LineFact>),
    /// Contacts that may be called from `at` on were added to a campaign or came back to it.
    Work {
        /// Which campaign.
        campaign: Id<Campaign>,
        /// From when.
        at: Timestamp,
    },
    /// The answer to [`Effect::Refill`].
    Candidates {
        /// Which campaign.
        campaign: Id<Campaign>,
        /// Due contacts, the longest due first; at most as many as asked for.
        batch: Vec<Candidate>,
        /// With fewer than asked for: when the next contact becomes due.
        later: Option<Timestamp>,
    },
    /// [`Effect::Refill`] failed.
    RefillFailed {
        /// Which campaign.
        campaign: Id<Campaign>,
    },
    /// A person wants to hear a campaign on one number.
    Test {
        /// The id that the attempt will have.
        attempt: Id<Attempt>,
        /// Whose settings.
        campaign: Id<Campaign>,
        /// The settings.
        rules: Arc<Rules>,
        /// The number.
        phone: PhoneNumber,
    },
    /// A claim is committed.
    Claimed {
        /// Which attempt.
        attempt: Id<Attempt>,
    },
    /// A claim was not made, and the row says so or never changed.
    NotClaimed {
        /// Which attempt.
        attempt: Id<Attempt>,
        /// Why not.
        because: NotClaimed,
    },
    /// The INVITE left.
    Invited {
        /// Which attempt.
        attempt: Id<Attempt>,
    },
    /// The phone rings.
    Ringing {
        /// Which attempt.
        attempt: Id<Attempt>,
    },
    /// The callee picked up.
    Answered {
        /// Which attempt.
        attempt: Id<Attempt>,
    },
    /// The call is over.
    Ended {
        /// Which attempt.
        attempt: Id<Attempt>,
        /// How.
        ending: Ending,
    },
    /// The end of an attempt is committed.
    Finished {
        /// Which attempt.
        attempt: Id<Attempt>,
    },
    /// Attempts were given back, and their contacts wait again from `at` on.
    GivenBack {
        /// Which campaign they belong to.
        campaign: Id<Campaign>,
        /// From when.
        at: Timestamp,
    },
    /// The answer to [`Effect::Probe`].
    Probed {
        /// Which line.
        line: Id<Line>,
        /// Whether it answered.
        answered: bool,
    },
    /// The database can be written, or not.
    Store {
        /// Whether it can.
        writable: bool,
    },
    /// The disk is nearly full, or not any more. Campaigns that record stop claiming.
    Disk {
        /// What is missing; nothing when there is room.
        shortage: Option<Shortage>,
    },
    /// Another process owns this account's dialler now.
    Fenced,
    /// The process is to end.
    Shutdown,
}

/// A disk with less free than has to stay free, both in percent of the whole, 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortage {
    /// What is free, rounded down.
    pub free: u8,
    /// What has to stay free, rounded up.
    pub least: u8,
}

/// Why a claim was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotClaimed {
    /// The gate refused, and the contact's row was changed accordingly.
    Refused {
        /// When the contact may be called, if ever.
        again_at: Option<Timestamp>,
    },
    /// The line had no channel left: others use it too.
    LineBusy,
    /// The transaction was rolled back.
    RolledBack,
}

/// Something to do outside, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Bring due contacts, the longest due first.
    Refill {
        /// Of which campaign.
        campaign: Id<Campaign>,
        /// How many at most.
        n: u32,
    },
    /// Reserve a slot of the line, ask the gate, commit the attempt.
    Claim(Box<Claim>),
    /// Send the INVITE of a committed attempt.
    Place {
        /// Which attempt.
        attempt: Id<Attempt>,
    },
    /// End a call that is up, or that is being placed. Its end is reported as always.
    Withdraw {
        /// Which attempt.
        attempt: Id<Attempt>,
    },
    /// A candidate cannot be called now: it waits until `at`.
    Return {
        /// Of which campaign.
        campaign: Id<Campaign>,
        /// Who.
        contact: Id<CampaignContact>,
        /// Until when.
        at: Timestamp,
        /// Why.
        because: Returned,
    },
    /// Commit the end of an attempt.
    Finish(Box<Finish>),
    /// These attempts met a dead line: they do not count.
    GiveBack {
        /// Which line.
        line: Id<Line>,
        /// Which attempts.
        attempts: Vec<Id<Attempt>>,
    },
    /// Ask the line whether it lives.
    Probe {
        /// Which line.
        line: Id<Line>,
    },
    /// Nobody is left to call: store that, unless the rows say otherwise.
    Complete {
        /// Which campaign.
        campaign: Id<Campaign>,
    },
    /// After [`Event::Shutdown`]: nothing is open any more.
    Drained,
}

/// An attempt to be claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The id it will have.
    pub attempt: Id<Attempt>,
    /// Of which campaign.
    pub campaign: Id<Campaign>,
    /// Who; `None` for a test call.
    pub contact: Option<Id<CampaignContact>>,
    /// The number.
    pub phone: PhoneNumber,
    /// The line.
    pub line: Id<Line>,
    /// The demo carrier's speed, when the line is one of its.
    pub demo: Option<Speed>,
    /// Why.
    pub purpose: Purpose,
    /// The rules that it is claimed and judged by.
    pub rules: Arc<Rules>,
    /// What went before.
    pub history: History,
}

/// The end of an attempt, to be committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finish {
    /// Which.
    pub attempt: Id<Attempt>,
    /// Of which campaign.
    pub campaign: Id<Campaign>,
    /// Whose; `None` for a test call.
    pub contact: Option<Id<CampaignContact>>,
    /// How it ended.
    pub ending: Ending,
    /// What becomes of it.
    pub verdict: Verdict,
}

/// Why a candidate went back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Returned {
    /// Its own hours are shut.
    Shut,
    /// Another call to the number is up.
    NumberInUse,
}

/// How long a candidate whose number is in use waits.
pub const NUMBER_IN_USE_DELAY: Duration = Duration::from_mins(1);
