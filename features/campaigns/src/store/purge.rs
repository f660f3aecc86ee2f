//! Removal of campaigns that were deleted long ago, in small units.

use base::{
    Id, Timestamp,
    kind::{Account, Attempt, Campaign},
};
use db::{Result, Tx, args, sql};

/// Rows of one unit.
pub(crate) const UNIT: i64 = 500;

/// What a unit has removed.
#[derive(Debug, Default)]
pub(crate) struct Removed {
    /// Attempts, whose recordings nobody can find any more.
    pub(crate) attempts: Vec<Id<Attempt>>,
    pub(crate) contacts: usize,
    /// The campaign itself is gone.
    pub(crate) is_whole: bool,
}

/// Accounts with campaigns that are deleted.
pub(crate) async fn accounts(tx: &mut Tx<'_>) -> Result<Vec<Id<Account>>> {
    let select = sql!("SELECT DISTINCT account FROM campaign WHERE deleted_at IS NOT NULL");
    let rows: Vec<(Id<Account>,)> = tx.all(select, args![]).await?;
    Ok(rows.into_iter().map(|(account,)| account).collect())
}

/// Marks the next campaign of the account that was deleted before then, or gives the one that an
/// earlier run has marked. One whose contacts are still to be called again stays until they were.
pub(crate) async fn next(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    before: Timestamp,
    now: Timestamp,
) -> Result<Option<(Id<Campaign>, String)>> {
    let select = sql!(
        "SELECT c.id, c.name FROM campaign c
         WHERE c.account = $1 AND c.deleted_at IS NOT NULL AND c.deleted_at <= $2
           AND NOT EXISTS (SELECT 1 FROM campaign_list l JOIN campaign n ON n.id = l.campaign
             WHERE l.again = c.id AND n.deleted_at IS NULL
             AND n.state IN ('draft', 'running', 'paused'))
         ORDER BY c.deleted_at, c.id LIMIT 1"
    );
    let found: Option<(Id<Campaign>, String)> = tx.opt(select, args![account, before]).await?;
    if let Some((id, _)) = &found {
        // Nobody has restored it between the two: that would have cleared `deleted_at`.
        let mark = sql!(
            "UPDATE campaign SET purged_at = COALESCE(purged_at, $2)
             WHERE id = $1 AND deleted_at IS NOT NULL"
        );
        if tx.exec(mark, args![*id, now]).await? == 0 {
            return Ok(None);
        }
    }
    Ok(found)
}

/// Removes some rows of a campaign that was marked: its calls first, then its contacts, then itself.
pub(crate) async fn some(tx: &mut Tx<'_>, campaign: Id<Campaign>) -> Result<Removed> {
    let calls: Vec<(Id<Attempt>,)> = tx
        .all(
            sql!("SELECT id FROM attempt WHERE campaign = $1 ORDER BY id LIMIT $2"),
            args![campaign, UNIT],
        )
        .await?;
    if let Some((last,)) = calls.last() {
        let remove = sql!("DELETE FROM attempt WHERE campaign = $1 AND id <= $2");
        tx.exec(remove, args![campaign, *last]).await?;
        let attempts = calls.into_iter().map(|(id,)| id).collect();
        return Ok(Removed { attempts, ..Removed::default() });
    }
    let contacts: Vec<(i64,)> = tx
        .all(
            sql!("SELECT id FROM campaign_contact WHERE campaign = $1 ORDER BY id LIMIT $2"),
            args![campaign, UNIT],
        )
        .await?;
    if let Some((last,)) = contacts.last() {
        let refusals = sql!("DELETE FROM refusal WHERE campaign = $1 AND contact <= $2");
        tx.exec(refusals, args![campaign, *last]).await?;
        let remove = sql!("DELETE FROM campaign_contact WHERE campaign = $1 AND id <= $2");
        tx.exec(remove, args![campaign, *last]).await?;
        return Ok(Removed { contacts: contacts.len(), ..Removed::default() });
    }
    for rest in [
        sql!("DELETE FROM refusal WHERE campaign = $1"),
        sql!("DELETE FROM campaign_count WHERE campaign = $1"),
        sql!("DELETE FROM campaign_pulse WHERE campaign = $1"),
        sql!("DELETE FROM campaign_list WHERE campaign = $1"),
        sql!("DELETE FROM campaign WHERE id = $1 AND purged_at IS NOT NULL"),
    ] {
        tx.exec(rest, args![campaign]).await?;
    }
    Ok(Removed { is_whole: true, ..Removed::default() })
}
