//! The do-not-call list, page by page.

use std::sync::Arc;

use axum::extract::State;
use http_kit::{Caller, Json, Page, PageQuery, Query, Result};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{DoNotCallEntry, ScopeKind, shown};
use crate::store::do_not_call;

/// What to look for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Part of a number, in any notation, or of a reason.
    q: Option<String>,
    /// Entries for whom.
    #[param(inline)]
    scope: Option<ScopeKind>,
}

impl Filter {
    /// A search made of digits and the signs between them is one for a number.
    pub(super) fn text(&self) -> Option<String> {
        let text = self.q.as_deref().unwrap_or_default().trim();
        let is_number = text.bytes().any(|b| b.is_ascii_digit())
            && text.chars().all(|c| c.is_ascii_digit() || " +()-.".contains(c));
        let text = if is_number {
            text.chars().filter(char::is_ascii_digit).collect()
        } else {
            text.to_lowercase()
        };
        (!text.is_empty()).then_some(text)
    }
}

/// List the numbers that must not be called
///
/// The newest entry first. Entries whose time is over are not among them.
#[utoipa::path(
    get, path = "/do-not-call", operation_id = "list_do_not_call", tag = "contacts",
    params(Filter, PageQuery),
    responses((status = 200, body = Page<DoNotCallEntry>))
)]
pub(crate) async fn list_do_not_call(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
    Query(filter): Query<Filter>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<DoNotCallEntry>>> {
    let account = caller.account;
    let below = query.after::<i64>()?.unwrap_or(i64::MAX);
    let search = do_not_call::Search {
        text: filter.text(),
        scope: filter.scope.map(|scope| match scope {
            ScopeKind::Account => "account",
            ScopeKind::Campaign => "campaign",
            ScopeKind::List => "list",
        }),
        now: state.handles.clock.now(),
    };
    let fetch = query.fetch();
    let asked = Arc::clone(&state);
    let (ids, entries) = state
        .handles
        .db
        .read(move |tx| {
            Box::pin(async move {
                let rows = do_not_call::page(tx, account, &search, below, fetch).await?;
                let ids: Vec<i64> = rows.iter().map(|row| row.id.raw()).collect();
                Ok((ids, shown(&asked, tx, account, rows).await?))
            })
        })
        .await?;
    let rows = ids.into_iter().zip(entries).collect();
    Ok(Json(query.page(rows, |(id, _)| *id).map(|(_, entry)| entry)))
}
