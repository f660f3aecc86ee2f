//! What may be said about a number that must not be called, and the units of work that say it.

use base::{Id, PhoneNumber, Timestamp, fact::DoNotCallChanged, kind};
use clock::Ids;
use db::{Result, Tx, outbox};
use host::audit::{self, AuditEntry};
use serde_json::json;

use crate::{
    jobs::expire,
    store::do_not_call::{self, Scope, Terms},
};

/// Who changes the list, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct By {
    pub(crate) account: Id<kind::Account>,
    pub(crate) user: Id<kind::User>,
    pub(crate) now: Timestamp,
}

/// What became of a unit of numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Added {
    /// Numbers that may not be called from now on.
    pub(crate) added: u64,
    /// Numbers that had an entry of this scope.
    pub(crate) known: u64,
}

/// Puts numbers on the list in one unit of work. Those that have an entry of the scope keep it as
/// it is.
pub(crate) async fn add(
    tx: &mut Tx<'_>,
    ids: &Ids,
    by: By,
    phones: &[(PhoneNumber, Terms)],
    scope: Scope,
) -> Result<Added> {
    do_not_call::lock_importing_lists(tx, by.account).await?;
    let mut sums = Added::default();
    let mut new = Vec::new();
    for (phone, terms) in phones {
        let id = ids.next::<kind::DoNotCall>();
        let version =
            do_not_call::forbid(tx, by.account, id, phone, terms, by.user, by.now).await?;
        let Some(version) = version else {
            sums.known += 1;
            continue;
        };
        sums.added += 1;
        tell(tx, ids, by.account, phone, scope, version).await?;
        if let Some(at) = terms.expires_at {
            expire::enqueue(tx, ids, by.account, at).await?;
        }
        new.push(phone.clone());
    }
    do_not_call::recount(tx, by.account, &new, scope, 1).await?;
    Ok(sums)
}

/// Takes one entry off the list; false when it was off it.
pub(crate) async fn remove(
    tx: &mut Tx<'_>,
    ids: &Ids,
    by: By,
    phone: &PhoneNumber,
    scope: Scope,
) -> Result<bool> {
    do_not_call::lock_importing_lists(tx, by.account).await?;
    let version = do_not_call::allow(tx, by.account, phone, scope, by.user, by.now).await?;
    let Some(version) = version else { return Ok(false) };
    tell(tx, ids, by.account, phone, scope, version).await?;
    do_not_call::recount(tx, by.account, std::slice::from_ref(phone), scope, -1).await?;
    Ok(true)
}

/// Publishes that the number's standing changed.
pub(crate) async fn tell(
    tx: &mut Tx<'_>,
    ids: &Ids,
    account: Id<kind::Account>,
    phone: &PhoneNumber,
    scope: Scope,
    version: i64,
) -> Result<()> {
    let about = match scope {
        Scope::Account => String::new(),
        Scope::Campaign(_) | Scope::List(_) => format!(":{}:{}", scope.word(), scope.target()),
    };
    let subject = format!("{}:{phone}{about}", DoNotCallChanged::SUBJECT);
    let fact = DoNotCallChanged { phone: phone.clone() };
    outbox::put(tx, ids, account, &subject, version, &fact).await
}

/// Writes who did what to a number.
pub(crate) async fn record(
    tx: &mut Tx<'_>,
    ids: &Ids,
    by: By,
    action: &'static str,
    phone: &PhoneNumber,
    terms: Option<&Terms>,
    scope: Scope,
) -> Result<()> {
    let entry = AuditEntry {
        account: by.account,
        user: Some(by.user),
        action,
        subject: format!("phone:{phone}"),
        detail: json!({
            "scope": scope.word(),
            "target": (scope != Scope::Account).then(|| scope.target().to_string()),
            "reason": terms.map(|terms| terms.reason.as_str()),
            "expires_at": terms.and_then(|terms| terms.expires_at).map(http_kit::Time),
        }),
    };
    audit::record(tx, ids, entry, by.now).await
}
