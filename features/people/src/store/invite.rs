//! One-time links by which people come in. A person has at most one.

use base::{Id, Timestamp, kind};
use db::{Result, Tx, args, record, sql};

record! {
    /// Whose link a token is.
    #[derive(Debug, Clone)]
    pub(crate) struct InviteRow {
        pub(crate) account: Id<kind::Account>,
        pub(crate) person: Id<kind::User>,
    }
}

/// A link to be.
#[derive(Debug, Clone)]
pub(crate) struct NewInvite {
    pub(crate) account: Id<kind::Account>,
    pub(crate) person: Id<kind::User>,
    pub(crate) token: Vec<u8>,
    pub(crate) invited_by: Id<kind::User>,
    pub(crate) expires_at: Timestamp,
}

/// Gives a person a link, in place of the one before.
pub(crate) async fn put(tx: &mut Tx<'_>, invite: &NewInvite, now: Timestamp) -> Result<()> {
    tx.exec(
        sql!(
            "INSERT INTO invite (person, account, token, invited_by, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (person) DO UPDATE
             SET token = excluded.token, invited_by = excluded.invited_by,
                 created_at = excluded.created_at, expires_at = excluded.expires_at"
        ),
        args![
            invite.person,
            invite.account,
            &invite.token,
            invite.invited_by,
            now,
            invite.expires_at
        ],
    )
    .await?;
    Ok(())
}

/// Whose link it is, if it is still good.
pub(crate) async fn find(
    tx: &mut Tx<'_>,
    token: Vec<u8>,
    now: Timestamp,
) -> Result<Option<InviteRow>> {
    tx.opt(
        sql!("SELECT account, person FROM invite WHERE token = $1 AND expires_at > $2"),
        args![token, now],
    )
    .await
}

/// Uses the link up: of two at the same time, one gets it.
pub(crate) async fn take(
    tx: &mut Tx<'_>,
    token: Vec<u8>,
    now: Timestamp,
) -> Result<Option<InviteRow>> {
    tx.opt(
        sql!("DELETE FROM invite WHERE token = $1 AND expires_at > $2 RETURNING account, person"),
        args![token, now],
    )
    .await
}

/// Takes a person's link away.
pub(crate) async fn remove(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    person: Id<kind::User>,
) -> Result<()> {
    tx.exec(sql!("DELETE FROM invite WHERE account = $1 AND person = $2"), args![account, person])
        .await?;
    Ok(())
}
