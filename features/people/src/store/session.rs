//! Signed-in browsers.

use access::Role;
use base::{Id, Locale, Timestamp, kind};
use db::{Result, Tx, args, record, sql};

use super::word;

record! {
    /// A session with what is known of its person.
    #[derive(Debug, Clone)]
    pub(crate) struct FoundSession {
        pub(crate) id: Id<kind::Session>,
        pub(crate) account: Id<kind::Account>,
        pub(crate) person: Id<kind::User>,
        pub(crate) stay: bool,
        pub(crate) used_at: Timestamp,
        pub(crate) expires_at: Timestamp,
        role: String,
        pub(crate) owner: bool,
        language: String,
        pub(crate) disabled_at: Option<Timestamp>,
        pub(crate) install: bool,
    }
}

record! {
    /// A session as its person sees it.
    #[derive(Debug, Clone)]
    pub(crate) struct SessionRow {
        pub(crate) id: Id<kind::Session>,
        pub(crate) stay: bool,
        pub(crate) created_at: Timestamp,
        pub(crate) used_at: Timestamp,
        pub(crate) expires_at: Timestamp,
        pub(crate) agent: String,
        pub(crate) address: String,
    }
}

/// A session to be.
#[derive(Debug, Clone)]
pub(crate) struct NewSession {
    pub(crate) id: Id<kind::Session>,
    pub(crate) account: Id<kind::Account>,
    pub(crate) person: Id<kind::User>,
    pub(crate) token: Vec<u8>,
    pub(crate) stay: bool,
    pub(crate) expires_at: Timestamp,
    pub(crate) agent: String,
    pub(crate) address: String,
}

impl FoundSession {
    pub(crate) fn role(&self) -> Result<Role> {
        word("person.role", &self.role)
    }

    pub(crate) fn language(&self) -> Result<Locale> {
        word("person.language", &self.language)
    }
}

pub(crate) async fn by_token(tx: &mut Tx<'_>, token: Vec<u8>) -> Result<Option<FoundSession>> {
    tx.opt(
        sql!(
            "SELECT s.id, s.account, s.person, s.stay, s.used_at, s.expires_at,
                    p.role, p.owner, p.language, p.disabled_at, a.install
             FROM session s
             JOIN person p ON p.account = s.account AND p.id = s.person
             JOIN account a ON a.account = s.account
             WHERE s.token = $1"
        ),
        args![token],
    )
    .await
}

pub(crate) async fn by_id(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    id: Id<kind::Session>,
) -> Result<Option<FoundSession>> {
    tx.opt(
        sql!(
            "SELECT s.id, s.account, s.person, s.stay, s.used_at, s.expires_at,
                    p.role, p.owner, p.language, p.disabled_at, a.install
             FROM session s
             JOIN person p ON p.account = s.account AND p.id = s.person
             JOIN account a ON a.account = s.account
             WHERE s.account = $1 AND s.id = $2"
        ),
        args![account, id],
    )
    .await
}

/// Adds a session, and clears away those of anybody that are over.
pub(crate) async fn insert(tx: &mut Tx<'_>, session: &NewSession, now: Timestamp) -> Result<()> {
    tx.exec(sql!("DELETE FROM session WHERE expires_at <= $1"), args![now]).await?;
    tx.exec(
        sql!(
            "INSERT INTO session (id, account, person, token, stay, created_at, used_at,
                                  expires_at, agent, address)
             VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8, $9)"
        ),
        args![
            session.id,
            session.account,
            session.person,
            &session.token,
            session.stay,
            now,
            session.expires_at,
            &session.agent,
            &session.address
        ],
    )
    .await?;
    Ok(())
}

/// Notes that the session and its person were here.
pub(crate) async fn used(tx: &mut Tx<'_>, session: &FoundSession, now: Timestamp) -> Result<()> {
    tx.exec(
        sql!("UPDATE session SET used_at = $3 WHERE account = $1 AND id = $2"),
        args![session.account, session.id, now],
    )
    .await?;
    tx.exec(
        sql!("UPDATE person SET seen_at = $3 WHERE account = $1 AND id = $2"),
        args![session.account, session.person, now],
    )
    .await?;
    Ok(())
}

/// The sessions of a person, newest first; at most a hundred.
pub(crate) async fn list(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    person: Id<kind::User>,
) -> Result<Vec<SessionRow>> {
    tx.all(
        sql!(
            "SELECT id, stay, created_at, used_at, expires_at, agent, address FROM session
             WHERE account = $1 AND person = $2 ORDER BY id DESC LIMIT 100"
        ),
        args![account, person],
    )
    .await
}

/// Ends one session of a person; false when there is none.
pub(crate) async fn end(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    person: Id<kind::User>,
    id: Id<kind::Session>,
) -> Result<bool> {
    let ended = tx
        .exec(
            sql!("DELETE FROM session WHERE account = $1 AND person = $2 AND id = $3"),
            args![account, person, id],
        )
        .await?;
    Ok(ended == 1)
}

/// Ends the session that a browser brought along when it signs in anew.
pub(crate) async fn end_by_token(tx: &mut Tx<'_>, token: Vec<u8>) -> Result<()> {
    tx.exec(sql!("DELETE FROM session WHERE token = $1"), args![token]).await?;
    Ok(())
}

/// Ends all sessions of a person but the one to `keep`, and tells which.
pub(crate) async fn end_others(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    person: Id<kind::User>,
    keep: Option<Id<kind::Session>>,
) -> Result<Vec<Id<kind::Session>>> {
    let ended: Vec<(Id<kind::Session>,)> = tx
        .all(
            sql!(
                "DELETE FROM session WHERE account = $1 AND person = $2 AND id <> $3 RETURNING id"
            ),
            args![account, person, keep.unwrap_or(Id::from_raw(0))],
        )
        .await?;
    Ok(ended.into_iter().map(|(id,)| id).collect())
}
