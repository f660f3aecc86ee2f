//! The audit trail: who did what, written in the transaction that did it.

use base::{Id, Timestamp, kind};
use clock::Ids;
use db::{Tx, args, sql};
use serde_json::Value;

/// One row to be.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// The account in which it happened.
    pub account: Id<kind::Account>,
    /// Who did it; nobody when nobody was signed in or the program acted by itself.
    pub user: Option<Id<kind::User>>,
    /// Noun and verb, such as `campaign.start`.
    pub action: &'static str,
    /// What it was done to: kind and id, such as `campaign:123`.
    pub subject: String,
    /// What changed, from what to what, from where. Never a secret.
    pub detail: Value,
}

/// Writes the entry. It is there exactly when the change is: both are in `tx`.
pub async fn record(
    tx: &mut Tx<'_>,
    ids: &Ids,
    entry: AuditEntry,
    now: Timestamp,
) -> db::Result<()> {
    tx.exec(
        sql!(
            "INSERT INTO audit (id, account, person, action, subject, detail, at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)"
        ),
        args![
            ids.next::<kind::AuditRow>().raw(),
            entry.account.raw(),
            entry.user.map(Id::raw),
            entry.action,
            entry.subject,
            entry.detail,
            now.micros()
        ],
    )
    .await?;
    Ok(())
}
