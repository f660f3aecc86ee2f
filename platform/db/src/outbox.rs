//! Facts, written in the unit of work that made them true; carried on by `bus`.

use base::{
    Id,
    kind::{Account, OutboxRow},
};
use clock::Ids;
use serde::Serialize;

use crate::{Error, Result, Tx, args, sql};

/// What [`crate::Db::woken`] calls a commit with facts in it.
pub const WAKE: &str = "outbox";

/// Writes a fact in the unit of work of `tx`: it is delivered if and only if the unit is kept.
///
/// `subject` is the topic that listeners name and, after a colon, the key of the row that it is
/// about: `campaign.changed:123`. Facts of one subject and account are delivered in the order of
/// `version`, the row's own counter (ids are made before the commit and may be out of order).
pub async fn put(
    tx: &mut Tx<'_>,
    ids: &Ids,
    account: Id<Account>,
    subject: &str,
    version: i64,
    fact: &impl Serialize,
) -> Result<()> {
    let payload = serde_json::to_value(fact).map_err(|e| Error::Db(format!("{subject}: {e}")))?;
    let row = ids.next::<OutboxRow>();
    let insert = sql!(
        "INSERT INTO outbox (id, account, subject, version, payload, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)"
    );
    let now = ids.clock().now();
    tx.exec(insert, args![row, account, subject, version, payload, now]).await?;
    tx.wake(WAKE);
    Ok(())
}
