//! Lists campaigns.

use std::sync::Arc;

use base::Id;
use dialer::CampaignState;
use http_kit::{Caller, CommonProblem, Json, Page, PageQuery, Query, Result};
use serde::Deserialize;
use utoipa::IntoParams;

use super::State;
use crate::{
    store::campaigns::{self, Filter},
    view,
};

/// What the list shows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Only campaigns in this state: draft, running, paused, completed or stopped.
    status: Option<String>,
    /// Part of the name.
    q: Option<String>,
    /// The deleted ones instead of the others.
    #[serde(default)]
    deleted: bool,
}

impl ListQuery {
    fn filter(self, below: i64) -> Result<Filter> {
        let state = match self.status.as_deref().filter(|status| !status.is_empty()) {
            None => None,
            Some(word) => Some(
                word.parse::<CampaignState>()
                    .map_err(|error| CommonProblem::InvalidQuery { reason: error.to_string() })?,
            ),
        };
        let text = self.q.map(|q| q.trim().to_owned()).filter(|q| !q.is_empty());
        Ok(Filter { state, text, deleted: self.deleted, below })
    }
}

/// List campaigns
///
/// The newest first.
#[utoipa::path(
    get, path = "/campaigns", operation_id = "list_campaigns", tag = "campaigns",
    params(ListQuery, PageQuery),
    responses((status = 200, body = Page<view::Campaign>))
)]
pub(crate) async fn list_campaigns(
    axum::extract::State(dialers): State,
    caller: Caller,
    Query(query): Query<ListQuery>,
    Query(paging): Query<PageQuery>,
) -> Result<Json<Page<view::Campaign>>> {
    let account = caller.account;
    let filter = query.filter(paging.after()?.unwrap_or(i64::MAX))?;
    let (limit, core) = (paging.fetch(), Arc::clone(&dialers));
    let rows = dialers
        .handles
        .db
        .read(move |tx| {
            Box::pin(async move {
                let mut views: Vec<(i64, view::Campaign)> = Vec::new();
                for row in campaigns::page(tx, account, &filter, limit).await? {
                    let id = Id::raw(row.id);
                    views.push((id, view::campaign(tx, &core, row).await?.0));
                }
                Ok(views)
            })
        })
        .await?;
    Ok(Json(paging.page(rows, |(id, _)| *id).map(|(_, view)| view)))
}
