//! Campaign rows.

use base::{
    Id, Timestamp,
    kind::{Account, Campaign, ContactList},
};
use db::{Result, Tx, args, record, sql};
use dialer::CampaignState;

use super::{as_json, document, word};
use crate::setup::Setup;

record! {
    struct Raw {
        id: Id<Campaign>,
        account: Id<Account>,
        name: String,
        notes: String,
        state: String,
        preparing: bool,
        setup: serde_json::Value,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        started_at: Option<Timestamp>,
        completed_at: Option<Timestamp>,
        deleted_at: Option<Timestamp>,
    }
}

/// Whose contacts a campaign calls again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Again {
    pub(crate) campaign: Id<Campaign>,
    /// Those too that were reached with success.
    pub(crate) all: bool,
}

/// A campaign.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) id: Id<Campaign>,
    pub(crate) account: Id<Account>,
    pub(crate) name: String,
    pub(crate) notes: String,
    pub(crate) state: CampaignState,
    pub(crate) preparing: bool,
    pub(crate) setup: Setup,
    pub(crate) lists: Vec<Id<ContactList>>,
    pub(crate) again: Option<Again>,
    pub(crate) version: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) completed_at: Option<Timestamp>,
    pub(crate) deleted_at: Option<Timestamp>,
}

impl Row {
    fn read(raw: Raw, lists: Vec<Listed>) -> Result<Self> {
        let again = lists
            .iter()
            .find_map(|list| list.again.map(|campaign| Again { campaign, all: list.again_all }));
        Ok(Self {
            id: raw.id,
            account: raw.account,
            name: raw.name,
            notes: raw.notes,
            state: word(&raw.state)?,
            preparing: raw.preparing,
            setup: document(raw.setup)?,
            lists: lists.into_iter().map(|list| list.list).collect(),
            again,
            version: raw.version,
            created_at: raw.created_at,
            updated_at: raw.updated_at,
            started_at: raw.started_at,
            completed_at: raw.completed_at,
            deleted_at: raw.deleted_at,
        })
    }
}

/// One campaign, deleted or not.
pub(crate) async fn get(tx: &mut Tx<'_>, account: Id<Account>, id: Id<Campaign>) -> Result<Row> {
    let raw: Raw = tx
        .one(
            sql!(
                "SELECT id, account, name, notes, state, preparing, setup, version, created_at,
                   updated_at, started_at, completed_at, deleted_at
                 FROM campaign WHERE account = $1 AND id = $2 AND purged_at IS NULL"
            ),
            args![account, id],
        )
        .await?;
    let lists = lists(tx, id).await?;
    Row::read(raw, lists)
}

/// Whether a campaign is there and not deleted.
pub(crate) async fn is_there(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    id: Id<Campaign>,
) -> Result<bool> {
    let select =
        sql!("SELECT id FROM campaign WHERE account = $1 AND id = $2 AND deleted_at IS NULL");
    Ok(tx.opt::<(i64,)>(select, args![account, id]).await?.is_some())
}

/// One campaign for a change: on PostgreSQL its row is locked.
pub(crate) async fn get_locked(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    id: Id<Campaign>,
) -> Result<Row> {
    let lock = tx.pick(
        sql!(sqlite: "SELECT id FROM campaign WHERE account = $1 AND id = $2"),
        sql!(pg: "SELECT id FROM campaign WHERE account = $1 AND id = $2 FOR UPDATE"),
    );
    tx.one::<(i64,)>(lock, args![account, id]).await?;
    get(tx, account, id).await
}

record! {
    struct Listed {
        list: Id<ContactList>,
        again: Option<Id<Campaign>>,
        again_all: bool,
    }
}

async fn lists(tx: &mut Tx<'_>, id: Id<Campaign>) -> Result<Vec<Listed>> {
    let select = sql!(
        "SELECT list, again, again_all FROM campaign_list WHERE campaign = $1 ORDER BY ordinal"
    );
    tx.all(select, args![id]).await
}

/// Has the lists of a campaign stand for the contacts only that another one had.
pub(crate) async fn set_again(tx: &mut Tx<'_>, id: Id<Campaign>, again: Again) -> Result<()> {
    let update = sql!("UPDATE campaign_list SET again = $2, again_all = $3 WHERE campaign = $1");
    tx.exec(update, args![id, again.campaign, again.all]).await.map(drop)
}

/// Has a campaign, of the lists that it has in common with another, stand for the same contacts.
pub(crate) async fn copy_again(
    tx: &mut Tx<'_>,
    from: Id<Campaign>,
    to: Id<Campaign>,
) -> Result<()> {
    let update = sql!(
        "UPDATE campaign_list SET again = o.again, again_all = o.again_all FROM campaign_list o
         WHERE o.campaign = $1 AND campaign_list.campaign = $2 AND campaign_list.list = o.list"
    );
    tx.exec(update, args![from, to]).await.map(drop)
}

/// What a page of campaigns shows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    /// Only these states; all when empty, of at most five.
    pub(crate) state: Option<CampaignState>,
    /// Part of the name, in any case.
    pub(crate) text: Option<String>,
    /// The deleted ones instead of the others.
    pub(crate) deleted: bool,
    /// Only ids below: pages go from the newest to the oldest.
    pub(crate) below: i64,
}

/// A page of campaigns, the newest first.
pub(crate) async fn page(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    filter: &Filter,
    limit: i64,
) -> Result<Vec<Row>> {
    let text = filter.text.as_ref().map(|text| {
        let escaped =
            text.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        format!("%{escaped}%")
    });
    let found: Vec<Raw> = tx
        .all(
            sql!(
                "SELECT id, account, name, notes, state, preparing, setup, version, created_at,
                   updated_at, started_at, completed_at, deleted_at
                 FROM campaign
                 WHERE account = $1 AND id < $2 AND (deleted_at IS NOT NULL) = $3
                   AND purged_at IS NULL
                   AND (state = $4 OR $4 IS NULL)
                   AND (LOWER(name) LIKE $5 ESCAPE '\\' OR $5 IS NULL)
                 ORDER BY id DESC LIMIT $6"
            ),
            args![
                account,
                filter.below,
                filter.deleted,
                filter.state.map(CampaignState::as_str),
                text,
                limit
            ],
        )
        .await?;
    let mut rows = Vec::with_capacity(found.len());
    for raw in found {
        let lists = lists(tx, raw.id).await?;
        rows.push(Row::read(raw, lists)?);
    }
    Ok(rows)
}

/// Inserts a draft.
pub(crate) async fn insert(tx: &mut Tx<'_>, row: &Row) -> Result<()> {
    tx.exec(
        sql!(
            "INSERT INTO campaign (id, account, name, notes, state, preparing, setup, line, audio,
               version, created_at, updated_at, calendar, attempt_rule)
             VALUES ($1, $2, $3, $4, $5, FALSE, $6, $7, $8, $9, $10, $10, $11, $12)"
        ),
        args![
            row.id,
            row.account,
            &row.name,
            &row.notes,
            row.state.as_str(),
            as_json(&row.setup)?,
            row.setup.line_id,
            row.setup.audio(),
            row.version,
            row.created_at,
            row.setup.calendar_id,
            row.setup.attempt_rule_id
        ],
    )
    .await?;
    set_lists(tx, row.account, row.id, &row.lists).await
}

/// Writes name, notes, settings and lists under the next version. False when the version is not
/// the one before: somebody else was faster.
pub(crate) async fn edit(tx: &mut Tx<'_>, row: &Row, now: Timestamp) -> Result<bool> {
    let changed = tx
        .exec(
            sql!(
                "UPDATE campaign SET name = $3, notes = $4, setup = $5, line = $6, audio = $7,
                   version = version + 1, updated_at = $8, calendar = $10, attempt_rule = $11
                 WHERE account = $1 AND id = $2 AND version = $9"
            ),
            args![
                row.account,
                row.id,
                &row.name,
                &row.notes,
                as_json(&row.setup)?,
                row.setup.line_id,
                row.setup.audio(),
                now,
                row.version,
                row.setup.calendar_id,
                row.setup.attempt_rule_id
            ],
        )
        .await?;
    if changed == 0 {
        return Ok(false);
    }
    set_lists(tx, row.account, row.id, &row.lists).await?;
    Ok(true)
}

async fn set_lists(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    id: Id<Campaign>,
    wanted: &[Id<ContactList>],
) -> Result<()> {
    for Listed { list, .. } in lists(tx, id).await? {
        if !wanted.contains(&list) {
            tx.exec(
                sql!("DELETE FROM campaign_list WHERE campaign = $1 AND list = $2"),
                args![id, list],
            )
            .await?;
        }
    }
    for (ordinal, list) in wanted.iter().enumerate() {
        tx.exec(
            sql!(
                "INSERT INTO campaign_list (account, campaign, list, ordinal, read_to)
                 VALUES ($1, $2, $3, $4, 0)
                 ON CONFLICT (campaign, list) DO UPDATE SET ordinal = excluded.ordinal"
            ),
            args![account, id, list, ordinal as i64],
        )
        .await?;
    }
    Ok(())
}

/// Moves a campaign to a state, if it is in one of those that lead there; whether it was.
pub(crate) async fn move_to(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    id: Id<Campaign>,
    from: CampaignState,
    to: CampaignState,
    now: Timestamp,
) -> Result<bool> {
    let changed = tx
        .exec(
            sql!(
                "UPDATE campaign SET state = $4, updated_at = $5,
                   started_at = CASE WHEN $4 = 'running' THEN COALESCE(started_at, $5)
                     ELSE started_at END,
                   completed_at = CASE WHEN $4 IN ('completed', 'stopped') THEN $5
                     ELSE completed_at END
                 WHERE account = $1 AND id = $2 AND state = $3 AND deleted_at IS NULL"
            ),
            args![account, id, from.as_str(), to.as_str(), now],
        )
        .await?;
    Ok(changed == 1)
}

/// Says whether contacts are being made.
pub(crate) async fn set_preparing(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    id: Id<Campaign>,
    preparing: bool,
) -> Result<()> {
    tx.exec(
        sql!("UPDATE campaign SET preparing = $3 WHERE account = $1 AND id = $2"),
        args![account, id, preparing],
    )
    .await?;
    Ok(())
}

/// Deletes, or brings back.
pub(crate) async fn set_deleted(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    id: Id<Campaign>,
    deleted_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<()> {
    tx.exec(
        sql!("UPDATE campaign SET deleted_at = $3, updated_at = $4 WHERE account = $1 AND id = $2"),
        args![account, id, deleted_at, now],
    )
    .await?;
    Ok(())
}

/// The running campaigns of an account.
pub(crate) async fn running(tx: &mut Tx<'_>, account: Id<Account>) -> Result<Vec<Row>> {
    let ids: Vec<(Id<Campaign>,)> = tx
        .all(
            sql!(
                "SELECT id FROM campaign
                 WHERE account = $1 AND state = 'running' AND deleted_at IS NULL ORDER BY id"
            ),
            args![account],
        )
        .await?;
    let mut rows = Vec::with_capacity(ids.len());
    for (id,) in ids {
        rows.push(get(tx, account, id).await?);
    }
    Ok(rows)
}

/// Campaigns by state, for the counters above the list.
pub(crate) async fn by_state(tx: &mut Tx<'_>, account: Id<Account>) -> Result<Vec<(String, i64)>> {
    tx.all(
        sql!(
            "SELECT state, COUNT(*) FROM campaign
             WHERE account = $1 AND deleted_at IS NULL GROUP BY state"
        ),
        args![account],
    )
    .await
}

/// Accounts with something to dial or to end: those whose dialler must run.
pub(crate) async fn busy_accounts(tx: &mut Tx<'_>) -> Result<Vec<Id<Account>>> {
    let rows: Vec<(Id<Account>,)> = tx
        .all(
            sql!(
                "SELECT account FROM campaign WHERE state = 'running' AND deleted_at IS NULL
                 UNION SELECT account FROM attempt WHERE ended_at IS NULL"
            ),
            args![],
        )
        .await?;
    Ok(rows.into_iter().map(|(account,)| account).collect())
}

/// The name of a running or paused campaign that calls a list, if there is one.
pub(crate) async fn name_by_list(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    list: Id<ContactList>,
) -> Result<Option<String>> {
    let row: Option<(String,)> = tx
        .opt(
            sql!(
                "SELECT c.name FROM campaign_list l JOIN campaign c ON c.id = l.campaign
                 WHERE l.account = $1 AND l.list = $2 AND c.deleted_at IS NULL
                   AND c.state IN ('running', 'paused') ORDER BY c.id LIMIT 1"
            ),
            args![account, list],
        )
        .await?;
    Ok(row.map(|(name,)| name))
}

/// Running and paused campaigns that call a list.
pub(crate) async fn by_list(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    list: Id<ContactList>,
) -> Result<Vec<Id<Campaign>>> {
    let rows: Vec<(Id<Campaign>,)> = tx
        .all(
            sql!(
                "SELECT c.id FROM campaign_list l JOIN campaign c ON c.id = l.campaign
                 WHERE l.account = $1 AND l.list = $2 AND c.deleted_at IS NULL
                   AND c.state IN ('running', 'paused') ORDER BY c.id"
            ),
            args![account, list],
        )
        .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}
