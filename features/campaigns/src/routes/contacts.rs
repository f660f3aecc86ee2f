//! Contacts of a campaign: seen, looked into, excluded.

use base::{
    Id, Timestamp,
    kind::{Campaign, CampaignContact},
};
use dialer::{ContactGroup, ContactState, Refusal};
use host::{
    Handles,
    audit::{self, AuditEntry},
};
use http_kit::{Caller, CommonProblem, Json, Page, PageQuery, Path, Query, Result, Time};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use super::{State, attempts::Attempt};
use crate::{
    problems::{CampaignProblem, or},
    runner::Command,
    store::{attempts, campaigns, claims, contacts, document, word},
};

/// A contact of a campaign.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct Contact {
    #[schema(value_type = String)]
    id: Id<CampaignContact>,
    external_id: Option<String>,
    name: String,
    /// The number that is called now; empty when the contact has none.
    phone: String,
    /// `callable`, `in_attempt`, `in_work`, `closed`, `attempted`, `flagged` or `excluded`.
    #[schema(value_type = String)]
    state: ContactGroup,
    /// What the state is in detail: `success`, `invalid_number`, `do_not_call` …
    #[schema(value_type = String)]
    detail: ContactState,
    /// When it may be called again; absent unless it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_at: Option<Time>,
    /// Attempts that count.
    attempts: u32,
    last_outcome: Option<String>,
    /// Its own time zone.
    zone: Option<String>,
    /// The further columns of its list.
    #[schema(value_type = Object)]
    variables: Value,
}

impl Contact {
    fn new(row: contacts::Row) -> db::Result<Self> {
        let detail: ContactState = word(&row.state)?;
        let waits = detail == ContactState::Callable && row.next_at < Timestamp::MAX;
        Ok(Self {
            id: row.id,
            external_id: row.external_id,
            name: row.name,
            phone: row.phone,
            state: detail.group(),
            detail,
            next_at: waits.then_some(Time(row.next_at)),
            attempts: row.attempts,
            last_outcome: row.last_outcome,
            zone: row.zone,
            variables: row.variables.unwrap_or_else(|| json!({})),
        })
    }
}

/// One number of a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CampaignNumber)]
pub(crate) struct Number {
    phone: String,
    /// `mobile`, `fixed`, `fixed_or_mobile` or `other`.
    kind: String,
}

/// Why the gate did not let a contact be called. Kept for 30 days after it was last so.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct Decision {
    /// `do_not_call`, `demo_number`, `real_number`, `day_cap`, `week_cap`, `shut` or `attempts_spent`.
    reason: String,
    /// The limit that binds, when the reason is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u32>,
    /// Until when it held, as far as was known.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Time>,
    /// How often it was so.
    times: i64,
    first_at: Time,
    last_at: Time,
}

impl Decision {
    fn new(row: claims::Decision) -> db::Result<Self> {
        let refusal: Refusal = document(row.detail)?;
        Ok(Self {
            reason: refusal.code().to_owned(),
            limit: refusal.limit(),
            until: refusal.until().map(Time),
            times: row.n,
            first_at: Time(row.first_at),
            last_at: Time(row.last_at),
        })
    }
}

/// A contact with all that happened to it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct ContactDetail {
    #[serde(flatten)]
    contact: Contact,
    /// All its numbers, in the order of calling.
    numbers: Vec<Number>,
    /// Its attempts, the newest first.
    #[serde(rename = "attempts_made")]
    made: Vec<Attempt>,
    /// Why it was not called, the latest reason first.
    decisions: Vec<Decision>,
}

/// What the page shows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ContactQuery {
    /// `callable`, `in_attempt`, `in_work`, `closed`, `attempted`, `flagged` or `excluded`.
    state: Option<String>,
    /// Only contacts whose last attempt had this outcome.
    outcome: Option<String>,
    /// Part of name, number or external id.
    q: Option<String>,
}

impl ContactQuery {
    pub(super) fn filter(self) -> Result<contacts::Filter> {
        let said = |text: String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let group = match self.state.as_deref().filter(|state| !state.is_empty()) {
            None => None,
            Some(word) => Some(
                word.parse::<ContactGroup>()
                    .map_err(|error| CommonProblem::InvalidQuery { reason: error.to_string() })?,
            ),
        };
        let (last_outcome, text) = (self.outcome.and_then(said), self.q.and_then(said));
        Ok(contacts::Filter { group, last_outcome, text })
    }
}

/// List the contacts of a campaign
///
/// In the order in which they were taken up. A page that searches looks at a few thousand contacts
/// at most: it may have no rows and a next page.
#[utoipa::path(
    get, path = "/campaigns/{id}/contacts", operation_id = "list_campaign_contacts",
    tag = "campaigns",
    params(("id" = String, Path, description = "The campaign."), ContactQuery, PageQuery),
    responses((status = 200, body = Page<Contact>))
)]
pub(crate) async fn list_campaign_contacts(
    axum::extract::State(dialers): State,
    caller: Caller,
    Path(id): Path<Id<Campaign>>,
    Query(query): Query<ContactQuery>,
    Query(paging): Query<PageQuery>,
) -> Result<Json<Page<Contact>>> {
    let account = caller.account;
    let filter = query.filter()?;
    let after: i64 = paging.after()?.unwrap_or(0);
    let limit = paging.fetch();
    let (rows, end) = dialers
        .handles
        .db
        .read(move |tx| {
            Box::pin(async move {
                campaigns::get(tx, account, id).await?;
                let (rows, end) = contacts::page(tx, account, id, &filter, after, limit).await?;
                let rows: Vec<Contact> =
                    rows.into_iter().map(Contact::new).collect::<db::Result<_>>()?;
                Ok((rows, end))
            })
        })
        .await
        .map_err(or(CampaignProblem::NotFound))?;
    Ok(Json(paging.page_of(rows, end, |row| row.id.raw())))
}

/// Read a contact of a campaign
///
/// With every attempt on it.
#[utoipa::path(
    get, path = "/campaigns/{id}/contacts/{contact}", operation_id = "get_campaign_contact",
    tag = "campaigns",
    params(
        ("id" = String, Path, description = "The campaign."),
        ("contact" = String, Path, description = "The contact in this campaign.")
    ),
    responses((status = 200, body = ContactDetail))
)]
pub(crate) async fn get_campaign_contact(
    axum::extract::State(dialers): State,
    caller: Caller,
    Path((id, contact)): Path<(Id<Campaign>, Id<CampaignContact>)>,
) -> Result<Json<ContactDetail>> {
    let account = caller.account;
    let names = super::attempts::line_names(&dialers, account);
    let detail = dialers
        .handles
        .db
        .read(move |tx| {
            Box::pin(async move {
                let row = contacts::get(tx, account, id, contact).await?;
                let numbers = contacts::numbers(tx, account, row.list_contact).await?;
                let made = attempts::of_contact(tx, account, contact).await?;
                let decisions = claims::decisions(tx, contact).await?;
                Ok(ContactDetail {
                    contact: Contact::new(row)?,
                    numbers: numbers
                        .into_iter()
                        .map(|(phone, kind)| Number { phone: phone.to_string(), kind })
                        .collect(),
                    made: made.into_iter().map(|row| Attempt::new(row, &names)).collect(),
                    decisions: decisions
                        .into_iter()
                        .map(Decision::new)
                        .collect::<db::Result<_>>()?,
                })
            })
        })
        .await
        .map_err(or(CampaignProblem::ContactNotFound))?;
    Ok(Json(detail))
}

/// Exclude a contact
///
/// It is not called any more in this campaign. A call that is up goes on.
#[utoipa::path(
    post, path = "/campaigns/{id}/contacts/{contact}/exclude",
    operation_id = "exclude_campaign_contact", tag = "campaigns",
    params(
        ("id" = String, Path, description = "The campaign."),
        ("contact" = String, Path, description = "The contact in this campaign.")
    ),
    responses((status = 200, body = Contact))
)]
pub(crate) async fn exclude_campaign_contact(
    axum::extract::State(dialers): State,
    caller: Caller,
    Path((id, contact)): Path<(Id<Campaign>, Id<CampaignContact>)>,
) -> Result<Json<Contact>> {
    let Handles { db, ids, clock, .. } = dialers.handles.clone();
    let (account, user, now) = (caller.account, caller.user, clock.now());
    let excluded = db
        .write(move |tx| {
            Box::pin(async move {
                if !contacts::exclude(tx, account, id, contact, now).await? {
                    return Ok(None);
                }
                let entry = AuditEntry {
                    account,
                    user: Some(user),
                    action: "campaign.exclude_contact",
                    subject: format!("campaign:{id}"),
                    detail: json!({ "contact": contact }),
                };
                audit::record(tx, &ids, entry, now).await?;
                let row = contacts::get(tx, account, id, contact).await?;
                Ok(Some(Contact::new(row)?))
            })
        })
        .await
        .map_err(or(CampaignProblem::ContactNotFound))?;
    let excluded = excluded.ok_or(CampaignProblem::ContactFinished)?;
    // The machine may hold it, or wait for it: the gate refuses, and the end of the list is seen.
    dialers.tell(account, Command::Work(id)).await;
    super::touch(&dialers, account, id);
    Ok(Json(excluded))
}
