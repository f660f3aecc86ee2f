//! The audit trail: who did what, from where, written in the transaction that did it.

use base::{
    Id, Timestamp,
    kind::{Account, AuditRow, User},
};
use clock::Ids;
use db::{Result, Tx, args, record, sql};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// What stands where a secret was.
const MASK: &str = "•••";
/// Parts of the names of fields that hold secrets.
const SECRET: [&str; 6] = ["password", "secret", "token", "cookie", "authorization", "private_key"];

/// One row to be.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// The account in which it happened.
    pub account: Id<Account>,
    /// Who did it; nobody when nobody was signed in or the program acted by itself.
    pub user: Option<Id<User>>,
    /// Noun and verb, such as `campaign.start`.
    pub action: &'static str,
    /// What it was done to: kind and id, such as `campaign:123`.
    pub subject: String,
    /// What changed: a field that holds two values changed from the first to the second, best made
    /// by [`changes`]. Fields that are named like secrets are masked.
    pub detail: Value,
}

/// Writes the entry. It is there exactly when the change is: both are in `tx`. Where the wish came
/// from is known to `tx`, see [`db::origin`].
pub async fn record(tx: &mut Tx<'_>, ids: &Ids, entry: AuditEntry, now: Timestamp) -> Result<()> {
    let insert = sql!(
        "INSERT INTO audit (id, account, person, action, subject, detail, at, address)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
    );
    let mut detail = entry.detail;
    mask(&mut detail);
    let address = tx.origin().map(str::to_owned);
    let id = ids.next::<AuditRow>();
    let AuditEntry { account, user, action, subject, .. } = entry;
    tx.exec(insert, args![id, account, user, action, subject, detail, now, address]).await.map(drop)
}

/// The fields in which two states of a thing differ: `{"name": ["before", "after"]}`.
pub fn changes(before: &impl Serialize, after: &impl Serialize) -> Map<String, Value> {
    let fields = |thing: Value| if let Value::Object(fields) = thing { fields } else { Map::new() };
    let mut before = fields(serde_json::to_value(before).unwrap_or_default());
    let mut changes = Map::new();
    for (name, after) in fields(serde_json::to_value(after).unwrap_or_default()) {
        let before = before.remove(&name).unwrap_or_default();
        if before != after {
            changes.insert(name, json!([before, after]));
        }
    }
    for (name, before) in before {
        if !before.is_null() {
            changes.insert(name, json!([before, null]));
        }
    }
    changes
}

/// Takes away what is named like a secret; that it was there stays to be seen.
fn mask(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let name = name.to_lowercase();
                if SECRET.iter().any(|secret| name.contains(secret)) {
                    cover(value);
                } else {
                    mask(value);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(mask),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn cover(value: &mut Value) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Array(values) => values.iter_mut().for_each(cover),
        Value::Number(_) | Value::String(_) | Value::Object(_) => *value = json!(MASK),
    }
}

record! {
    /// One row of the trail.
    #[derive(Debug, Clone, PartialEq)]
    pub struct Audited {
        /// It tells rows apart, in the order of time.
        pub id: Id<AuditRow>,
        /// Who did it.
        pub user: Option<Id<User>>,
        /// Noun and verb.
        pub action: String,
        /// What it was done to: kind and id.
        pub subject: String,
        /// What changed.
        pub detail: Value,
        /// When.
        pub at: Timestamp,
        /// From which address.
        pub address: Option<String>,
    }
}

/// Which rows of the trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only what this person did.
    pub user: Option<Id<User>>,
    /// Only this action.
    pub action: Option<String>,
    /// Only what was done to this.
    pub subject: Option<String>,
    /// Only ids from this one on; see [`Id::first_at`].
    pub from: i64,
    /// Only ids below this one.
    pub below: i64,
}

impl Default for AuditFilter {
    fn default() -> Self {
        Self { user: None, action: None, subject: None, from: 0, below: i64::MAX }
    }
}

/// Rows of an account's trail, the newest first. Each kind of filter goes along an index of its own.
pub async fn page(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    filter: &AuditFilter,
    limit: i64,
) -> Result<Vec<Audited>> {
    let AuditFilter { user, action, subject, from, below } = filter;
    let (from, below) = (*from, *below);
    match (subject, user, action) {
        (Some(subject), user, action) => {
            let select = sql!(
                "SELECT id, person, action, subject, detail, at, address FROM audit
                 WHERE account = $1 AND subject = $2 AND id >= $3 AND id < $4
                   AND (person = $5 OR $5 IS NULL) AND (action = $6 OR $6 IS NULL)
                 ORDER BY id DESC LIMIT $7"
            );
            tx.all(select, args![account, subject, from, below, *user, action, limit]).await
        }
        (None, Some(user), Some(action)) => {
            let select = sql!(
                "SELECT id, person, action, subject, detail, at, address FROM audit
                 WHERE account = $1 AND person = $2 AND action = $3 AND id >= $4 AND id < $5
                 ORDER BY id DESC LIMIT $6"
            );
            tx.all(select, args![account, *user, action, from, below, limit]).await
        }
        (None, Some(user), None) => {
            let select = sql!(
                "SELECT id, person, action, subject, detail, at, address FROM audit
                 WHERE account = $1 AND person = $2 AND id >= $3 AND id < $4
                 ORDER BY id DESC LIMIT $5"
            );
            tx.all(select, args![account, *user, from, below, limit]).await
        }
        (None, None, Some(action)) => {
            let select = sql!(
                "SELECT id, person, action, subject, detail, at, address FROM audit
                 WHERE account = $1 AND action = $2 AND id >= $3 AND id < $4
                 ORDER BY id DESC LIMIT $5"
            );
            tx.all(select, args![account, action, from, below, limit]).await
        }
        (None, None, None) => {
            let select = sql!(
                "SELECT id, person, action, subject, detail, at, address FROM audit
                 WHERE account = $1 AND id >= $2 AND id < $3 ORDER BY id DESC LIMIT $4"
            );
            tx.all(select, args![account, from, below, limit]).await
        }
    }
}

/// For how many days an account keeps its trail; 0 is for ever.
pub async fn days(tx: &mut Tx<'_>, account: Id<Account>) -> Result<u32> {
    let select = sql!("SELECT days FROM audit_retention WHERE account = $1");
    let found: Option<(u32,)> = tx.opt(select, args![account]).await?;
    Ok(found.map_or(0, |(days,)| days))
}

/// Sets for how many days an account keeps its trail.
pub async fn set_days(tx: &mut Tx<'_>, account: Id<Account>, days: u32) -> Result<()> {
    let put = sql!(
        "INSERT INTO audit_retention (account, days) VALUES ($1, $2)
         ON CONFLICT (account) DO UPDATE SET days = excluded.days"
    );
    tx.exec(put, args![account, days]).await.map(drop)
}

/// How many rows of an account were written before then.
pub async fn count_before(tx: &mut Tx<'_>, account: Id<Account>, before: Timestamp) -> Result<i64> {
    let select = sql!("SELECT COUNT(*) FROM audit WHERE account = $1 AND id < $2");
    let (rows,): (i64,) = tx.one(select, args![account, Id::<AuditRow>::first_at(before)]).await?;
    Ok(rows)
}

/// Removes up to `limit` of the oldest rows that were written before then; how many.
pub async fn prune(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    before: Timestamp,
    limit: i64,
) -> Result<u64> {
    let remove = sql!(
        "DELETE FROM audit WHERE id IN (
           SELECT id FROM audit WHERE account = $1 AND id < $2 ORDER BY id LIMIT $3)"
    );
    tx.exec(remove, args![account, Id::<AuditRow>::first_at(before), limit]).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_told_with_both_values() {
        let before = json!({ "name": "A", "port": 5060, "gone": 1 });
        let after = json!({ "name": "B", "port": 5060, "new": true });
        assert_eq!(
            Value::Object(changes(&before, &after)),
            json!({ "name": ["A", "B"], "new": [null, true], "gone": [1, null] })
        );
    }

    #[test]
    fn secrets_are_covered_wherever_they_stand() {
        let mut detail = json!({
            "name": "L", "Password": ["old", "new"], "tested": true,
            "settings": { "auth": { "api_token": "abc", "header": "X" } },
            "list": [{ "client_secret": { "key": 1 } }], "password": null, "has_password": true,
        });
        mask(&mut detail);
        assert_eq!(
            detail,
            json!({
                "name": "L", "Password": [MASK, MASK], "tested": true,
                "settings": { "auth": { "api_token": MASK, "header": "X" } },
                "list": [{ "client_secret": MASK }], "password": null, "has_password": true,
            })
        );
    }
}
