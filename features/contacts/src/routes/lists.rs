//! Contact lists: seen, made, renamed, deleted.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use base::{Id, kind};
use host::{
    Handles,
    audit::{self, AuditEntry},
};
use http_kit::{Caller, Fields, Json, Page, PageQuery, Path, Problem, Query, Result};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{ContactList, or};
use crate::{
    jobs,
    problems::ContactProblem,
    store::{
        imports,
        lists::{self, NameError},
    },
};

/// The name of a list.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListName {
    /// 1 to 100 characters.
    name: String,
}

impl ListName {
    fn checked(self) -> Result<String> {
        let mut fields = Fields::new();
        fields.text("name", &self.name, 1..=100);
        fields.finish()?;
        Ok(self.name.trim().to_owned())
    }
}

impl From<NameError> for Problem {
    fn from(error: NameError) -> Self {
        match error {
            NameError::Taken => ContactProblem::ListNameTaken.into(),
            NameError::Db(error) => or(ContactProblem::ListNotFound)(error),
        }
    }
}

/// List the contact lists
///
/// In the order of their names.
#[utoipa::path(
    get, path = "/lists", operation_id = "list_lists", tag = "contacts",
    params(PageQuery),
    responses((status = 200, body = Page<ContactList>))
)]
pub(crate) async fn list_lists(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<ContactList>>> {
    let account = caller.account;
    let after: Option<(String, i64)> = query.after()?;
    let fetch = query.fetch();
    let rows = state
        .handles
        .db
        .read(move |tx| Box::pin(async move { lists::page(tx, account, after, fetch).await }))
        .await?;
    let page = query.page(rows, |row| (lists::name_key(&row.name), row.id.raw()));
    Ok(Json(page.map(ContactList::from)))
}

/// Make a contact list
#[utoipa::path(
    post, path = "/lists", operation_id = "create_list", tag = "contacts",
    request_body = ListName,
    responses((status = 201, body = ContactList))
)]
pub(crate) async fn create_list(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
    Json(body): Json<ListName>,
) -> Result<(StatusCode, Json<ContactList>)> {
    let name = body.checked()?;
    let Handles { db, ids, clock, .. } = state.handles.clone();
    let (account, user, now) = (caller.account, caller.user, clock.now());
    let id = ids.next::<kind::ContactList>();
    let row = db
        .write(move |tx| {
            Box::pin(async move {
                if lists::is_taken(tx, account, &name, None).await? {
                    return Err(taken());
                }
                lists::insert(tx, account, id, &name, now).await?;
                let entry = AuditEntry {
                    account,
                    user: Some(user),
                    action: "list.create",
                    subject: format!("list:{id}"),
                    detail: json!({ "name": name }),
                };
                audit::record(tx, &ids, entry, now).await?;
                lists::get(tx, account, id).await
            })
        })
        .await
        .map_err(NameError::from)?;
    Ok((StatusCode::CREATED, Json(row.into())))
}

/// The same error as the unique index gives.
fn taken() -> db::Error {
    db::Error::Conflict("contact_list(account, name_key)".to_owned())
}

/// Read a contact list
#[utoipa::path(
    get, path = "/lists/{id}", operation_id = "get_list", tag = "contacts",
    params(("id" = String, Path, description = "The list.")),
    responses((status = 200, body = ContactList))
)]
pub(crate) async fn get_list(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
    Path(id): Path<Id<kind::ContactList>>,
) -> Result<Json<ContactList>> {
    read(&state, caller.account, id).await.map(Json)
}

/// The list with its newest import.
pub(crate) async fn read(
    state: &crate::State,
    account: Id<kind::Account>,
    id: Id<kind::ContactList>,
) -> Result<ContactList> {
    let (row, imports) = state
        .handles
        .db
        .read(move |tx| {
            Box::pin(async move {
                let row = lists::get(tx, account, id).await?;
                Ok((row, imports::page(tx, account, id, i64::MAX, 1).await?))
            })
        })
        .await
        .map_err(or(ContactProblem::ListNotFound))?;
    let last_import = imports.into_iter().next().map(Into::into);
    Ok(ContactList { last_import, ..row.into() })
}

/// Rename a contact list
#[utoipa::path(
    patch, path = "/lists/{id}", operation_id = "rename_list", tag = "contacts",
    params(("id" = String, Path, description = "The list.")),
    request_body = ListName,
    responses((status = 200, body = ContactList))
)]
pub(crate) async fn rename_list(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
    Path(id): Path<Id<kind::ContactList>>,
    Json(body): Json<ListName>,
) -> Result<Json<ContactList>> {
    let name = body.checked()?;
    let Handles { db, ids, clock, hub, .. } = state.handles.clone();
    let (account, user, now) = (caller.account, caller.user, clock.now());
    db.write(move |tx| {
        Box::pin(async move {
            if lists::is_taken(tx, account, &name, Some(id)).await? {
                return Err(taken());
            }
            let before = lists::get(tx, account, id).await?.name;
            lists::rename(tx, account, id, &name, now).await?;
            let entry = AuditEntry {
                account,
                user: Some(user),
                action: "list.rename",
                subject: format!("list:{id}"),
                detail: json!({ "name": [before, name] }),
            };
            audit::record(tx, &ids, entry, now).await
        })
    })
    .await
    .map_err(NameError::from)?;
    hub.touch(account, &format!("list:{id}"));
    read(&state, account, id).await.map(Json)
}

/// Delete a contact list
///
/// With its people, numbers and imports. Refused while a running or paused campaign uses it.
#[utoipa::path(
    delete, path = "/lists/{id}", operation_id = "delete_list", tag = "contacts",
    params(("id" = String, Path, description = "The list.")),
    responses((status = 204))
)]
pub(crate) async fn delete_list(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
    Path(id): Path<Id<kind::ContactList>>,
) -> Result<StatusCode> {
    let Handles { db, ids, clock, hub, .. } = state.handles.clone();
    let (account, user, now) = (caller.account, caller.user, clock.now());
    let known_uses = Arc::clone(&state.uses);
    let used_by = db
        .write(move |tx| {
            Box::pin(async move {
                let list = lists::get(tx, account, id).await?;
                if let Some(campaign) = known_uses.in_use(tx, account, id).await? {
                    return Ok(Some(campaign));
                }
                lists::hide(tx, account, id, now).await?;
                jobs::purge::enqueue(tx, &ids, account, id, now).await?;
                let entry = AuditEntry {
                    account,
                    user: Some(user),
                    action: "list.delete",
                    subject: format!("list:{id}"),
                    detail: json!({ "name": list.name, "contacts": list.contacts }),
                };
                audit::record(tx, &ids, entry, now).await?;
                Ok(None)
            })
        })
        .await
        .map_err(or(ContactProblem::ListNotFound))?;
    if let Some(campaign) = used_by {
        return Err(ContactProblem::ListInUse { campaign }.into());
    }
    hub.touch(account, &format!("list:{id}"));
    Ok(StatusCode::NO_CONTENT)
}
