//! Shows the account.

use std::sync::Arc;

use axum::extract::State;
use http_kit::{Caller, Json, Result};

use crate::{
    store::account,
    view::{self, Account},
};

/// The account
#[utoipa::path(
    get,
    path = "/account",
    operation_id = "get_account",
    tag = "people",
    responses((status = 200, body = Account))
)]
pub(crate) async fn get_account(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
) -> Result<Json<Account>> {
    let read = state.handles.db.read(move |tx| {
        Box::pin(async move { view::account_view(&account::get(tx, caller.account).await?) })
    });
    Ok(Json(read.await?))
}
