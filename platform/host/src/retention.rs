//! How long an account keeps what it gathers: days chosen by a person, work that removes the rest.

use std::{future::Future, time::Duration};

use base::{Id, Timestamp, kind::Account};
use db::Tx;
use http_kit::{Caller, Fields, Result};
use serde_json::json;

use crate::{
    Handles,
    audit::{self, AuditEntry},
};

/// The longest that can be chosen, in days: a hundred years.
const MOST_DAYS: u32 = 36_500;
/// The key of an account's schedule.
const KEY: &str = "old";
/// How often what is too old is looked for.
const ROUND: Duration = Duration::from_hours(24);

/// Something that is kept for so many days; 0 is for ever.
pub trait Retention: 'static {
    /// What the audit trail calls the choice: `recording.retention`.
    const ACTION: &'static str;
    /// The kind of the job that removes what is too old.
    const JOB: &'static str;

    /// What the account has chosen.
    fn days(tx: &mut Tx<'_>, account: Id<Account>) -> impl Future<Output = db::Result<u32>> + Send;

    /// Stores what the account has chosen.
    fn set_days(
        tx: &mut Tx<'_>,
        account: Id<Account>,
        days: u32,
        now: Timestamp,
    ) -> impl Future<Output = db::Result<()>> + Send;
}

/// Refuses days that cannot be chosen, in the words of a form.
pub fn check(days: u32) -> Result<()> {
    let mut fields = Fields::new();
    fields.number("days", days, 0..=MOST_DAYS);
    fields.finish()
}

/// The moment before which things go.
pub fn limit(now: Timestamp, days: u32) -> Timestamp {
    now.minus(Duration::from_hours(24) * days)
}

/// Keeps things for so many days from now on, or for ever; what is older goes at once and from then
/// on every day. A choice that changes something is in the trail.
pub async fn choose<R: Retention>(handles: &Handles, caller: &Caller, days: u32) -> Result<()> {
    check(days)?;
    let Handles { db, ids, clock, .. } = handles.clone();
    let (account, user, now) = (caller.account, caller.user, clock.now());
    let write = db.write(move |tx| {
        Box::pin(async move {
            let before = R::days(tx, account).await?;
            if before == days {
                return Ok(());
            }
            R::set_days(tx, account, days, now).await?;
            if days == 0 {
                jobs::unschedule(tx, account, R::JOB, KEY).await?;
            } else {
                jobs::schedule(tx, account, R::JOB, KEY, json!({}), ROUND, now).await?;
            }
            let entry = AuditEntry {
                account,
                user: Some(user),
                action: R::ACTION,
                subject: format!("account:{account}"),
                detail: json!({ "days": [before, days] }),
            };
            audit::record(tx, &ids, entry, now).await
        })
    });
    Ok(write.await?)
}
