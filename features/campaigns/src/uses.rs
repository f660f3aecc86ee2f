//! What campaigns hold on to: asked by the server for the features that own it, in the transaction
//! that would delete it.

use std::collections::BTreeMap;

use base::{
    Id,
    kind::{Account, Audio, Campaign, ContactList, Line},
};
use db::{Result, Tx, args, sql};

/// The name of a running or paused campaign that calls the list, if there is one.
pub async fn list_in_use(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    list: Id<ContactList>,
) -> Result<Option<String>> {
    crate::store::campaigns::name_by_list(tx, account, list).await
}

/// The recordings that running or paused campaigns play, each with the name of one of them.
pub async fn audios_in_use(
    tx: &mut Tx<'_>,
    account: Id<Account>,
) -> Result<BTreeMap<Id<Audio>, String>> {
    let rows: Vec<(Id<Audio>, String)> = tx
        .all(
            sql!(
                "SELECT audio, name FROM v_campaign_use
                 WHERE account = $1 AND audio IS NOT NULL ORDER BY campaign DESC LIMIT 10000"
            ),
            args![account],
        )
        .await?;
    Ok(rows.into_iter().collect())
}

/// The name of a running or paused campaign that calls over the line, if there is one.
pub async fn line_in_use(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    line: Id<Line>,
) -> Result<Option<String>> {
    let row: Option<(String,)> = tx
        .opt(
            sql!(
                "SELECT name FROM v_campaign_use WHERE account = $1 AND line = $2
                 ORDER BY campaign LIMIT 1"
            ),
            args![account, line],
        )
        .await?;
    Ok(row.map(|(name,)| name))
}

/// The name of a campaign, also of a deleted one.
pub async fn campaign_name(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    campaign: Id<Campaign>,
) -> Result<Option<String>> {
    let row: Option<(String,)> = tx
        .opt(
            sql!("SELECT name FROM campaign WHERE account = $1 AND id = $2"),
            args![account, campaign],
        )
        .await?;
    Ok(row.map(|(name,)| name))
}
