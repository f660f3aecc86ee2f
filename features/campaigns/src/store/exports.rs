//! Exports as rows.

use base::{
    Id, Timestamp,
    kind::{Account, Campaign, Job, User},
};
use db::{Result, Tx, args, record, sql};
use serde_json::Value;

/// A file that somebody asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Export {}

record! {
    /// An export.
    #[derive(Debug, Clone)]
    pub(crate) struct Row {
        pub(crate) id: Id<Export>,
        pub(crate) account: Id<Account>,
        pub(crate) campaign: Id<Campaign>,
        pub(crate) what: String,
        pub(crate) format: String,
        pub(crate) filter: Value,
        pub(crate) language: String,
        pub(crate) person: Id<User>,
        pub(crate) job: Id<Job>,
        pub(crate) state: String,
        pub(crate) done: i64,
        pub(crate) total: Option<i64>,
        pub(crate) bytes: Option<i64>,
        pub(crate) problem: Option<String>,
        pub(crate) created_at: Timestamp,
        pub(crate) expires_at: Timestamp,
    }
}

/// Notes a new export.
pub(crate) async fn insert(tx: &mut Tx<'_>, row: &Row) -> Result<()> {
    tx.exec(
        sql!(
            "INSERT INTO campaign_export (id, account, campaign, what, format, filter, language,
               person, job, state, done, total, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
        ),
        args![
            row.id,
            row.account,
            row.campaign,
            &row.what,
            &row.format,
            row.filter.clone(),
            &row.language,
            row.person,
            row.job,
            &row.state,
            row.done,
            row.total,
            row.created_at,
            row.expires_at
        ],
    )
    .await?;
    Ok(())
}

/// One export of a campaign.
pub(crate) async fn get(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    campaign: Id<Campaign>,
    id: Id<Export>,
) -> Result<Row> {
    tx.one(
        sql!(
            "SELECT id, account, campaign, what, format, filter, language, person, job, state, done,
               total, bytes, problem, created_at, expires_at
             FROM campaign_export WHERE account = $1 AND campaign = $2 AND id = $3"
        ),
        args![account, campaign, id],
    )
    .await
}

/// The latest exports of a campaign, the newest first.
pub(crate) async fn latest(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    campaign: Id<Campaign>,
) -> Result<Vec<Row>> {
    tx.all(
        sql!(
            "SELECT id, account, campaign, what, format, filter, language, person, job, state, done,
               total, bytes, problem, created_at, expires_at
             FROM campaign_export WHERE account = $1 AND campaign = $2
             ORDER BY id DESC LIMIT 50"
        ),
        args![account, campaign],
    )
    .await
}

/// Tells how many rows are written.
pub(crate) async fn progress(tx: &mut Tx<'_>, id: Id<Export>, done: i64) -> Result<()> {
    tx.exec(
        sql!("UPDATE campaign_export SET done = $2 WHERE id = $1 AND state = 'running'"),
        args![id, done],
    )
    .await?;
    Ok(())
}

/// Ends an export that runs: `ready` with its bytes, or `failed` or `cancelled`. Whether it ran.
pub(crate) async fn end(
    tx: &mut Tx<'_>,
    id: Id<Export>,
    state: &'static str,
    bytes: Option<i64>,
    problem: Option<String>,
    expires_at: Timestamp,
) -> Result<bool> {
    let changed = tx
        .exec(
            sql!(
                "UPDATE campaign_export SET state = $2, bytes = $3, problem = $4, expires_at = $5
                 WHERE id = $1 AND state = 'running'"
            ),
            args![id, state, bytes, problem, expires_at],
        )
        .await?;
    Ok(changed == 1)
}

/// Exports whose time is over, of every account.
pub(crate) async fn expired(tx: &mut Tx<'_>, now: Timestamp) -> Result<Vec<Row>> {
    tx.all(
        sql!(
            "SELECT id, account, campaign, what, format, filter, language, person, job, state, done,
               total, bytes, problem, created_at, expires_at
             FROM campaign_export WHERE expires_at <= $1 AND state <> 'running'
             ORDER BY expires_at LIMIT 100"
        ),
        args![now],
    )
    .await
}

/// Forgets an export.
pub(crate) async fn delete(tx: &mut Tx<'_>, id: Id<Export>) -> Result<()> {
    tx.exec(sql!("DELETE FROM campaign_export WHERE id = $1"), args![id]).await?;
    Ok(())
}
