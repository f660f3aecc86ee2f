//! Accounts.

use base::{Id, Locale, Timestamp, kind};
use db::{Result, Tx, args, record, sql};

use super::word;

record! {
    /// An account.
    #[derive(Debug, Clone)]
    pub(crate) struct AccountRow {
        pub(crate) id: Id<kind::Account>,
        pub(crate) name: String,
        pub(crate) country: String,
        pub(crate) time_zone: String,
        language: String,
        pub(crate) install: bool,
    }
}

impl AccountRow {
    pub(crate) fn new(id: Id<kind::Account>, name: String, install: bool) -> Self {
        Self {
            id,
            name,
            country: String::new(),
            time_zone: "UTC".to_owned(),
            language: Locale::default().code().to_owned(),
            install,
        }
    }

    pub(crate) fn language(&self) -> Result<Locale> {
        word("account.language", &self.language)
    }

    pub(crate) fn set_language(&mut self, language: Locale) {
        language.code().clone_into(&mut self.language);
    }
}

pub(crate) async fn get(tx: &mut Tx<'_>, account: Id<kind::Account>) -> Result<AccountRow> {
    tx.one(
        sql!(
            "SELECT account, name, country, time_zone, language, install
             FROM account WHERE account = $1"
        ),
        args![account],
    )
    .await
}

pub(crate) async fn insert(tx: &mut Tx<'_>, row: &AccountRow, now: Timestamp) -> Result<()> {
    tx.exec(
        sql!(
            "INSERT INTO account (account, name, country, time_zone, language, install, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)"
        ),
        args![row.id, &row.name, &row.country, &row.time_zone, &row.language, row.install, now],
    )
    .await?;
    Ok(())
}

pub(crate) async fn update(tx: &mut Tx<'_>, row: &AccountRow) -> Result<()> {
    tx.exec(
        sql!(
            "UPDATE account SET name = $2, country = $3, time_zone = $4, language = $5
             WHERE account = $1"
        ),
        args![row.id, &row.name, &row.country, &row.time_zone, &row.language],
    )
    .await?;
    Ok(())
}

/// Makes other changes of the account's people wait for this transaction.
pub(crate) async fn lock(tx: &mut Tx<'_>, account: Id<kind::Account>) -> Result<()> {
    tx.exec(sql!("UPDATE account SET account = account WHERE account = $1"), args![account])
        .await?;
    Ok(())
}
