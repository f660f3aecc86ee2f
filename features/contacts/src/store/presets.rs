//! The mapping that an account last used for files with the same heads.

use base::{Id, Timestamp, kind};
use db::{Error, Result, Tx, args, sql};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::mapping::Mapping;

type Account = Id<kind::Account>;

/// How long one that nobody uses is kept, in days.
const KEPT_DAYS: u64 = 400;

/// A mapping that was used.
#[derive(Debug, Clone)]
pub(crate) struct Preset {
    pub(crate) mapping: Mapping,
    pub(crate) region: String,
    pub(crate) used_at: Timestamp,
}

/// The same heads have the same key, in whatever order and case.
fn key(columns: &[String]) -> String {
    let mut heads: Vec<String> = columns.iter().map(|head| head.to_lowercase()).collect();
    heads.sort_unstable();
    let mut digest = Sha256::new();
    for head in heads {
        digest.update((head.len() as u64).to_le_bytes());
        digest.update(head);
    }
    digest.finalize().iter().fold(String::new(), |key, byte| key + &format!("{byte:02x}"))
}

/// What was last used for these heads, if it still fits.
pub(crate) async fn find(
    tx: &mut Tx<'_>,
    account: Account,
    columns: &[String],
) -> Result<Option<Preset>> {
    let found: Option<(Value, String, Timestamp)> = tx
        .opt(
            sql!(
                "SELECT mapping, region, used_at FROM mapping_preset
                 WHERE account = $1 AND columns_key = $2"
            ),
            args![account, key(columns)],
        )
        .await?;
    let Some((mapping, region, used_at)) = found else { return Ok(None) };
    let mapping: Mapping =
        serde_json::from_value(mapping).map_err(|error| Error::Decode(error.to_string()))?;
    let fitted = mapping.fitted(columns);
    Ok(fitted.map(|mapping| Preset { mapping, region, used_at }))
}

/// Remembers what these heads held, and forgets what was not used for long.
pub(crate) async fn remember(
    tx: &mut Tx<'_>,
    account: Account,
    columns: &[String],
    mapping: &Mapping,
    region: &str,
    now: Timestamp,
) -> Result<()> {
    let old = now.minus(std::time::Duration::from_hours(KEPT_DAYS * 24));
    tx.exec(
        sql!("DELETE FROM mapping_preset WHERE account = $1 AND used_at < $2"),
        args![account, old],
    )
    .await?;
    tx.exec(
        sql!(
            "INSERT INTO mapping_preset (account, columns_key, mapping, region, used_at)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (account, columns_key) DO UPDATE
             SET mapping = excluded.mapping, region = excluded.region,
                 used_at = excluded.used_at"
        ),
        args![account, key(columns), json!(mapping), region, now],
    )
    .await
    .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heads(heads: &[&str]) -> Vec<String> {
        heads.iter().map(|head| (*head).to_owned()).collect()
    }

    #[test]
    fn order_and_case_do_not_matter_but_every_head_does() {
        let one = key(&heads(&["Phone", "Ім'я"]));
        assert_eq!(one, key(&heads(&["ІМ'Я", "phone"])));
        assert_ne!(one, key(&heads(&["phone"])));
        assert_ne!(key(&heads(&["ab", "c"])), key(&heads(&["a", "bc"])));
    }
}
