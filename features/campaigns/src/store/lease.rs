//! Which process dials for an account.

use base::{Id, Timestamp, kind::Account};
use db::{Result, Tx, args, sql};

/// The lease as one process holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lease {
    /// The process.
    pub(crate) boot: i64,
    /// Rises each time that another process takes the account over.
    pub(crate) epoch: i64,
}

/// Takes the account over: whoever held the lease before can claim nothing any more.
pub(crate) async fn take(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    boot: i64,
    now: Timestamp,
) -> Result<Lease> {
    let (epoch,): (i64,) = tx
        .one(
            sql!(
                "INSERT INTO dialer_lease (account, boot, epoch, taken_at) VALUES ($1, $2, 1, $3)
                 ON CONFLICT (account) DO UPDATE
                 SET boot = excluded.boot, epoch = dialer_lease.epoch + 1,
                   taken_at = excluded.taken_at
                 RETURNING epoch"
            ),
            args![account, boot, now],
        )
        .await?;
    Ok(Lease { boot, epoch })
}

/// Whether the lease still stands. Locks it, so that it stands until the transaction ends.
pub(crate) async fn stands(tx: &mut Tx<'_>, account: Id<Account>, lease: Lease) -> Result<bool> {
    let select = tx.pick(
        sql!(sqlite: "SELECT boot, epoch FROM dialer_lease WHERE account = $1"),
        sql!(pg: "SELECT boot, epoch FROM dialer_lease WHERE account = $1 FOR SHARE"),
    );
    let row: Option<(i64, i64)> = tx.opt(select, args![account]).await?;
    Ok(row == Some((lease.boot, lease.epoch)))
}
