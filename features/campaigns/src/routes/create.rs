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
use http_kit::{Caller, Fields, Json, Problem, Result};
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
/// the account's. A copy of a campaign that is run again calls the same contacts again.
#[utoipa::path(
    post, path = "/campaigns", operation_id = "create_campaign", tag = "campaigns",
    request_body = edit::CampaignChange,
    responses((status = 201, body = view::Campaign))
)]
pub(crate) async fn create_campaign(
    axum::extract::State(dialers): State,
    caller: Caller,
    Json(mut body): Json<Value>,
) -> Result<(StatusCode, Json<view::Campaign>)> {
    let original = original(&mut body)?;
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
            let mut detail = json!({ "name": row.name });
            if let Some(original) = original {
                detail["copy_of"] = json!(original);
                if !campaigns::is_there(tx, account, original).await? {
                    return Ok(Err(no_original()));
                }
            }
            campaigns::insert(tx, &row).await?;
            if let Some(original) = original {
                campaigns::copy_again(tx, original, id).await?;
            }
            let entry = AuditEntry {
                account,
                user: Some(user),
                action: "campaign.create",
                subject: format!("campaign:{id}"),
                detail,
            };
            audit::record(tx, &ids, entry, now).await?;
            Ok(Ok(()))
        })
    })
    .await??;
    super::touch(&dialers, account, id);
    Ok((StatusCode::CREATED, show(&dialers, account, id).await?))
}

/// The campaign that the new one is a copy of, taken out of the body.
fn original(body: &mut Value) -> Result<Option<Id<Campaign>>> {
    let named = body.as_object_mut().and_then(|fields| fields.remove("copy_of"));
    serde_json::from_value(named.unwrap_or_default()).map_err(|_| no_original())
}

fn no_original() -> Problem {
    let mut fields = Fields::new();
    fields.fault("copy_of", "campaign_not_found", "There is no such campaign.");
    fields.finish().err().unwrap_or_else(|| Problem::unexpected("no fault"))
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
