//! The people in a list, page by page.

use std::{collections::BTreeMap, sync::Arc};

use axum::extract::State;
use base::{Id, kind};
use http_kit::{Caller, Json, Page, PageQuery, Path, Query, Result, Time};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::or;
use crate::{
    problems::ContactProblem,
    store::{contacts, lists},
};

/// A person in a contact list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ListContact {
    id: String,
    /// The id in the system that the contact came from.
    external_id: Option<String>,
    name: Option<String>,
    /// In the order of calling.
    numbers: Vec<Number>,
    /// Further columns of the file by their keys.
    variables: BTreeMap<String, String>,
    /// The IANA name of the contact's own time zone.
    zone: Option<String>,
    /// None of the numbers may be called.
    do_not_call: bool,
    /// How the contact came in: `csv`.
    source: String,
    updated_at: Time,
}

/// A number of a contact.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Number {
    /// In E.164 form.
    phone: String,
    /// `mobile`, `fixed`, `fixed_or_mobile` or `other`, by the country's numbering plan.
    kind: String,
    /// Calls to it are forbidden.
    do_not_call: bool,
}

/// What to look for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Search {
    /// A part of the name, the external id or a number, in any case.
    q: Option<String>,
}

/// List the people in a contact list
///
/// In the order in which they came.
#[utoipa::path(
    get, path = "/lists/{id}/contacts", operation_id = "list_contacts", tag = "contacts",
    params(("id" = String, Path, description = "The list."), Search, PageQuery),
    responses((status = 200, body = Page<ListContact>))
)]
pub(crate) async fn list_contacts(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
    Path(list): Path<Id<kind::ContactList>>,
    Query(search): Query<Search>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<ListContact>>> {
    let account = caller.account;
    let after = query.after::<i64>()?.unwrap_or_default();
    let fetch = query.fetch();
    let search = search.q.map(|q| q.trim().to_owned()).filter(|q| !q.is_empty());
    let (rows, mut numbers) = state
        .handles
        .db
        .read(move |tx| {
            Box::pin(async move {
                lists::get(tx, account, list).await?;
                let rows =
                    contacts::page(tx, account, list, search.as_deref(), after, fetch).await?;
                let numbers = contacts::numbers(tx, account, &rows).await?;
                Ok((rows, numbers))
            })
        })
        .await
        .map_err(or(ContactProblem::ListNotFound))?;
    let page = query.page(rows, |row| row.id.raw());
    Ok(Json(page.map(|row| {
        let numbers: Vec<Number> = numbers
            .remove(&row.id)
            .unwrap_or_default()
            .into_iter()
            .map(|number| Number {
                phone: number.phone,
                kind: number.kind,
                do_not_call: number.forbidden,
            })
            .collect();
        ListContact {
            id: row.id.to_string(),
            external_id: row.external_id,
            name: Some(row.name).filter(|name| !name.is_empty()),
            do_not_call: numbers.iter().all(|number| number.do_not_call),
            numbers,
            variables: serde_json::from_value(row.variables).unwrap_or_default(),
            zone: row.zone,
            source: row.source,
            updated_at: row.updated_at.into(),
        }
    })))
}
