//! From contacts of lists to contacts of a campaign, in units.

use std::time::Duration;

use base::{
    Id,
    kind::{Account, Campaign, ContactList},
};
use db::{Engine, Result, Tx, args, record, sql};

use super::{
    joining::{self, Source},
    word,
};

/// Contacts of one unit.
pub(crate) const UNIT: i64 = 500;

/// Lists are read again from this much before the last contact seen: a unit of work that began
/// earlier may have been kept later.
const OVERLAP: Duration = Duration::from_mins(2);

/// How far a list has been read within one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct At {
    pub(crate) updated_at: i64,
    pub(crate) contact: i64,
}

record! {
    struct Row {
        contact: i64,
        external_id: Option<String>,
        name: String,
        zone: Option<String>,
        updated_at: i64,
        numbers: Option<String>,
        wanted: bool,
    }
}

impl Row {
    fn source(self) -> Result<Source> {
        let numbers = self.numbers.as_deref().unwrap_or_default().split_whitespace();
        Ok(Source {
            numbers: numbers.map(word).collect::<Result<_>>()?,
            contact: self.contact,
            external_id: self.external_id,
            name: self.name,
            zone: self.zone,
        })
    }
}

/// Where to begin with each list of a campaign.
pub(crate) async fn starts(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    campaign: Id<Campaign>,
) -> Result<Vec<(Id<ContactList>, At)>> {
    let rows: Vec<(Id<ContactList>, i64)> = tx
        .all(
            sql!(
                "SELECT list, read_to FROM campaign_list
                 WHERE account = $1 AND campaign = $2 ORDER BY ordinal"
            ),
            args![account, campaign],
        )
        .await?;
    let overlap = OVERLAP.as_micros() as i64;
    let at = |read_to: i64| At { updated_at: read_to.saturating_sub(overlap), contact: 0 };
    Ok(rows.into_iter().map(|(list, read_to)| (list, at(read_to))).collect())
}

/// Has PostgreSQL plan the statements of this unit for the tables as they are now: a plan that it
/// keeps from when a campaign was small goes through all of it for each contact later. And has it
/// read lists along their index instead of sorting what is left of them for each unit.
async fn plan_anew(tx: &mut Tx<'_>) -> Result<()> {
    if tx.engine() == Engine::Postgres {
        let set = sql!(pg: "SELECT set_config('plan_cache_mode', 'force_custom_plan', TRUE),
                              set_config('enable_bitmapscan', 'off', TRUE)");
        tx.exec(set, args![]).await?;
    }
    Ok(())
}

/// Takes up the next contacts of a list. Where to go on; `None` when the list has been read.
pub(crate) async fn unit(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    campaign: Id<Campaign>,
    list: Id<ContactList>,
    at: At,
    ids: &clock::Ids,
) -> Result<Option<At>> {
    plan_anew(tx).await?;
    let rows: Vec<Row> = tx
        .all(
            sql!(
                "SELECT c.contact, c.external_id, c.name, c.zone, c.updated_at,
                   (SELECT STRING_AGG(n.phone, ' ' ORDER BY n.ordinal) FROM v_list_number n
                     WHERE n.account = c.account AND n.contact = c.contact) AS numbers,
                   NOT EXISTS (SELECT 1 FROM campaign_list l
                     WHERE l.campaign = $6 AND l.list = c.list AND l.again IS NOT NULL
                     AND NOT EXISTS (SELECT 1 FROM campaign_contact o
                       WHERE o.campaign = l.again AND o.list_contact = c.contact
                       AND o.state <> 'by_hand' AND (l.again_all OR o.state <> 'success')))
                   AS wanted
                 FROM v_list_contact c
                 WHERE c.list = $1 AND c.account = $2 AND (c.updated_at, c.contact) > ($3, $4)
                 ORDER BY c.updated_at, c.contact LIMIT $5"
            ),
            args![list, account, at.updated_at, at.contact, UNIT, campaign],
        )
        .await?;
    let Some(last) = rows.last() else { return Ok(None) };
    let end = At { updated_at: last.updated_at, contact: last.contact };
    let full = rows.len() as i64 == UNIT;
    // A list is gone through whole, so that a unit stays small however few of it are wanted.
    let wanted = rows.into_iter().filter(|row| row.wanted).map(Row::source);
    let sources = wanted.collect::<Result<Vec<_>>>()?;
    joining::take_up(tx, (account, campaign), &sources, ids).await?;
    tx.exec(
        sql!(
            "UPDATE campaign_list SET read_to = $3
             WHERE campaign = $1 AND list = $2 AND read_to < $3"
        ),
        args![campaign, list, end.updated_at],
    )
    .await?;
    Ok(full.then_some(end))
}
