//! What follows a claim: the INVITE left, the call was answered, the attempt ended.

use base::{
    Id, Timestamp,
    kind::{Account, Attempt, Campaign, CampaignContact},
};
use call::{Dialog, End};
use db::{Result, Tx, args, record, sql};
use dialer::{ContactState, Finish, Next, Permit, with_dead};

use super::{
    as_json,
    claims::{numbers_of, place},
    counts::{Deltas, Ended},
    serde_word, word,
};

/// Progress of an attempt that is worth keeping.
#[derive(Debug, Clone)]
pub(crate) enum Mark {
    /// The INVITE left.
    Invited(Timestamp),
    /// The call was answered; the dialog ends it after a restart.
    Answered(Timestamp, Box<Dialog>),
}

/// What the wire told of a call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wire {
    /// Since when the phone rang, if it did.
    pub(crate) ringing_at: Option<Timestamp>,
    /// How it ended.
    pub(crate) end: End,
}

/// Keeps progress of an attempt that is still open.
pub(crate) async fn mark(
    tx: &mut Tx<'_>,
    boot: i64,
    attempt: Id<Attempt>,
    mark: &Mark,
) -> Result<()> {
    match mark {
        Mark::Invited(at) => {
            tx.exec(
                sql!(
                    "UPDATE attempt SET invited_at = COALESCE(invited_at, $3)
                     WHERE id = $1 AND boot = $2 AND ended_at IS NULL"
                ),
                args![attempt, boot, *at],
            )
            .await?;
        }
        Mark::Answered(at, dialog) => {
            tx.exec(
                sql!(
                    "UPDATE attempt SET invited_at = COALESCE(invited_at, claimed_at),
                       answered_at = COALESCE(answered_at, $3), dialog = $4
                     WHERE id = $1 AND boot = $2 AND ended_at IS NULL"
                ),
                args![attempt, boot, *at, as_json(dialog)?],
            )
            .await?;
        }
    }
    Ok(())
}

record! {
    struct Open {
        claimed_at: Timestamp,
        invited_at: Option<Timestamp>,
    }
}

/// What became of the wish to end an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finished {
    /// Its end is kept.
    Now,
    /// It had ended before, or belongs to another process: a late fact, which changes nothing.
    Before,
}

/// Keeps the end of an attempt of the process `boot`, and what becomes of its contact. `wire` is
/// what the wire told, when there was a call.
pub(crate) async fn finish(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    boot: i64,
    finish: &Finish,
    wire: Option<&Wire>,
    deltas: &mut Deltas,
) -> Result<Finished> {
    let select = tx.pick(
        sql!(sqlite: "SELECT claimed_at, invited_at FROM attempt
                      WHERE id = $1 AND boot = $2 AND ended_at IS NULL"),
        sql!(pg: "SELECT claimed_at, invited_at FROM attempt
                  WHERE id = $1 AND boot = $2 AND ended_at IS NULL FOR UPDATE"),
    );
    let Some(open) = tx.opt::<Open>(select, args![finish.attempt, boot]).await? else {
        return Ok(Finished::Before);
    };
    let ended_at = finish.ending.at.max(open.claimed_at);
    // When the INVITE left is not known: the last moment at which it can have.
    let invited_at = open.invited_at.or_else(|| {
        finish.ending.invited.then(|| ended_at.min(open.claimed_at.plus(Permit::LIFE)))
    });
    let end = wire.map(|wire| &wire.end);
    let cause = end.map(|end| &end.cause);
    let recording = end.and_then(|end| end.recording.as_ref());
    tx.exec(
        sql!(
            "UPDATE attempt SET ended_at = $3, invited_at = $4,
               answered_at = COALESCE(answered_at, $5), outcome = $6, sip_code = $7, q850 = $8,
               local_cause = $9, ended_by = $10, spent = $11, recording_key = $12,
               recording_ms = $13, recording_bytes = $14, rtp = $15, ringing_at = $16
             WHERE id = $1 AND boot = $2 AND ended_at IS NULL"
        ),
        args![
            finish.attempt,
            boot,
            ended_at,
            invited_at,
            finish.ending.answered_at,
            serde_word(&finish.verdict.outcome)?,
            cause.and_then(|cause| cause.sip),
            cause.and_then(|cause| cause.q850),
            cause.and_then(|cause| cause.local).map(|local| serde_word(&local)).transpose()?,
            end.map(|end| serde_word(&end.by)).transpose()?,
            finish.verdict.spent && finish.contact.is_some(),
            recording.map(|made| made.key.clone()),
            recording.map(|made| made.duration.as_millis() as i64),
            recording.map(|made| made.bytes as i64),
            end.and_then(|end| end.rtp.as_ref()).map(as_json).transpose()?,
            wire.and_then(|wire| wire.ringing_at)
        ],
    )
    .await?;
    if let Some(contact) = finish.contact {
        settle(tx, account, contact, finish, ended_at, deltas).await?;
        let answered = finish.ending.answered_at.is_some();
        deltas.ended(Ended {
            campaign: finish.campaign,
            began_at: open.claimed_at,
            outcome: finish.verdict.outcome,
            answered,
            sip: cause.and_then(|cause| cause.sip),
        })?;
    }
    Ok(Finished::Now)
}

record! {
    struct Called {
        state: String,
        source: i64,
        number: i64,
        dead_numbers: i64,
        phone: base::PhoneNumber,
    }
}

/// What becomes of the contact of an ended attempt.
async fn settle(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    id: Id<CampaignContact>,
    finish: &Finish,
    now: Timestamp,
    deltas: &mut Deltas,
) -> Result<()> {
    let lock = tx.pick(
        sql!(sqlite: "SELECT state, list_contact, number, dead_numbers, phone
                      FROM campaign_contact WHERE id = $1"),
        sql!(pg: "SELECT state, list_contact, number, dead_numbers, phone
                  FROM campaign_contact WHERE id = $1 FOR UPDATE"),
    );
    let contact: Called = tx.one(lock, args![id]).await?;
    let before: ContactState = word(&contact.state)?;
    let (mut phone, mut number, mut dead) = (None, contact.number, contact.dead_numbers);
    if finish.verdict.outcome == call::Outcome::InvalidNumber {
        dead = with_dead(number, dead);
    }
    let (mut state, mut next_at) = match finish.verdict.next {
        Next::Retry { at, .. } => (ContactState::Callable, at),
        Next::Done { state } => (state, now),
    };
    if before != ContactState::InAttempt {
        // Excluded by hand while the call was up: that stands.
        state = before;
    } else if let Next::Retry { other_number, .. } = finish.verdict.next {
        let mut numbers = numbers_of(tx, account, contact.source).await?;
        if numbers.is_empty() {
            // Its list is gone: it keeps what it was called on.
            (numbers, number, dead) = (vec![contact.phone], 0, 0);
        }
        let whose = (account, finish.campaign);
        let place = place(tx, whose, &numbers, (number, other_number), dead, now).await?;
        if let Some(place) = place {
            if place.forbidden {
                state = ContactState::DoNotCall;
            }
            (number, phone) = (place.number, Some(place.phone));
        } else {
            (state, next_at) = (ContactState::InvalidNumber, now);
        }
    }
    tx.exec(
        sql!(
            "UPDATE campaign_contact SET state = $2, state_group = $3, next_at = $4,
               attempts = attempts + $5, last_outcome = $6, number = $7,
               phone = COALESCE($8, phone), updated_at = $9, dead_numbers = $10
             WHERE id = $1"
        ),
        args![
            id,
            state.as_str(),
            state.group().as_str(),
            next_at,
            i64::from(finish.verdict.spent),
            serde_word(&finish.verdict.outcome)?,
            number,
            phone,
            now,
            dead
        ],
    )
    .await?;
    if before != state {
        deltas.shift(finish.campaign, before, state);
    }
    Ok(())
}

record! {
    struct Excused {
        campaign: Id<Campaign>,
        contact: Id<CampaignContact>,
        state: String,
    }
}

/// Attempts that met a dead line do not count. Who waits again: campaign and moment.
pub(crate) async fn give_back(
    tx: &mut Tx<'_>,
    attempts: &[Id<Attempt>],
    again_at: Timestamp,
    deltas: &mut Deltas,
) -> Result<Vec<(Id<Campaign>, Timestamp)>> {
    let mut again = Vec::new();
    for attempt in attempts {
        let lock = tx.pick(
            sql!(sqlite: "SELECT a.campaign, c.id, c.state FROM attempt a
                          JOIN campaign_contact c ON c.id = a.contact
                          WHERE a.id = $1 AND a.spent = TRUE"),
            sql!(pg: "SELECT a.campaign, c.id, c.state FROM attempt a
                      JOIN campaign_contact c ON c.id = a.contact
                      WHERE a.id = $1 AND a.spent = TRUE FOR UPDATE"),
        );
        let row: Option<Excused> = tx.opt(lock, args![*attempt]).await?;
        let Some(Excused { campaign, contact, state }) = row else { continue };
        tx.exec(sql!("UPDATE attempt SET spent = FALSE WHERE id = $1"), args![*attempt]).await?;
        tx.exec(
            sql!("UPDATE campaign_contact SET attempts = attempts - 1 WHERE id = $1"),
            args![contact],
        )
        .await?;
        if word::<ContactState>(&state)? == ContactState::Attempted {
            tx.exec(
                sql!(
                    "UPDATE campaign_contact
                     SET state = 'callable', state_group = 'callable', next_at = $2 WHERE id = $1"
                ),
                args![contact, again_at],
            )
            .await?;
            deltas.shift(campaign, ContactState::Attempted, ContactState::Callable);
            again.push((campaign, again_at));
        }
    }
    Ok(again)
}
