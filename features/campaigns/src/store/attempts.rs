//! Attempts as they are read: pages, and what a dead process left open.

use super::{WINDOW, like};
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

/// What a page of attempts shows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub(crate) outcome: Option<String>,
    pub(crate) line: Option<Id<Line>>,
    pub(crate) sip_code: Option<i64>,
    pub(crate) answered: Option<bool>,
    pub(crate) recorded: Option<bool>,
    /// Part of the number or of the contact's name.
    pub(crate) text: Option<String>,
    /// Ids from here on, and below here.
    pub(crate) from: i64,
    pub(crate) below: i64,
}

impl Filter {
    /// Whether rows are left out that no index tells apart.
    const fn is_fine(&self) -> bool {
        self.line.is_some()
            || self.sip_code.is_some()
            || self.answered.is_some()
            || self.recorded.is_some()
            || self.text.is_some()
    }
}

/// A page of a campaign's attempts, the newest first. Where the filter asks for more than an index
/// knows, so many rows are looked at and no more: then the id at which to go on, besides the rows.
pub(crate) async fn page(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    campaign: Id<Campaign>,
    filter: &Filter,
    limit: i64,
) -> Result<(Vec<Row>, Option<i64>)> {
    let end = if filter.is_fine() { window(tx, campaign, filter).await? } else { None };
    let from = end.unwrap_or(filter.from).max(filter.from);
    let text = filter.text.as_deref().map(like);
    let Filter { outcome, line, sip_code, answered, recorded, below, .. } = filter;
    let rest = args![
        account, campaign, *below, from, *line, *sip_code, *answered, *recorded, text, limit,
        outcome
    ];
    let select = if outcome.is_some() {
        sql!(
            "SELECT a.id, a.contact, c.name, a.ordinal, a.phone, a.line, a.settings_version,
               a.claimed_at, a.invited_at, a.ringing_at, a.answered_at, a.ended_at, a.outcome,
               a.sip_code, a.q850, a.local_cause, a.recording_key, a.call_id
             FROM attempt a LEFT JOIN campaign_contact c ON c.id = a.contact
             WHERE a.account = $1 AND a.campaign = $2 AND a.outcome = $11 AND a.id < $3
               AND a.id >= $4 AND (a.line = $5 OR $5 IS NULL)
               AND (a.sip_code = $6 OR $6 IS NULL)
               AND ((a.answered_at IS NOT NULL) = $7 OR $7 IS NULL)
               AND ((a.recording_key IS NOT NULL) = $8 OR $8 IS NULL)
               AND (LOWER(c.name) LIKE $9 ESCAPE '\\' OR a.phone LIKE $9 ESCAPE '\\'
                 OR $9 IS NULL)
             ORDER BY a.id DESC LIMIT $10"
        )
    } else {
        sql!(
            "SELECT a.id, a.contact, c.name, a.ordinal, a.phone, a.line, a.settings_version,
               a.claimed_at, a.invited_at, a.ringing_at, a.answered_at, a.ended_at, a.outcome,
               a.sip_code, a.q850, a.local_cause, a.recording_key, a.call_id
             FROM attempt a LEFT JOIN campaign_contact c ON c.id = a.contact
             WHERE a.account = $1 AND a.campaign = $2 AND a.id < $3 AND a.id >= $4
               AND (a.line = $5 OR $5 IS NULL)
               AND (a.sip_code = $6 OR $6 IS NULL)
               AND ((a.answered_at IS NOT NULL) = $7 OR $7 IS NULL)
               AND ((a.recording_key IS NOT NULL) = $8 OR $8 IS NULL)
               AND (LOWER(c.name) LIKE $9 ESCAPE '\\' OR a.phone LIKE $9 ESCAPE '\\'
                 OR $9 IS NULL)
               AND (a.outcome = $11 OR $11 IS NULL)
             ORDER BY a.id DESC LIMIT $10"
        )
    };
    Ok((tx.all(select, rest).await?, end.filter(|end| *end > filter.from)))
}

/// The last attempt that is looked at, when more lie behind it.
async fn window(tx: &mut Tx<'_>, campaign: Id<Campaign>, filter: &Filter) -> Result<Option<i64>> {
    let row: Option<(i64,)> = match &filter.outcome {
        Some(outcome) => {
            tx.opt(
                sql!(
                    "SELECT id FROM attempt WHERE campaign = $1 AND outcome = $2 AND id < $3
                     ORDER BY id DESC LIMIT 1 OFFSET $4"
                ),
                args![campaign, outcome, filter.below, WINDOW],
            )
            .await?
        }
        None => {
            tx.opt(
                sql!(
                    "SELECT id FROM attempt WHERE campaign = $1 AND id < $2
                     ORDER BY id DESC LIMIT 1 OFFSET $3"
                ),
                args![campaign, filter.below, WINDOW],
            )
            .await?
        }
    };
    Ok(row.map(|(id,)| id))
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
        pub(crate) dead_numbers: Option<i64>,
        pub(crate) zone: Option<String>,
    }
}

/// When the last call on a contact of a campaign was claimed.
pub(crate) async fn last_claim(
    tx: &mut Tx<'_>,
    campaign: Id<Campaign>,
) -> Result<Option<Timestamp>> {
    let row: Option<(Timestamp,)> = tx
        .opt(
            sql!(
                "SELECT claimed_at FROM attempt WHERE campaign = $1 AND contact IS NOT NULL
                 ORDER BY id DESC LIMIT 1"
            ),
            args![campaign],
        )
        .await?;
    Ok(row.map(|(at,)| at))
}

/// The account's attempts without an end.
pub(crate) async fn open(tx: &mut Tx<'_>, account: Id<Account>) -> Result<Vec<Open>> {
    tx.all(
        sql!(
            "SELECT a.id, a.campaign, a.contact, a.phone, a.line, a.boot, a.claimed_at,
               a.invited_at, a.answered_at, a.dialog, c.attempts, c.last_outcome, c.number,
               c.numbers, c.dead_numbers, c.zone
             FROM attempt a LEFT JOIN campaign_contact c ON c.id = a.contact
             WHERE a.account = $1 AND a.ended_at IS NULL ORDER BY a.id"
        ),
        args![account],
    )
    .await
}
