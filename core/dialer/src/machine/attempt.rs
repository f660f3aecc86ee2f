//! An open attempt.

use std::sync::Arc;

use base::{
    Id, PhoneNumber, Timestamp,
    kind::{Campaign, CampaignContact, Line},
};

use crate::{History, Purpose, Rules};

/// How far an open attempt has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Being committed; nothing was sent.
    Claiming,
    /// Committed, and handed to the phones.
    Claimed,
    /// The INVITE left.
    Dialling,
    /// The phone rings.
    Ringing,
    /// The callee picked up.
    Answered,
    /// Over; its end is being committed.
    Finishing,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attempt {
    pub(super) campaign: Id<Campaign>,
    pub(super) contact: Option<Id<CampaignContact>>,
    pub(super) phone: PhoneNumber,
    pub(super) line: Id<Line>,
    pub(super) purpose: Purpose,
    pub(super) rules: Arc<Rules>,
    pub(super) history: History,
    pub(super) stage: Stage,
    pub(super) since: Timestamp,
    /// We asked for its end before it was answered.
    pub(super) withdrawn: bool,
    /// When its contact may be called again, once its end is committed.
    pub(super) again_at: Option<Timestamp>,
}
