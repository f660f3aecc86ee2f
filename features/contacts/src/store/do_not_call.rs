//! The numbers that must not be called: by nobody in the account, by one campaign, or by the
//! campaigns that call one list.

use base::{Id, PhoneNumber, Timestamp, kind};
use db::{Result, Tx, args, record, sql};
use serde_json::{Value, json};

/// Rows that one unit of work changes.
pub(crate) const UNIT: i64 = 500;

/// For whom an entry holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Everybody in the account.
    Account,
    /// One campaign.
    Campaign(Id<kind::Campaign>),
    /// Every campaign that calls the list.
    List(Id<kind::ContactList>),
}

impl Scope {
    /// As stored and as shown by the API.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Campaign(_) => "campaign",
            Self::List(_) => "list",
        }
    }

    /// The id of what it names, 0 for the account.
    pub(crate) const fn target(self) -> i64 {
        match self {
            Self::Account => 0,
            Self::Campaign(id) => id.raw(),
            Self::List(id) => id.raw(),
        }
    }

    /// What was stored.
    pub(crate) fn of(word: &str, target: i64) -> Option<Self> {
        match word {
            "account" => Some(Self::Account),
            "campaign" => Some(Self::Campaign(Id::from_raw(target))),
            "list" => Some(Self::List(Id::from_raw(target))),
            _ => None,
        }
    }
}

/// What an entry says beside its number.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    pub(crate) scope: Scope,
    /// `by_hand`, `contact` or `file`.
    pub(crate) source: &'static str,
    pub(crate) reason: String,
    pub(crate) expires_at: Option<Timestamp>,
}

record! {
    /// An entry as pages show it.
    #[derive(Debug, Clone)]
    pub(crate) struct EntryRow {
        pub(crate) id: Id<kind::DoNotCall>,
        pub(crate) phone: PhoneNumber,
        pub(crate) scope: String,
        pub(crate) target: i64,
        pub(crate) list: Option<String>,
        pub(crate) source: String,
        pub(crate) reason: String,
        pub(crate) by: Option<String>,
        pub(crate) forbidden_at: Timestamp,
        pub(crate) expires_at: Option<Timestamp>,
    }
}

/// Waits for units of imports that are being committed, and keeps the next ones waiting: neither
/// side's count then misses a number of the other's.
pub(crate) async fn lock_importing_lists(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
) -> Result<()> {
    tx.exec(
        sql!(
            "UPDATE contact_list SET version = version
             WHERE account = $1 AND id IN
             (SELECT list FROM import WHERE account = $1 AND state IN ('ready', 'running'))"
        ),
        args![account],
    )
    .await
    .map(drop)
}

/// Forbids calls to `phone`. The row's new version, or nothing when they were forbidden already.
/// The counters of lists are for the caller to correct, with [`recount`].
pub(crate) async fn forbid(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    id: Id<kind::DoNotCall>,
    phone: &PhoneNumber,
    terms: &Terms,
    by: Id<kind::User>,
    now: Timestamp,
) -> Result<Option<i64>> {
    let version: Option<(i64,)> = tx
        .opt(
            sql!(
                "INSERT INTO do_not_call_entry (id, account, phone, scope, target, source, reason,
                   version, changed_by, forbidden_at, expires_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $9, $10)
                 ON CONFLICT (account, phone, scope, target) DO UPDATE
                 SET reason = excluded.reason, version = do_not_call_entry.version + 1,
                     source = excluded.source, changed_by = excluded.changed_by,
                     forbidden_at = excluded.forbidden_at, expires_at = excluded.expires_at,
                     lifted_at = NULL
                 WHERE do_not_call_entry.lifted_at IS NOT NULL
                 RETURNING version"
            ),
            args![
                id,
                account,
                phone,
                terms.scope.word(),
                terms.scope.target(),
                terms.source,
                &terms.reason,
                by,
                now,
                terms.expires_at
            ],
        )
        .await?;
    Ok(version.map(|(version,)| version))
}

/// Gives an entry that stands another reason and another end. Its new version.
pub(crate) async fn change(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    phone: &PhoneNumber,
    terms: &Terms,
    by: Id<kind::User>,
) -> Result<Option<i64>> {
    let version: Option<(i64,)> = tx
        .opt(
            sql!(
                "UPDATE do_not_call_entry
                 SET reason = $5, expires_at = $6, changed_by = $7, version = version + 1
                 WHERE account = $1 AND phone = $2 AND scope = $3 AND target = $4
                   AND lifted_at IS NULL RETURNING version"
            ),
            args![
                account,
                phone,
                terms.scope.word(),
                terms.scope.target(),
                &terms.reason,
                terms.expires_at,
                by
            ],
        )
        .await?;
    Ok(version.map(|(version,)| version))
}

/// Takes an entry off the list. The row's new version, or nothing when it was off it.
pub(crate) async fn allow(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    phone: &PhoneNumber,
    scope: Scope,
    by: Id<kind::User>,
    now: Timestamp,
) -> Result<Option<i64>> {
    let version: Option<(i64,)> = tx
        .opt(
            sql!(
                "UPDATE do_not_call_entry
                 SET lifted_at = $6, changed_by = $5, version = version + 1
                 WHERE account = $1 AND phone = $2 AND scope = $3 AND target = $4
                   AND lifted_at IS NULL
                 RETURNING version"
            ),
            args![account, phone, scope.word(), scope.target(), by, now],
        )
        .await?;
    Ok(version.map(|(version,)| version))
}

record! {
    /// An entry whose time is over.
    pub(crate) struct Expired {
        pub(crate) phone: PhoneNumber,
        pub(crate) scope: String,
        pub(crate) target: i64,
        pub(crate) version: i64,
    }
}

/// Takes off up to [`UNIT`] entries that hold no longer, all of one scope.
pub(crate) async fn expire(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    now: Timestamp,
) -> Result<Vec<Expired>> {
    tx.all(
        sql!(
            "UPDATE do_not_call_entry SET lifted_at = $2, version = version + 1
             WHERE id IN (SELECT id FROM do_not_call_entry
               WHERE account = $1 AND expires_at <= $2 AND lifted_at IS NULL
               AND (scope, target) = (SELECT scope, target FROM do_not_call_entry
                 WHERE account = $1 AND expires_at <= $2 AND lifted_at IS NULL
                 ORDER BY expires_at, id LIMIT 1)
               ORDER BY expires_at, id LIMIT $3)
             RETURNING phone, scope, target, version"
        ),
        args![account, now, UNIT],
    )
    .await
}

/// The lists that have the number, so that their pages are told.
pub(crate) async fn lists_with(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    phones: &[PhoneNumber],
) -> Result<Vec<Id<kind::ContactList>>> {
    let lists: Vec<(Id<kind::ContactList>,)> = tx
        .all(
            sql!(
                "SELECT DISTINCT list FROM list_number
                 WHERE account = $1 AND phone IN (SELECT key FROM json_each($2))
                 LIMIT 1000"
            ),
            args![account, keys(phones)],
        )
        .await?;
    Ok(lists.into_iter().map(|(list,)| list).collect())
}

fn keys(phones: &[PhoneNumber]) -> Value {
    phones.iter().map(|phone| (phone.as_str().to_owned(), json!(0))).collect()
}

/// Corrects the counter of every list that has one of the numbers, by `sign` for each row of it,
/// after their entries of a scope were added or taken off. Numbers that another entry forbids to
/// the same list are counted already, and go on being so.
pub(crate) async fn recount(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    phones: &[PhoneNumber],
    scope: Scope,
    sign: i64,
) -> Result<()> {
    if matches!(scope, Scope::Campaign(_)) || phones.is_empty() {
        return Ok(());
    }
    tx.exec(
        sql!(
            "UPDATE contact_list SET do_not_call = do_not_call + $5 *
               (SELECT COUNT(*) FROM list_number n
                WHERE n.account = $1 AND n.list = contact_list.id
                AND n.phone IN (SELECT key FROM json_each($2))
                AND NOT EXISTS (SELECT 1 FROM do_not_call_entry d
                  WHERE d.account = $1 AND d.phone = n.phone AND d.lifted_at IS NULL
                  AND NOT (d.scope = $3 AND d.target = $4)
                  AND (d.scope = 'account' OR (d.scope = 'list' AND d.target = n.list))))
             WHERE account = $1 AND ($3 = 'account' OR id = $4)
             AND id IN (SELECT list FROM list_number
               WHERE account = $1 AND phone IN (SELECT key FROM json_each($2)))"
        ),
        args![account, keys(phones), scope.word(), scope.target(), sign],
    )
    .await
    .map(drop)
}

/// What to look for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Search {
    /// Part of the number's digits or of the reason, small letters.
    pub(crate) text: Option<String>,
    pub(crate) scope: Option<&'static str>,
    pub(crate) now: Timestamp,
}

/// Entries that hold, the newest first, below the id given.
pub(crate) async fn page(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    search: &Search,
    below: i64,
    limit: i64,
) -> Result<Vec<EntryRow>> {
    let pattern = search.text.as_ref().map(|text| {
        let text = text.replace('!', "!!").replace('%', "!%").replace('_', "!_");
        format!("%{text}%")
    });
    tx.all(
        sql!(
            "SELECT d.id, d.phone, d.scope, d.target, l.name, d.source, d.reason, p.name,
               d.forbidden_at, d.expires_at
             FROM do_not_call_entry d
             LEFT JOIN contact_list l
               ON l.account = d.account AND d.scope = 'list' AND l.id = d.target
             LEFT JOIN v_person p ON p.account = d.account AND p.person = d.changed_by
             WHERE d.account = $1 AND d.lifted_at IS NULL AND d.id < $2
               AND (d.expires_at IS NULL OR d.expires_at > $3)
               AND (d.scope = $4 OR $4 IS NULL)
               AND (d.phone LIKE $5 ESCAPE '!' OR LOWER(d.reason) LIKE $5 ESCAPE '!'
                 OR $5 IS NULL)
             ORDER BY d.id DESC LIMIT $6"
        ),
        args![account, below, search.now, search.scope, pattern, limit],
    )
    .await
}

/// Every entry about a number that holds, the widest first.
pub(crate) async fn about(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    phone: &PhoneNumber,
    now: Timestamp,
) -> Result<Vec<EntryRow>> {
    tx.all(
        sql!(
            "SELECT d.id, d.phone, d.scope, d.target, l.name, d.source, d.reason, p.name,
               d.forbidden_at, d.expires_at
             FROM do_not_call_entry d
             LEFT JOIN contact_list l
               ON l.account = d.account AND d.scope = 'list' AND l.id = d.target
             LEFT JOIN v_person p ON p.account = d.account AND p.person = d.changed_by
             WHERE d.account = $1 AND d.phone = $2 AND d.lifted_at IS NULL
               AND (d.expires_at IS NULL OR d.expires_at > $3)
             ORDER BY CASE d.scope WHEN 'account' THEN 0 ELSE 1 END, d.id LIMIT 200"
        ),
        args![account, phone, now],
    )
    .await
}

record! {
    /// What an entry is about.
    pub(crate) struct Subject {
        pub(crate) phone: PhoneNumber,
        pub(crate) scope: String,
        pub(crate) target: i64,
    }
}

/// One entry that stands, by its id.
pub(crate) async fn get(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    id: Id<kind::DoNotCall>,
) -> Result<Subject> {
    tx.one(
        sql!(
            "SELECT phone, scope, target FROM do_not_call_entry
             WHERE account = $1 AND id = $2 AND lifted_at IS NULL"
        ),
        args![account, id],
    )
    .await
}

/// Forgets the entries of a list that is gone.
pub(crate) async fn forget_list(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    list: Id<kind::ContactList>,
) -> Result<u64> {
    tx.exec(
        sql!("DELETE FROM do_not_call_entry WHERE account = $1 AND scope = 'list' AND target = $2"),
        args![account, list],
    )
    .await
}
