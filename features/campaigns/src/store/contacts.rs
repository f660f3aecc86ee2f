//! Campaign contacts as they are read, excluded and forbidden.

use base::{
    Id, PhoneNumber, Timestamp,
    kind::{Account, Campaign, CampaignContact},
};
use db::{Result, Tx, args, record, sql};
use dialer::{ContactGroup, ContactState};

use super::{
    WINDOW,
    claims::{is_forbidden, numbers_of, place, set_state},
    counts::Deltas,
    like, word,
};

record! {
    /// A campaign contact as pages show it.
    #[derive(Debug, Clone)]
    pub(crate) struct Row {
        pub(crate) id: Id<CampaignContact>,
        pub(crate) list_contact: i64,
        pub(crate) external_id: Option<String>,
        pub(crate) name: String,
        pub(crate) phone: String,
        pub(crate) state: String,
        pub(crate) next_at: Timestamp,
        pub(crate) attempts: u32,
        pub(crate) last_outcome: Option<String>,
        pub(crate) zone: Option<String>,
        pub(crate) variables: Option<serde_json::Value>,
    }
}

/// What a page of contacts shows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub(crate) group: Option<ContactGroup>,
    pub(crate) last_outcome: Option<String>,
    /// Part of name, number or external id.
    pub(crate) text: Option<String>,
}

impl Filter {
    /// Whether rows are left out that no index tells apart.
    const fn is_fine(&self) -> bool {
        self.last_outcome.is_some() || self.text.is_some()
    }
}

/// A page of a campaign's contacts in the order in which they were taken up. Where the filter asks
/// for more than an index knows, so many rows are looked at and no more: then the id at which to go
/// on, besides the rows.
pub(crate) async fn page(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    campaign: Id<Campaign>,
    filter: &Filter,
    after: i64,
    limit: i64,
) -> Result<(Vec<Row>, Option<i64>)> {
    let group = filter.group.map(ContactGroup::as_str);
    let end = if filter.is_fine() { window(tx, campaign, group, after).await? } else { None };
    let text = filter.text.as_deref().map(like);
    let to = end.unwrap_or(i64::MAX);
    let rest = args![account, campaign, after, to, &filter.last_outcome, text, limit, group];
    let select = if group.is_some() {
        sql!(
            "SELECT c.id, c.list_contact, c.external_id, c.name, c.phone, c.state, c.next_at,
               c.attempts, c.last_outcome, c.zone, l.variables
             FROM campaign_contact c
             LEFT JOIN v_list_contact l ON l.account = c.account AND l.contact = c.list_contact
             WHERE c.account = $1 AND c.campaign = $2 AND c.state_group = $8 AND c.id > $3
               AND c.id <= $4 AND (c.last_outcome = $5 OR $5 IS NULL)
               AND (LOWER(c.name) LIKE $6 ESCAPE '\\' OR c.phone LIKE $6 ESCAPE '\\'
                 OR LOWER(c.external_id) LIKE $6 ESCAPE '\\' OR $6 IS NULL)
             ORDER BY c.id LIMIT $7"
        )
    } else {
        sql!(
            "SELECT c.id, c.list_contact, c.external_id, c.name, c.phone, c.state, c.next_at,
               c.attempts, c.last_outcome, c.zone, l.variables
             FROM campaign_contact c
             LEFT JOIN v_list_contact l ON l.account = c.account AND l.contact = c.list_contact
             WHERE c.account = $1 AND c.campaign = $2 AND c.id > $3 AND c.id <= $4
               AND (c.last_outcome = $5 OR $5 IS NULL)
               AND (LOWER(c.name) LIKE $6 ESCAPE '\\' OR c.phone LIKE $6 ESCAPE '\\'
                 OR LOWER(c.external_id) LIKE $6 ESCAPE '\\' OR $6 IS NULL)
               AND (c.state_group = $8 OR $8 IS NULL)
             ORDER BY c.id LIMIT $7"
        )
    };
    Ok((tx.all(select, rest).await?, end))
}

/// The last contact that is looked at, when more lie behind it.
async fn window(
    tx: &mut Tx<'_>,
    campaign: Id<Campaign>,
    group: Option<&str>,
    after: i64,
) -> Result<Option<i64>> {
    let row: Option<(i64,)> = match group {
        Some(group) => {
            tx.opt(
                sql!(
                    "SELECT id FROM campaign_contact
                     WHERE campaign = $1 AND state_group = $2 AND id > $3
                     ORDER BY id LIMIT 1 OFFSET $4"
                ),
                args![campaign, group, after, WINDOW],
            )
            .await?
        }
        None => {
            tx.opt(
                sql!(
                    "SELECT id FROM campaign_contact WHERE campaign = $1 AND id > $2
                     ORDER BY id LIMIT 1 OFFSET $3"
                ),
                args![campaign, after, WINDOW],
            )
            .await?
        }
    };
    Ok(row.map(|(id,)| id))
}

/// One contact.
pub(crate) async fn get(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    campaign: Id<Campaign>,
    id: Id<CampaignContact>,
) -> Result<Row> {
    tx.one(
        sql!(
            "SELECT c.id, c.list_contact, c.external_id, c.name, c.phone, c.state, c.next_at,
               c.attempts, c.last_outcome, c.zone, l.variables
             FROM campaign_contact c
             LEFT JOIN v_list_contact l ON l.account = c.account AND l.contact = c.list_contact
             WHERE c.account = $1 AND c.campaign = $2 AND c.id = $3"
        ),
        args![account, campaign, id],
    )
    .await
}

/// All numbers of a list contact in the order of calling.
pub(crate) async fn numbers(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    list_contact: i64,
) -> Result<Vec<(PhoneNumber, String)>> {
    tx.all(
        sql!(
            "SELECT phone, kind FROM v_list_number
             WHERE account = $1 AND contact = $2 ORDER BY ordinal"
        ),
        args![account, list_contact],
    )
    .await
}

/// Excludes a contact by hand. A call that is up goes on; afterwards the contact stays excluded.
/// False when it is done already.
pub(crate) async fn exclude(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    campaign: Id<Campaign>,
    id: Id<CampaignContact>,
    now: Timestamp,
) -> Result<bool> {
    let lock = tx.pick(
        sql!(sqlite: "SELECT state FROM campaign_contact
                      WHERE account = $1 AND campaign = $2 AND id = $3"),
        sql!(pg: "SELECT state FROM campaign_contact
                  WHERE account = $1 AND campaign = $2 AND id = $3 FOR UPDATE"),
    );
    let (state,): (String,) = tx.one(lock, args![account, campaign, id]).await?;
    let state: ContactState = word(&state)?;
    if !matches!(state, ContactState::Callable | ContactState::InAttempt | ContactState::Attempted)
    {
        return Ok(false);
    }
    set_state(tx, id, ContactState::ByHand, now).await?;
    let mut deltas = Deltas::default();
    deltas.shift(campaign, state, ContactState::ByHand);
    deltas.write(tx, account).await?;
    Ok(true)
}

record! {
    struct Named {
        id: Id<CampaignContact>,
        campaign: Id<Campaign>,
        state: String,
        source: i64,
        number: i64,
        dead_numbers: i64,
    }
}

/// After a number joined or left a do-not-call list: those who wait for a call on it go on with
/// another of their numbers or are excluded, and those who were excluded for it wait again, each as
/// the lists now say for its campaign. The campaigns in which something changed.
pub(crate) async fn judge_again(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    phone: &PhoneNumber,
    now: Timestamp,
) -> Result<Vec<Id<Campaign>>> {
    let lock = tx.pick(
        sql!(sqlite: "SELECT id, campaign, state, list_contact, number, dead_numbers
                      FROM campaign_contact
                      WHERE account = $1 AND phone = $2 AND state IN ('callable', 'do_not_call')
                      ORDER BY id"),
        sql!(pg: "SELECT id, campaign, state, list_contact, number, dead_numbers
                  FROM campaign_contact
                  WHERE account = $1 AND phone = $2 AND state IN ('callable', 'do_not_call')
                  ORDER BY id FOR UPDATE"),
    );
    let rows: Vec<Named> = tx.all(lock, args![account, phone]).await?;
    let mut deltas = Deltas::default();
    let mut campaigns = Vec::new();
    for row in rows {
        let from: ContactState = word(&row.state)?;
        let mut forbidden = is_forbidden(tx, account, row.campaign, phone, now).await?;
        if forbidden {
            let numbers = numbers_of(tx, account, row.source).await?;
            let whose = (account, row.campaign);
            let at = (row.number, true);
            let other = place(tx, whose, &numbers, at, row.dead_numbers, now).await?;
            if let Some(other) = other.filter(|other| !other.forbidden) {
                tx.exec(
                    sql!("UPDATE campaign_contact SET number = $2, phone = $3 WHERE id = $1"),
                    args![row.id, other.number, other.phone],
                )
                .await?;
                forbidden = false;
            }
        }
        let to = if forbidden { ContactState::DoNotCall } else { ContactState::Callable };
        if from == to {
            continue;
        }
        set_state(tx, row.id, to, now).await?;
        deltas.shift(row.campaign, from, to);
        if !campaigns.contains(&row.campaign) {
            campaigns.push(row.campaign);
        }
    }
    deltas.write(tx, account).await?;
    Ok(campaigns)
}

/// Whether anybody of a campaign is callable, planned or open; when the first is due.
pub(crate) async fn work(tx: &mut Tx<'_>, campaign: Id<Campaign>) -> Result<Option<Timestamp>> {
    let row: Option<(Timestamp,)> = tx
        .opt(
            sql!(
                "SELECT next_at FROM campaign_contact
                 WHERE campaign = $1 AND state IN ('callable', 'in_attempt', 'in_work')
                 ORDER BY next_at LIMIT 1"
            ),
            args![campaign],
        )
        .await?;
    Ok(row.map(|(at,)| at))
}
