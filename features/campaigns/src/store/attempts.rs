//! Attempts as they are read: pages, and what a dead process left open.

use base::{
    Id, PhoneNumber, Timestamp,
    kind::{Account, Attempt, Campaign, CampaignContact, Line},
};
use db::{Result, Tx, args, record, sql};

record! {
    /// An attempt as pages show it.
    #[derive(Debug, Clone)]
    pub(crate) struct Row {
        pub(crate) id: Id<Attempt>,
        pub(crate) contact: Option<Id<CampaignContact>>,
        pub(crate) name: Option<String>,
        pub(crate) ordinal: i64,
        pub(crate) phone: PhoneNumber,
        pub(crate) line: Id<Line>,
        pub(crate) settings_version: i64,
        pub(crate) claimed_at: Timestamp,
        pub(crate) invited_at: Option<Timestamp>,
        pub(crate) ringing_at: Option<Timestamp>,
        pub(crate) answered_at: Option<Timestamp>,
        pub(crate) ended_at: Option<Timestamp>,
        pub(crate) outcome: Option<String>,
        pub(crate) sip_code: Option<i64>,
        pub(crate) q850: Option<i64>,
        pub(crate) local_cause: Option<String>,
        pub(crate) recording_key: Option<String>,
        pub(crate) call_id: String,
    }
}

/// A page of a campaign's attempts, the newest first.
pub(crate) async fn page(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    campaign: Id<Campaign>,
    outcome: Option<String>,
    below: i64,
    limit: i64,
) -> Result<Vec<Row>> {
    tx.all(
        sql!(
            "SELECT a.id, a.contact, c.name, a.ordinal, a.phone, a.line, a.settings_version,
               a.claimed_at, a.invited_at, a.ringing_at, a.answered_at, a.ended_at, a.outcome,
               a.sip_code, a.q850, a.local_cause, a.recording_key, a.call_id
             FROM attempt a LEFT JOIN campaign_contact c ON c.id = a.contact
             WHERE a.account = $1 AND a.campaign = $2 AND a.id < $3
               AND (a.outcome = $4 OR $4 IS NULL)
             ORDER BY a.id DESC LIMIT $5"
        ),
        args![account, campaign, below, outcome, limit],
    )
    .await
}

/// The attempts on one contact, the newest first; more than anybody reads are cut off.
pub(crate) async fn of_contact(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    contact: Id<CampaignContact>,
) -> Result<Vec<Row>> {
    tx.all(
        sql!(
            "SELECT a.id, a.contact, c.name, a.ordinal, a.phone, a.line, a.settings_version,
               a.claimed_at, a.invited_at, a.ringing_at, a.answered_at, a.ended_at, a.outcome,
               a.sip_code, a.q850, a.local_cause, a.recording_key, a.call_id
             FROM attempt a JOIN campaign_contact c ON c.id = a.contact
             WHERE a.account = $1 AND a.contact = $2
             ORDER BY a.ordinal DESC LIMIT 200"
        ),
        args![account, contact],
    )
    .await
}

record! {
    /// An attempt without an end.
    #[derive(Debug, Clone)]
    pub(crate) struct Open {
        pub(crate) id: Id<Attempt>,
        pub(crate) campaign: Id<Campaign>,
        pub(crate) contact: Option<Id<CampaignContact>>,
        pub(crate) phone: PhoneNumber,
        pub(crate) line: Id<Line>,
        pub(crate) boot: i64,
        pub(crate) claimed_at: Timestamp,
        pub(crate) invited_at: Option<Timestamp>,
        pub(crate) answered_at: Option<Timestamp>,
        pub(crate) dialog: Option<serde_json::Value>,
        pub(crate) attempts: Option<u32>,
        pub(crate) last_outcome: Option<String>,
        pub(crate) number: Option<i64>,
        pub(crate) numbers: Option<i64>,
        pub(crate) zone: Option<String>,
    }
}

/// The account's attempts without an end.
pub(crate) async fn open(tx: &mut Tx<'_>, account: Id<Account>) -> Result<Vec<Open>> {
    tx.all(
        sql!(
            "SELECT a.id, a.campaign, a.contact, a.phone, a.line, a.boot, a.claimed_at,
               a.invited_at, a.answered_at, a.dialog, c.attempts, c.last_outcome, c.number,
               c.numbers, c.zone
             FROM attempt a LEFT JOIN campaign_contact c ON c.id = a.contact
             WHERE a.account = $1 AND a.ended_at IS NULL ORDER BY a.id"
        ),
        args![account],
    )
    .await
}
