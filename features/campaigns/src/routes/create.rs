//! Makes a draft.

use axum::http::StatusCode;
use base::{
    Id,
    kind::{Account, Campaign},
};
use calendar::Zone;
use db::{args, sql};
use dialer::CampaignState;
use host::{
    Handles,
    audit::{self, AuditEntry},
};
use http_kit::{Caller, Json, Result};
use serde_json::{Value, json};

use super::{State, edit, show};
use crate::{
    presets::Chosen,
    runner::Dialers,
    setup::Setup,
    store::campaigns::{self, Row},
    view,
};

/// Make a campaign
///
/// A draft, which may be incomplete. Every setting that is absent gets its default; the time zone is
/// the account's.
#[utoipa::path(
    post, path = "/campaigns", operation_id = "create_campaign", tag = "campaigns",
    request_body = edit::CampaignChange,
    responses((status = 201, body = view::Campaign))
)]
pub(crate) async fn create_campaign(
    axum::extract::State(dialers): State,
    caller: Caller,
    Json(body): Json<Value>,
) -> Result<(StatusCode, Json<view::Campaign>)> {
    let Handles { db, ids, clock, .. } = dialers.handles.clone();
    let (account, user, now) = (caller.account, caller.user, clock.now());
    let id = ids.next::<Campaign>();
    let blank = Row {
        id,
        account,
        name: String::new(),
        notes: String::new(),
        state: CampaignState::Draft,
        preparing: false,
        setup: Setup::new(zone(&dialers, account).await?),
        lists: Vec::new(),
        again: None,
        version: 1,
        created_at: now,
        updated_at: now,
        started_at: None,
        completed_at: None,
        deleted_at: None,
    };
    let (setup, wanted) = (blank.setup.clone(), body.clone());
    let read = db.write(move |tx| {
        let (setup, wanted) = (setup.clone(), wanted.clone());
        Box::pin(async move { Chosen::read(tx, account, &setup, &wanted).await })
    });
    let chosen = read.await??;
    let mut row = edit::apply(blank, body)?.0;
    chosen.copy(&mut row.setup);
    edit::check(&row)?;
    db.write(move |tx| {
        Box::pin(async move {
            campaigns::insert(tx, &row).await?;
            let entry = AuditEntry {
                account,
                user: Some(user),
                action: "campaign.create",
                subject: format!("campaign:{id}"),
                detail: json!({ "name": row.name }),
            };
            audit::record(tx, &ids, entry, now).await
        })
    })
    .await?;
    super::touch(&dialers, account, id);
    Ok((StatusCode::CREATED, show(&dialers, account, id).await?))
}

/// The account's zone; UTC should it be unknown to this version's zone database.
async fn zone(dialers: &Dialers, account: Id<Account>) -> Result<Zone> {
    let name: Option<(String,)> = dialers
        .handles
        .db
        .read(move |tx| {
            Box::pin(async move {
                tx.opt(sql!("SELECT time_zone FROM v_account WHERE account = $1"), args![account])
                    .await
            })
        })
        .await?;
    Ok(name.and_then(|(name,)| name.parse().ok()).unwrap_or_else(Zone::utc))
}
