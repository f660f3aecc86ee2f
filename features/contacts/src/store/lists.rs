//! Contact lists.

use base::{Id, Timestamp, kind};
use db::{Error, Result, Tx, args, record, sql};

type Account = Id<kind::Account>;
type List = Id<kind::ContactList>;

record! {
    /// A list as a page shows it.
    #[derive(Debug, Clone)]
    pub(crate) struct ListRow {
        pub(crate) id: List,
        pub(crate) name: String,
        pub(crate) contacts: i64,
        pub(crate) numbers: i64,
        pub(crate) do_not_call: i64,
        pub(crate) created_at: Timestamp,
        pub(crate) updated_at: Timestamp,
    }
}

/// Why a list cannot have the name.
pub(crate) enum NameError {
    Taken,
    Db(Error),
}

impl From<Error> for NameError {
    fn from(error: Error) -> Self {
        // Two requests at the same moment: the unique index has the last word.
        let is_taken = matches!(&error, Error::Conflict(key) if key.starts_with("contact_list"));
        if is_taken { Self::Taken } else { Self::Db(error) }
    }
}

/// A page of lists in the order of their names, after the name and id given.
pub(crate) async fn page(
    tx: &mut Tx<'_>,
    account: Account,
    after: Option<(String, i64)>,
    limit: i64,
) -> Result<Vec<ListRow>> {
    let (name, id) = after.unwrap_or_default();
    tx.all(
        sql!(
            "SELECT id, name, contacts, numbers, do_not_call, created_at, updated_at
             FROM contact_list
             WHERE account = $1 AND deleted_at IS NULL AND (name_key, id) > ($2, $3)
             ORDER BY name_key, id LIMIT $4"
        ),
        args![account, name, id, limit],
    )
    .await
}

/// One list; `NotFound` when it is deleted or another account's.
pub(crate) async fn get(tx: &mut Tx<'_>, account: Account, id: List) -> Result<ListRow> {
    tx.one(
        sql!(
            "SELECT id, name, contacts, numbers, do_not_call, created_at, updated_at
             FROM contact_list WHERE account = $1 AND id = $2 AND deleted_at IS NULL"
        ),
        args![account, id],
    )
    .await
}

/// How names are compared and sorted.
pub(crate) fn name_key(name: &str) -> String {
    name.to_lowercase()
}

/// Whether another list than `but` has the name.
pub(crate) async fn is_taken(
    tx: &mut Tx<'_>,
    account: Account,
    name: &str,
    but: Option<List>,
) -> Result<bool> {
    let other: Option<(List,)> = tx
        .opt(
            sql!(
                "SELECT id FROM contact_list
                 WHERE account = $1 AND name_key = $2 AND deleted_at IS NULL"
            ),
            args![account, name_key(name)],
        )
        .await?;
    Ok(other.is_some_and(|(id,)| Some(id) != but))
}

/// A new, empty list.
pub(crate) async fn insert(
    tx: &mut Tx<'_>,
    account: Account,
    id: List,
    name: &str,
    now: Timestamp,
) -> Result<()> {
    tx.exec(
        sql!(
            "INSERT INTO contact_list (id, account, name, name_key, contacts, numbers, do_not_call,
                                       version, created_at, updated_at)
             VALUES ($1, $2, $3, $4, 0, 0, 0, 0, $5, $5)"
        ),
        args![id, account, name, name_key(name), now],
    )
    .await
    .map(drop)
}

/// Another name; `NotFound` when there is no such list.
pub(crate) async fn rename(
    tx: &mut Tx<'_>,
    account: Account,
    id: List,
    name: &str,
    now: Timestamp,
) -> Result<()> {
    let renamed = tx
        .exec(
            sql!(
                "UPDATE contact_list SET name = $3, name_key = $4, updated_at = $5
                 WHERE account = $1 AND id = $2 AND deleted_at IS NULL"
            ),
            args![account, id, name, name_key(name), now],
        )
        .await?;
    if renamed == 1 { Ok(()) } else { Err(Error::NotFound) }
}

/// Hides the list from now on; its contacts are removed by a job. `NotFound` when it is hidden
/// already.
pub(crate) async fn hide(
    tx: &mut Tx<'_>,
    account: Account,
    id: List,
    now: Timestamp,
) -> Result<()> {
    let hidden = tx
        .exec(
            sql!(
                "UPDATE contact_list SET deleted_at = $3, version = version + 1
                 WHERE account = $1 AND id = $2 AND deleted_at IS NULL"
            ),
            args![account, id, now],
        )
        .await?;
    if hidden == 1 { Ok(()) } else { Err(Error::NotFound) }
}

/// Removes up to `limit` contacts of a hidden list, and the list itself with the last of them.
/// True when nothing is left.
pub(crate) async fn remove_some(
    tx: &mut Tx<'_>,
    account: Account,
    id: List,
    limit: i64,
) -> Result<bool> {
    tx.exec(
        sql!(
            "DELETE FROM list_number WHERE contact IN
             (SELECT id FROM list_contact WHERE account = $1 AND list = $2 ORDER BY id LIMIT $3)"
        ),
        args![account, id, limit],
    )
    .await?;
    let removed = tx
        .exec(
            sql!(
                "DELETE FROM list_contact WHERE id IN
                 (SELECT id FROM list_contact WHERE account = $1 AND list = $2
                  ORDER BY id LIMIT $3)"
            ),
            args![account, id, limit],
        )
        .await?;
    if removed > 0 {
        return Ok(false);
    }
    super::sources::remove_of_list(tx, account, id).await?;
    let rows = tx
        .exec(
            sql!(
                "DELETE FROM import_row WHERE import IN
                 (SELECT id FROM import WHERE account = $1 AND list = $2)"
            ),
            args![account, id],
        )
        .await?;
    tracing::debug!(list = %id, rows, "the rejected rows of a deleted list are gone");
    tx.exec(sql!("DELETE FROM import WHERE account = $1 AND list = $2"), args![account, id])
        .await?;
    super::do_not_call::forget_list(tx, account, id).await?;
    tx.exec(
        sql!(
            "DELETE FROM contact_list
             WHERE account = $1 AND id = $2 AND deleted_at IS NOT NULL"
        ),
        args![account, id],
    )
    .await?;
    Ok(true)
}
