//! One entry leaves the do-not-call list.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use base::{Id, kind};
use http_kit::{Caller, Path, Result};

use super::{by, no_entry};
use crate::{
    do_not_call,
    store::do_not_call::{self as store, Scope},
};

/// Take an entry off the do-not-call list
///
/// Other entries about the same number stay.
#[utoipa::path(
    delete, path = "/do-not-call/entries/{id}", operation_id = "remove_do_not_call",
    tag = "contacts",
    params(("id" = String, Path, description = "The entry.")),
    responses((status = 204))
)]
pub(crate) async fn remove_do_not_call(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
    Path(id): Path<Id<kind::DoNotCall>>,
) -> Result<StatusCode> {
    let by = by(&state, &caller);
    let ids = state.handles.ids.clone();
    let lists = state
        .handles
        .db
        .write(move |tx| {
            Box::pin(async move {
                let found = store::get(tx, by.account, id).await?;
                let scope = Scope::of(&found.scope, found.target).ok_or(db::Error::NotFound)?;
                if do_not_call::remove(tx, &ids, by, &found.phone, scope).await? {
                    let action = "do_not_call.remove";
                    do_not_call::record(tx, &ids, by, action, &found.phone, None, scope).await?;
                }
                store::lists_with(tx, by.account, &[found.phone]).await
            })
        })
        .await
        .map_err(no_entry)?;
    for list in lists {
        state.handles.hub.touch(by.account, &format!("list:{list}"));
    }
    Ok(StatusCode::NO_CONTENT)
}
