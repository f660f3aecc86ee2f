//! Campaign contacts as they are read, excluded and forbidden.

use base::{
    Id, PhoneNumber, Timestamp,
    kind::{Account, Campaign, CampaignContact},
};
use db::{Result, Tx, args, record, sql};
use dialer::{ContactGroup, ContactState};

use super::{claims::set_state, counts::Deltas, word};

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

/// A page of a campaign's contacts in the order in which they were taken up. `text` is part of
/// name, number or external id; looking for it reads the campaign's contacts.
pub(crate) async fn page(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    campaign: Id<Campaign>,
    group: Option<ContactGroup>,
    text: Option<String>,
    after: i64,
    limit: i64,
) -> Result<Vec<Row>> {
    let text = text.map(|text| {
        let escaped =
            text.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        format!("%{escaped}%")
    });
    tx.all(
        sql!(
            "SELECT c.id, c.list_contact, c.external_id, c.name, c.phone, c.state, c.next_at,
               c.attempts, c.last_outcome, c.zone, l.variables
             FROM campaign_contact c
             LEFT JOIN v_list_contact l ON l.account = c.account AND l.contact = c.list_contact
             WHERE c.account = $1 AND c.campaign = $2 AND c.id > $3
               AND (c.state_group = $4 OR $4 IS NULL)
               AND (LOWER(c.name) LIKE $5 ESCAPE '\\' OR c.phone LIKE $5 ESCAPE '\\'
                 OR LOWER(c.external_id) LIKE $5 ESCAPE '\\' OR $5 IS NULL)
             ORDER BY c.id LIMIT $6"
        ),
        args![account, campaign, after, group.map(ContactGroup::as_str), text, limit],
    )
    .await
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
    }
}

/// After a number joined or left the do-not-call list: those who wait for a call on it are
/// excluded, or wait again. The campaigns concerned.
pub(crate) async fn forbid(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    phone: &PhoneNumber,
    forbidden: bool,
    now: Timestamp,
) -> Result<Vec<Id<Campaign>>> {
    let (from, to) = if forbidden {
        (ContactState::Callable, ContactState::DoNotCall)
    } else {
        (ContactState::DoNotCall, ContactState::Callable)
    };
    let lock = tx.pick(
        sql!(sqlite: "SELECT id, campaign, state FROM campaign_contact
                      WHERE account = $1 AND phone = $2 AND state = $3 ORDER BY id"),
        sql!(pg: "SELECT id, campaign, state FROM campaign_contact
                  WHERE account = $1 AND phone = $2 AND state = $3 ORDER BY id FOR UPDATE"),
    );
    let rows: Vec<Named> = tx.all(lock, args![account, phone, from.as_str()]).await?;
    let mut deltas = Deltas::default();
    let mut campaigns = Vec::new();
    for row in rows {
        set_state(tx, row.id, to, now).await?;
        deltas.shift(row.campaign, word(&row.state)?, to);
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
