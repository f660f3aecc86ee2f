//! Calls one number, so that a person hears the campaign.

use std::sync::Arc;

use axum::http::StatusCode;
use base::{
    Id, PhoneNumber,
    kind::{Account, Attempt, Campaign},
};
use db::{args, sql};
use host::{
    Handles,
    audit::{self, AuditEntry},
};
use http_kit::{Caller, Fields, Json, Path, Problem, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::oneshot;
use utoipa::ToSchema;

use super::State;
use crate::{
    problems::{CampaignProblem, or},
    runner::{Command, Dialers},
    store::campaigns,
};

/// Whom to call.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TestCall {
    /// The number, in any notation of the account's country, or with `+`.
    phone: String,
}

/// The attempt that was made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TestAttempt {
    /// Its id; the attempts of the campaign show how it goes.
    #[schema(value_type = String)]
    attempt: Id<Attempt>,
}

/// Call one number with a campaign's settings
///
/// Possible in any state, also outside the hours. The do-not-call list and the caps per number hold;
/// the campaign's counters do not change.
#[utoipa::path(
    post, path = "/campaigns/{id}/test-call", operation_id = "test_call", tag = "campaigns",
    params(("id" = String, Path, description = "The campaign.")),
    request_body = TestCall,
    responses((status = 202, body = TestAttempt))
)]
pub(crate) async fn test_call(
    axum::extract::State(dialers): State,
    caller: Caller,
    Path(id): Path<Id<Campaign>>,
    Json(body): Json<TestCall>,
) -> Result<(StatusCode, Json<TestAttempt>)> {
    let account = caller.account;
    let (row, country) = dialers
        .handles
        .db
        .read(move |tx| {
            Box::pin(async move {
                let row = campaigns::get(tx, account, id).await?;
                let country: Option<(String,)> = tx
                    .opt(sql!("SELECT country FROM v_account WHERE account = $1"), args![account])
                    .await?;
                Ok((row, country.map(|(country,)| country)))
            })
        })
        .await
        .map_err(or(CampaignProblem::NotFound))?;
    let phone = readable(&body.phone, country.as_deref())?;
    let Some(rules) = row.setup.rules(row.version) else {
        let mut fields = Fields::new();
        let line = row.setup.line_id.is_some();
        fields.check("line_id", line, "required", "No line is chosen.");
        let audio = row.setup.audio().is_some();
        fields.check("on_answer", audio, "required", "Choose what the callee hears.");
        fields.finish()?;
        return Err(CampaignProblem::NotReady.into());
    };
    let (reply, answer) = oneshot::channel();
    let wish = Command::Test { campaign: id, rules: Arc::new(rules), phone: phone.clone(), reply };
    dialers.tell(account, wish).await;
    let answer = answer.await.map_err(|_| Problem::from(CampaignProblem::NotNow))?;
    let attempt = answer.map_err(Problem::from)?;
    note(&dialers, &caller, id, &phone, attempt, account).await;
    Ok((StatusCode::ACCEPTED, Json(TestAttempt { attempt })))
}

/// The audit row of a call that is up already: should it fail, the log has it.
async fn note(
    dialers: &Dialers,
    caller: &Caller,
    id: Id<Campaign>,
    phone: &PhoneNumber,
    attempt: Id<Attempt>,
    account: Id<Account>,
) {
    let Handles { db, ids, clock, .. } = dialers.handles.clone();
    let now = clock.now();
    let entry = AuditEntry {
        account,
        user: Some(caller.user),
        action: "campaign.test_call",
        subject: format!("campaign:{id}"),
        detail: json!({ "attempt": attempt, "phone": phone }),
    };
    let noted = db
        .write(move |tx| Box::pin(async move { audit::record(tx, &ids, entry, now).await }))
        .await;
    if let Err(error) = noted {
        tracing::error!(%error, attempt.id = %attempt, "test call {attempt} has no audit row");
    }
}

/// A number as people write it, read in the country.
fn readable(text: &str, country: Option<&str>) -> Result<PhoneNumber> {
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    if let Ok(number) = compact.parse() {
        return Ok(number);
    }
    let region = country.and_then(|country| country.parse::<phonenumber::country::Id>().ok());
    phonenumber::parse(region, text)
        .ok()
        .filter(phonenumber::PhoneNumber::is_valid)
        .and_then(|number| number.format().mode(phonenumber::Mode::E164).to_string().parse().ok())
        .ok_or_else(|| CampaignProblem::PhoneUnreadable.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_people_write_it() {
        let read = |text| readable(text, Some("UA")).map(|number| number.to_string()).ok();
        assert_eq!(read("+380 93 123 45 67").as_deref(), Some("+380931234567"));
        assert_eq!(read("(093) 123-45-67").as_deref(), Some("+380931234567"));
        assert_eq!(read("+998 90 123 45 67").as_deref(), Some("+998901234567"));
        assert_eq!(read("+999000001").as_deref(), Some("+999000001"));
        assert_eq!(read("hello"), None);
        assert_eq!(read(""), None);
    }
}
