//! Changes a person: name, role, whether they may come in.

use std::sync::Arc;

use access::Role;
use axum::extract::State;
use base::{Id, kind};
use db::Tx;
use http_kit::{Caller, Close, Fields, Json, Path, Result};
use serde::Deserialize;
use serde_json::{Map, json};
use utoipa::ToSchema;

use super::note;
use crate::{
    problems::PeopleProblem,
    store::{
        account, invite,
        person::{self, PersonRow},
        session,
    },
    view::{self, User},
};

/// What is to be different.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeUser {
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    #[schema(value_type = Option<String>)]
    role: Option<Role>,
    disabled: Option<bool>,
}

/// A change that was made, and what it means for live connections.
struct Changed {
    user: User,
    close: Option<Close>,
}

/// Change a person
///
/// Disabling ends their sessions at once. The owner is an administrator for good, so that there
/// is always one who can come in.
#[utoipa::path(
    patch,
    path = "/users/{id}",
    operation_id = "change_user",
    tag = "people",
    params(("id" = String, Path, description = "The person.")),
    request_body = ChangeUser,
    responses((status = 200, body = User))
)]
pub(crate) async fn change_user(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
    Path(id): Path<Id<kind::User>>,
    Json(body): Json<ChangeUser>,
) -> Result<Json<User>> {
    if let Some(name) = &body.name {
        let mut fields = Fields::new();
        fields.text("name", name, 1..=100);
        fields.finish()?;
    }
    let write = state.handles.db.write({
        let state = Arc::clone(&state);
        move |tx| Box::pin(async move { change(tx, &state, &caller, id, body).await })
    });
    let changed = write.await??;
    if let Some(why) = changed.close {
        state.handles.hub.close_user(id, why);
    }
    Ok(Json(changed.user))
}

async fn change(
    tx: &mut Tx<'_>,
    state: &crate::State,
    caller: &Caller,
    id: Id<kind::User>,
    body: ChangeUser,
) -> db::Result<Result<Changed, PeopleProblem>> {
    account::lock(tx, caller.account).await?;
    let Some(mut row) = person::opt(tx, caller.account, id).await? else {
        return Ok(Err(PeopleProblem::UserNotFound));
    };
    let before = row.role()?;
    let role = body.role.filter(|role| *role != before);
    let disabled = body.disabled.filter(|disabled| *disabled != row.disabled_at.is_some());
    if let Err(refusal) = may_change(caller, &row, before, role, disabled.is_some()) {
        return Ok(Err(refusal));
    }
    let mut changes = Map::new();
    if let Some(name) = body.name.map(|name| name.trim().to_owned()) {
        changes.insert("name".to_owned(), json!([row.name, name]));
        row.name = name;
    }
    let mut close = None;
    if let Some(role) = role {
        changes.insert("role".to_owned(), json!([before, role]));
        row.set_role(role);
        close = Some(Close::Changed);
    }
    if let Some(disabled) = disabled {
        changes.insert("disabled".to_owned(), json!([!disabled, disabled]));
        row.disabled_at = disabled.then(|| state.handles.clock.now());
        if disabled {
            session::end_others(tx, row.account, row.id, None).await?;
            invite::remove(tx, row.account, row.id).await?;
            close = Some(Close::SignedOut);
        }
    }
    person::update(tx, &row).await?;
    note(tx, state, caller, "user.change", format!("user:{id}"), changes.into()).await?;
    Ok(Ok(Changed { user: view::user(&row)?, close }))
}

/// Who may change what: the owner only themselves, nobody their own access, nobody somebody who
/// may do more.
fn may_change(
    caller: &Caller,
    row: &PersonRow,
    before: Role,
    role: Option<Role>,
    disabled: bool,
) -> Result<(), PeopleProblem> {
    let access = role.is_some() || disabled;
    let reach = caller.permissions;
    let new_role_fits = role.is_none_or(|role| reach.covers(role.permissions()));
    if row.owner && (access || caller.user != row.id) {
        Err(PeopleProblem::OwnerProtected)
    } else if access && caller.user == row.id {
        Err(PeopleProblem::OwnAccess)
    } else if !reach.covers(before.permissions()) || !new_role_fits {
        Err(PeopleProblem::RoleBeyondOwn)
    } else {
        Ok(())
    }
}
