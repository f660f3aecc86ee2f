//! The first of two commits per attempt: the gate asked, the attempt inserted.

use std::collections::BTreeSet;

use base::{
    Id, PhoneNumber, Timestamp,
    kind::{Account, Campaign, CampaignContact},
};
use db::{Result, Tx, args, record, sql};
use dialer::{
    Callee, Candidate, Claim, Consequence, ContactState, History, Permit, Place, Policy, Refusal,
    Waiting, has_other_number, may_dial,
};
use serde_json::{Map, Value, json};

use super::{as_json, counts::Deltas, lease::Lease, word};

record! {
    struct Due {
        contact: Id<CampaignContact>,
        phone: PhoneNumber,
        zone: Option<String>,
        attempts: u32,
        last_outcome: Option<String>,
        number: i64,
        numbers: i64,
        dead_numbers: i64,
    }
}

/// Which of a contact's numbers is called next, as [`dialer::place`] has it.
pub(crate) async fn place(
    tx: &mut Tx<'_>,
    (account, campaign): (Id<Account>, Id<Campaign>),
    numbers: &[PhoneNumber],
    from: (i64, bool),
    dead: i64,
    now: Timestamp,
) -> Result<Option<Place>> {
    let forbidden = forbidden(tx, account, campaign, numbers, now).await?;
    Ok(dialer::place(numbers, &forbidden, from, dead))
}

/// The numbers of a contact of a list in the order of calling.
pub(crate) async fn numbers_of(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    list_contact: i64,
) -> Result<Vec<PhoneNumber>> {
    let rows: Vec<(PhoneNumber,)> = tx
        .all(
            sql!(
                "SELECT phone FROM v_list_number
                 WHERE account = $1 AND contact = $2 ORDER BY ordinal"
            ),
            args![account, list_contact],
        )
        .await?;
    Ok(rows.into_iter().map(|(phone,)| phone).collect())
}

/// A due contact without the id of its attempt to be.
fn history(row: &Due) -> Result<History> {
    Ok(History {
        attempts: row.attempts,
        interrupted: row.last_outcome.as_deref() == Some("interrupted"),
        other_number: has_other_number(row.number, row.numbers, row.dead_numbers),
        zone: row.zone.as_deref().map(word).transpose()?,
    })
}

/// Due contacts of a campaign, the longest due first, and with fewer than asked for the moment at
/// which the next becomes due.
pub(crate) async fn candidates(
    tx: &mut Tx<'_>,
    campaign: Id<Campaign>,
    n: u32,
    now: Timestamp,
    ids: &clock::Ids,
) -> Result<(Vec<Candidate>, Option<Timestamp>)> {
    let rows: Vec<Due> = tx
        .all(
            sql!(
                "SELECT id, phone, zone, attempts, last_outcome, number, numbers, dead_numbers
                 FROM campaign_contact
                 WHERE campaign = $1 AND state = 'callable' AND next_at <= $2
                 ORDER BY next_at, id LIMIT $3"
            ),
            args![campaign, now, n],
        )
        .await?;
    let mut batch = Vec::with_capacity(rows.len());
    for row in rows {
        let history = history(&row)?;
        let Due { contact, phone, .. } = row;
        batch.push(Candidate { contact, attempt: ids.next(), phone, history });
    }
    if batch.len() >= n as usize {
        return Ok((batch, None));
    }
    let later: Option<(Timestamp,)> = tx
        .opt(
            sql!(
                "SELECT next_at FROM campaign_contact
                 WHERE campaign = $1 AND state = 'callable' AND next_at > $2
                 ORDER BY next_at, id LIMIT 1"
            ),
            args![campaign, now],
        )
        .await?;
    Ok((batch, later.map(|(at,)| at)))
}

/// What came of one claim.
#[derive(Debug)]
pub(crate) enum Claimed {
    /// The attempt is there; the call may be made.
    Permit(Permit),
    /// The gate refused; when the contact may be called, if ever.
    Refused(Refusal, Option<Timestamp>),
}

record! {
    struct Standing {
        state: String,
        attempts: u32,
        next_at: Timestamp,
        ordinal: i64,
        zone: Option<String>,
        phone: PhoneNumber,
    }
}

/// Who claims.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claimer {
    pub(crate) account: Id<Account>,
    pub(crate) lease: Lease,
    pub(crate) now: Timestamp,
}

/// Asks the gate and, with its leave, inserts the attempt and takes the contact. `call_id` is the
/// Call-ID that the INVITE will carry.
pub(crate) async fn claim(
    tx: &mut Tx<'_>,
    by: Claimer,
    claim: &Claim,
    call_id: &str,
    deltas: &mut Deltas,
) -> Result<Claimed> {
    let Claimer { account, now, .. } = by;
    let standing = match claim.contact {
        Some(contact) => standing(tx, account, contact).await?,
        None => None,
    };
    let changed = standing.as_ref().is_some_and(|row| row.phone != claim.phone);
    let waiting = match &standing {
        Some(row) if !changed => {
            Some(Waiting { state: word(&row.state)?, attempts: row.attempts, next_at: row.next_at })
        }
        _ => None,
    };
    let zone = match standing.as_ref().and_then(|row| row.zone.as_deref()) {
        Some(zone) => Some(word(zone)?),
        None => None,
    };
    let window = claim.rules.window_of(&claim.phone, zone.as_ref());
    let callee = Callee {
        contact: waiting,
        do_not_call: is_forbidden(tx, account, claim.campaign, &claim.phone, now).await?,
        calls: &calls_to(tx, account, &claim.phone, claim.rules.caps.per_week, now).await?,
        window: &window,
    };
    let policy = Policy {
        caps: claim.rules.caps,
        max_attempts: claim.rules.max_attempts,
        demo_line: claim.demo.is_some(),
    };
    match may_dial(&callee, &claim.phone, claim.purpose, now, &policy) {
        Ok(permit) => {
            let ordinal = standing.as_ref().map_or(1, |row| row.ordinal + 1);
            insert(tx, by, claim, call_id, ordinal).await?;
            if let Some(contact) = claim.contact {
                take(tx, contact, ordinal, now).await?;
                deltas.shift(claim.campaign, ContactState::Callable, ContactState::InAttempt);
            }
            Ok(Claimed::Permit(permit))
        }
        Err(refusal) => {
            let again = match (claim.contact, waiting) {
                (Some(contact), Some(waiting)) => {
                    refuse(tx, by, claim.campaign, contact, waiting, &refusal, deltas).await?
                }
                // The row changed under our hands: it is read again.
                (Some(_), None) => Some(now),
                (None, _) => None,
            };
            Ok(Claimed::Refused(refusal, again))
        }
    }
}

async fn standing(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    contact: Id<CampaignContact>,
) -> Result<Option<Standing>> {
    let select = tx.pick(
        sql!(sqlite: "SELECT state, attempts, next_at, ordinal, zone, phone FROM campaign_contact
                      WHERE id = $1 AND account = $2"),
        sql!(pg: "SELECT state, attempts, next_at, ordinal, zone, phone FROM campaign_contact
                  WHERE id = $1 AND account = $2 FOR UPDATE"),
    );
    tx.opt(select, args![contact, account]).await
}

/// Which of the numbers a campaign may not call: because nobody may, because it may not, or because
/// a list that it calls says so.
pub(crate) async fn forbidden(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    campaign: Id<Campaign>,
    phones: impl IntoIterator<Item = &PhoneNumber>,
    now: Timestamp,
) -> Result<BTreeSet<PhoneNumber>> {
    let keys: Map<String, Value> =
        phones.into_iter().map(|phone| (phone.as_str().to_owned(), json!(0))).collect();
    if keys.is_empty() {
        return Ok(BTreeSet::new());
    }
    // One look into the index for each number. PostgreSQL may not see which account is meant: one
    // that its statistics have never met is taken to have no entries, and all are gone through.
    let rows: Vec<(Option<PhoneNumber>,)> = tx
        .all(
            sql!(
                "SELECT (SELECT d.phone FROM v_do_not_call d
                         WHERE d.account = (SELECT CAST($1 AS BIGINT))
                           AND d.phone = k.key
                           AND (d.expires_at IS NULL OR d.expires_at > $4)
                           AND (d.scope = 'account' OR (d.scope = 'campaign' AND d.target = $3)
                             OR (d.scope = 'list' AND d.target IN
                               (SELECT l.list FROM campaign_list l WHERE l.campaign = $3)))
                         LIMIT 1)
                 FROM json_each($2) k"
            ),
            args![account, Value::Object(keys), campaign, now],
        )
        .await?;
    Ok(rows.into_iter().filter_map(|(phone,)| phone).collect())
}

/// Whether a campaign may not call a number.
pub(crate) async fn is_forbidden(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    campaign: Id<Campaign>,
    phone: &PhoneNumber,
    now: Timestamp,
) -> Result<bool> {
    Ok(!forbidden(tx, account, campaign, [phone], now).await?.is_empty())
}

/// When calls to a number counted, newest first, at most `enough`: attempts that were sent, were
/// interrupted or are open.
async fn calls_to(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    phone: &PhoneNumber,
    enough: u32,
    now: Timestamp,
) -> Result<Vec<Timestamp>> {
    let week = now.minus(std::time::Duration::from_hours(7 * 24));
    let rows: Vec<(Timestamp, Option<Timestamp>)> = tx
        .all(
            sql!(
                "SELECT claimed_at, invited_at FROM attempt
                 WHERE account = $1 AND phone = $2 AND claimed_at > $3
                   AND (invited_at IS NOT NULL OR ended_at IS NULL OR outcome = 'interrupted')
                 ORDER BY claimed_at DESC LIMIT $4"
            ),
            args![account, phone, week, enough],
        )
        .await?;
    // Unknown: the last moment at which it can have left.
    let left = |(claimed, invited): (Timestamp, Option<Timestamp>)| {
        invited.unwrap_or_else(|| claimed.plus(Permit::LIFE))
    };
    let mut calls: Vec<_> = rows.into_iter().map(left).collect();
    calls.sort_unstable_by(|a, b| b.cmp(a));
    Ok(calls)
}

async fn insert(
    tx: &mut Tx<'_>,
    by: Claimer,
    claim: &Claim,
    call_id: &str,
    ordinal: i64,
) -> Result<()> {
    tx.exec(
        sql!(
            "INSERT INTO attempt (id, account, campaign, contact, ordinal, phone, line, boot,
               call_id, settings_version, claimed_at, spent)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, FALSE)"
        ),
        args![
            claim.attempt,
            by.account,
            claim.campaign,
            claim.contact,
            ordinal,
            &claim.phone,
            claim.line,
            by.lease.boot,
            call_id,
            claim.rules.version,
            by.now
        ],
    )
    .await?;
    Ok(())
}

async fn take(
    tx: &mut Tx<'_>,
    contact: Id<CampaignContact>,
    ordinal: i64,
    now: Timestamp,
) -> Result<()> {
    tx.exec(
        sql!(
            "UPDATE campaign_contact
             SET state = 'in_attempt', state_group = 'in_attempt', ordinal = $2, updated_at = $3
             WHERE id = $1"
        ),
        args![contact, ordinal, now],
    )
    .await?;
    Ok(())
}

/// Does what a refusal asks for and keeps it in the log; when the contact may be called, if ever.
async fn refuse(
    tx: &mut Tx<'_>,
    by: Claimer,
    campaign: Id<Campaign>,
    contact: Id<CampaignContact>,
    waiting: Waiting,
    refusal: &Refusal,
    deltas: &mut Deltas,
) -> Result<Option<Timestamp>> {
    let again = match refusal.consequence() {
        Consequence::Become(state) => {
            set_state(tx, contact, state, by.now).await?;
            deltas.shift(campaign, waiting.state, state);
            None
        }
        Consequence::WaitUntil(at) => {
            put_off(tx, contact, at, by.now).await?;
            Some(at)
        }
        Consequence::Nothing if waiting.state == ContactState::Callable => Some(waiting.next_at),
        Consequence::Nothing => None,
    };
    if *refusal != Refusal::NotWaiting {
        log(tx, by.account, campaign, contact, refusal, by.now).await?;
    }
    Ok(again)
}

/// Sets the state of a contact without an open attempt.
pub(crate) async fn set_state(
    tx: &mut Tx<'_>,
    contact: Id<CampaignContact>,
    state: ContactState,
    now: Timestamp,
) -> Result<()> {
    tx.exec(
        sql!(
            "UPDATE campaign_contact SET state = $2, state_group = $3, updated_at = $4
             WHERE id = $1"
        ),
        args![contact, state.as_str(), state.group().as_str(), now],
    )
    .await?;
    Ok(())
}

/// Makes a waiting contact wait until `at`.
pub(crate) async fn put_off(
    tx: &mut Tx<'_>,
    contact: Id<CampaignContact>,
    at: Timestamp,
    now: Timestamp,
) -> Result<()> {
    tx.exec(
        sql!(
            "UPDATE campaign_contact SET next_at = $2, updated_at = $3
             WHERE id = $1 AND state = 'callable'"
        ),
        args![contact, at, now],
    )
    .await?;
    Ok(())
}

/// Keeps in mind why a contact was not called: one row for each reason, counted.
pub(crate) async fn log(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    campaign: Id<Campaign>,
    contact: Id<CampaignContact>,
    refusal: &Refusal,
    now: Timestamp,
) -> Result<()> {
    tx.exec(
        sql!(
            "INSERT INTO refusal (account, campaign, contact, reason, detail, n, first_at, last_at)
             VALUES ($1, $2, $3, $4, $5, 1, $6, $6)
             ON CONFLICT (contact, reason) DO UPDATE
             SET detail = excluded.detail, n = refusal.n + 1, last_at = excluded.last_at"
        ),
        args![account, campaign, contact, refusal.code(), as_json(refusal)?, now],
    )
    .await?;
    Ok(())
}

record! {
    /// Why a contact was not called.
    pub(crate) struct Decision {
        pub(crate) detail: serde_json::Value,
        pub(crate) n: i64,
        pub(crate) first_at: Timestamp,
        pub(crate) last_at: Timestamp,
    }
}

/// Why a contact was not called, the latest reason first.
pub(crate) async fn decisions(
    tx: &mut Tx<'_>,
    contact: Id<CampaignContact>,
) -> Result<Vec<Decision>> {
    tx.all(
        sql!(
            "SELECT detail, n, first_at, last_at FROM refusal
             WHERE contact = $1 ORDER BY last_at DESC, reason"
        ),
        args![contact],
    )
    .await
}

/// Forgets refusals that nobody repeated since `before`.
pub(crate) async fn forget_refusals(tx: &mut Tx<'_>, before: Timestamp) -> Result<u64> {
    tx.exec(sql!("DELETE FROM refusal WHERE last_at < $1"), args![before]).await
}

/// Which of the attempts exist: after the answer to a commit was lost.
pub(crate) async fn exists(tx: &mut Tx<'_>, claim: &Claim) -> Result<bool> {
    let row: Option<(i64,)> =
        tx.opt(sql!("SELECT id FROM attempt WHERE id = $1"), args![claim.attempt]).await?;
    Ok(row.is_some())
}
