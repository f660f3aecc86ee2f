//! The way in for the owner of an account that has none yet.

use base::{Id, Timestamp, kind};
use db::{Result, Tx, args, sql};

/// Stands for the first account, which is made by its owner.
pub(crate) const FIRST: Id<kind::Account> = Id::from_raw(0);

/// Gives an account a token, in place of the one before.
pub(crate) async fn put(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    token: Vec<u8>,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<()> {
    tx.exec(
        sql!(
            "INSERT INTO setup_token (account, token, created_at, expires_at)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT (account) DO UPDATE
             SET token = excluded.token, created_at = excluded.created_at,
                 expires_at = excluded.expires_at"
        ),
        args![account, token, now, expires_at],
    )
    .await?;
    Ok(())
}

/// The account of a token that is still good.
pub(crate) async fn find(
    tx: &mut Tx<'_>,
    token: Vec<u8>,
    now: Timestamp,
) -> Result<Option<Id<kind::Account>>> {
    let found: Option<(Id<kind::Account>,)> = tx
        .opt(
            sql!("SELECT account FROM setup_token WHERE token = $1 AND expires_at > $2"),
            args![token, now],
        )
        .await?;
    Ok(found.map(|(account,)| account))
}

/// Uses the token up: of two at the same time, one gets it.
pub(crate) async fn take(
    tx: &mut Tx<'_>,
    token: Vec<u8>,
    now: Timestamp,
) -> Result<Option<Id<kind::Account>>> {
    let account: Option<(Id<kind::Account>,)> = tx
        .opt(
            sql!("DELETE FROM setup_token WHERE token = $1 AND expires_at > $2 RETURNING account"),
            args![token, now],
        )
        .await?;
    Ok(account.map(|(account,)| account))
}
