//! The numbers that the account must not call.

use base::{Id, PhoneNumber, Timestamp, kind};
use db::{Result, Tx, args, sql};

/// Waits for units of imports that are being committed, and keeps the next ones waiting: neither
/// side's count then misses a number of the other's.
async fn lock_importing_lists(tx: &mut Tx<'_>, account: Id<kind::Account>) -> Result<()> {
    tx.exec(
        sql!(
            "UPDATE contact_list SET version = version
             WHERE account = $1 AND id IN
             (SELECT list FROM import WHERE account = $1 AND state IN ('ready', 'running'))"
        ),
        args![account],
    )
    .await
    .map(drop)
}

/// Forbids calls to `phone`. The row's new version, or nothing when they were forbidden already.
pub(crate) async fn forbid(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    phone: &PhoneNumber,
    reason: &str,
    by: Id<kind::User>,
    now: Timestamp,
) -> Result<Option<i64>> {
    lock_importing_lists(tx, account).await?;
    let version: Option<(i64,)> = tx
        .opt(
            sql!(
                "INSERT INTO do_not_call (account, phone, reason, version, changed_by, forbidden_at)
                 VALUES ($1, $2, $3, 1, $4, $5)
                 ON CONFLICT (account, phone) DO UPDATE
                 SET reason = excluded.reason, version = do_not_call.version + 1,
                     changed_by = excluded.changed_by, forbidden_at = excluded.forbidden_at,
                     lifted_at = NULL
                 WHERE do_not_call.lifted_at IS NOT NULL
                 RETURNING version"
            ),
            args![account, phone, reason, by, now],
        )
        .await?;
    if version.is_some() {
        recount(tx, account, phone, 1).await?;
    }
    Ok(version.map(|(version,)| version))
}

/// Allows calls to `phone` again. The row's new version, or nothing when they were allowed.
pub(crate) async fn allow(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    phone: &PhoneNumber,
    by: Id<kind::User>,
    now: Timestamp,
) -> Result<Option<i64>> {
    lock_importing_lists(tx, account).await?;
    let version: Option<(i64,)> = tx
        .opt(
            sql!(
                "UPDATE do_not_call
                 SET lifted_at = $4, changed_by = $3, version = version + 1
                 WHERE account = $1 AND phone = $2 AND lifted_at IS NULL
                 RETURNING version"
            ),
            args![account, phone, by, now],
        )
        .await?;
    if version.is_some() {
        recount(tx, account, phone, -1).await?;
    }
    Ok(version.map(|(version,)| version))
}

/// The lists that have the number, so that their pages are told.
pub(crate) async fn lists_with(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    phone: &PhoneNumber,
) -> Result<Vec<Id<kind::ContactList>>> {
    let lists: Vec<(Id<kind::ContactList>,)> = tx
        .all(
            sql!(
                "SELECT DISTINCT list FROM list_number WHERE account = $1 AND phone = $2
                 LIMIT 1000"
            ),
            args![account, phone],
        )
        .await?;
    Ok(lists.into_iter().map(|(list,)| list).collect())
}

/// Corrects the counter of every list that has the number, by one for each of its rows.
async fn recount(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    phone: &PhoneNumber,
    sign: i64,
) -> Result<()> {
    tx.exec(
        sql!(
            "UPDATE contact_list SET do_not_call = do_not_call + $3 *
               (SELECT COUNT(*) FROM list_number n
                WHERE n.account = $1 AND n.phone = $2 AND n.list = contact_list.id)
             WHERE account = $1
             AND id IN (SELECT list FROM list_number WHERE account = $1 AND phone = $2)"
        ),
        args![account, phone, sign],
    )
    .await
    .map(drop)
}
