#![doc = include_str!("../README.md")]

mod event;
mod gate;
mod machine;
mod numbers;
mod pace;
mod preview;
mod restore;
mod retry;
mod roll;
mod rules;
mod speed;
mod states;
mod why;

pub use event::{
    Candidate, Claim, Effect, Event, Finish, LineFact, LineHealth, NUMBER_IN_USE_DELAY, NotClaimed,
    Returned, Shortage,
};
pub use gate::{Callee, Consequence, Expired, Permit, Policy, Purpose, Refusal, Waiting, may_dial};
pub use machine::{
    DRAIN_TIME, Dialer, FAULTS_OF_A_DEAD_LINE, PROBE_EVERY, Stage, TestRefused, Timer,
};
pub use numbers::{Place, has_other_number, place, with_dead};
pub use pace::{Pace, Rate};
pub use preview::{Preview, Tried, preview};
pub use restore::{Restored, Rows, RunningRow, UnfinishedRow, restore};
pub use retry::{
    CONGESTION_DELAY, Ending, History, LineSign, Next, UNSENT_DELAY, Unfinished, Verdict, after,
    interrupted, outcome_of,
};
pub use roll::Roll;
pub use rules::{Batch, Caps, Delays, Rules, defaults};
pub use speed::{Speed, SpeedError};
pub use states::{CampaignState, ContactGroup, ContactState, UnknownState};
pub use why::{Badge, Reason, Standing, why};
