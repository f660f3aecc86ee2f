//! The people in a list, as a page shows them.

use std::collections::BTreeMap;

use base::{Id, Timestamp, kind};
use db::{Result, Tx, args, record, sql};
use serde_json::{Value, json};

record! {
    /// A contact without its numbers.
    #[derive(Debug, Clone)]
    pub(crate) struct ContactRow {
        pub(crate) id: Id<kind::ListContact>,
        pub(crate) external_id: Option<String>,
        pub(crate) name: String,
        pub(crate) zone: Option<String>,
        pub(crate) variables: Value,
        pub(crate) source: String,
        pub(crate) updated_at: Timestamp,
    }
}

record! {
    /// A number of a contact.
    #[derive(Debug, Clone)]
    pub(crate) struct NumberRow {
        pub(crate) contact: Id<kind::ListContact>,
        pub(crate) phone: String,
        pub(crate) kind: String,
        pub(crate) forbidden: bool,
    }
}

/// A page of contacts in the order in which they came, after the one given; all of them, or those
/// in whose name, external id or number `search` stands.
pub(crate) async fn page(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    list: Id<kind::ContactList>,
    search: Option<&str>,
    after: i64,
    limit: i64,
) -> Result<Vec<ContactRow>> {
    let Some(search) = search else {
        return tx
            .all(
                sql!(
                    "SELECT id, external_id, name, zone, variables, source, updated_at
                     FROM list_contact WHERE account = $1 AND list = $2 AND id > $3
                     ORDER BY id LIMIT $4"
                ),
                args![account, list, after, limit],
            )
            .await;
    };
    tx.all(
        sql!(
            "SELECT id, external_id, name, zone, variables, source, updated_at
             FROM list_contact
             WHERE account = $1 AND list = $2 AND id > $3 AND search LIKE $5 ESCAPE '!'
             ORDER BY id LIMIT $4"
        ),
        args![account, list, after, limit, pattern(search)],
    )
    .await
}

/// The numbers of `contacts` in the order of calling, each with whether calls to it are forbidden.
pub(crate) async fn numbers(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    contacts: &[ContactRow],
) -> Result<BTreeMap<Id<kind::ListContact>, Vec<NumberRow>>> {
    let keys: Value = contacts.iter().map(|row| (row.id.to_string(), json!(0))).collect();
    let rows: Vec<NumberRow> = tx
        .all(
            sql!(
                "SELECT n.contact, n.phone, n.kind,
                   EXISTS (SELECT 1 FROM do_not_call_entry d
                     WHERE d.account = n.account AND d.phone = n.phone AND d.lifted_at IS NULL
                     AND (d.scope = 'account' OR (d.scope = 'list' AND d.target = n.list)))
                 FROM list_number n WHERE n.account = $1
                 AND n.contact IN (SELECT CAST(key AS BIGINT) FROM json_each($2))
                 ORDER BY n.contact, n.ordinal"
            ),
            args![account, keys],
        )
        .await?;
    let mut by_contact = BTreeMap::<_, Vec<_>>::new();
    for row in rows {
        by_contact.entry(row.contact).or_default().push(row);
    }
    Ok(by_contact)
}

/// The text in which the search box looks.
pub(crate) fn search_text<'a>(
    external_id: Option<&'a str>,
    name: &str,
    phones: impl Iterator<Item = &'a str>,
) -> String {
    let mut text = name.to_lowercase();
    for part in external_id.into_iter().chain(phones) {
        text.push(' ');
        text.push_str(&part.to_lowercase());
    }
    text
}

/// `LIKE` anywhere in the text. A search made of digits and the signs that people put between them
/// is one for a number.
fn pattern(search: &str) -> String {
    let is_number = search.bytes().filter(u8::is_ascii_digit).count() >= 3
        && search.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '+' | '(' | ')' | '-'));
    let text: String = if is_number {
        search.chars().filter(char::is_ascii_digit).collect()
    } else {
        search.to_lowercase()
    };
    let text = text.replace('!', "!!").replace('%', "!%").replace('_', "!_");
    format!("%{text}%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_taken_literally_and_a_number_by_its_digits() {
        assert_eq!(pattern("093 123-45"), "%09312345%");
        assert_eq!(pattern("Оле_на 100%"), "%оле!_на 100!%%");
        assert_eq!(pattern("a!b"), "%a!!b%");
    }
}
