//! People.

use access::Role;
use base::{Id, Locale, Timestamp, kind};
use db::{Result, Tx, args, record, sql};

use super::word;

record! {
    /// A person.
    #[derive(Debug, Clone)]
    pub(crate) struct PersonRow {
        pub(crate) id: Id<kind::User>,
        pub(crate) account: Id<kind::Account>,
        pub(crate) name: String,
        pub(crate) email: String,
        /// Argon2id in the PHC format.
        pub(crate) password: Option<String>,
        role: String,
        pub(crate) owner: bool,
        language: String,
        pub(crate) theme: String,
        pub(crate) time_zone: Option<String>,
        pub(crate) created_at: Timestamp,
        pub(crate) seen_at: Option<Timestamp>,
        pub(crate) disabled_at: Option<Timestamp>,
    }
}

/// Somebody to be.
#[derive(Debug, Clone)]
pub(crate) struct NewPerson {
    pub(crate) id: Id<kind::User>,
    pub(crate) account: Id<kind::Account>,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) password: Option<String>,
    pub(crate) role: Role,
    pub(crate) owner: bool,
    pub(crate) language: Locale,
}

impl PersonRow {
    pub(crate) fn role(&self) -> Result<Role> {
        word("person.role", &self.role)
    }

    pub(crate) fn set_role(&mut self, role: Role) {
        role.as_str().clone_into(&mut self.role);
    }

    pub(crate) fn language(&self) -> Result<Locale> {
        word("person.language", &self.language)
    }

    pub(crate) fn set_language(&mut self, language: Locale) {
        language.code().clone_into(&mut self.language);
    }
}

/// An address as it is compared: in lower case, without blanks at the ends.
pub(crate) fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}

pub(crate) async fn by_email(tx: &mut Tx<'_>, email: &str) -> Result<Option<PersonRow>> {
    tx.opt(
        sql!(
            "SELECT id, account, name, email, password, role, owner, language, theme, time_zone,
                    created_at, seen_at, disabled_at
             FROM person WHERE email_key = $1"
        ),
        args![email_key(email)],
    )
    .await
}

pub(crate) async fn opt(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    id: Id<kind::User>,
) -> Result<Option<PersonRow>> {
    tx.opt(
        sql!(
            "SELECT id, account, name, email, password, role, owner, language, theme, time_zone,
                    created_at, seen_at, disabled_at
             FROM person WHERE account = $1 AND id = $2"
        ),
        args![account, id],
    )
    .await
}

pub(crate) async fn get(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    id: Id<kind::User>,
) -> Result<PersonRow> {
    opt(tx, account, id).await?.ok_or(db::Error::NotFound)
}

/// Everybody in the account, oldest first; at most a thousand.
pub(crate) async fn list(tx: &mut Tx<'_>, account: Id<kind::Account>) -> Result<Vec<PersonRow>> {
    tx.all(
        sql!(
            "SELECT id, account, name, email, password, role, owner, language, theme, time_zone,
                    created_at, seen_at, disabled_at
             FROM person WHERE account = $1 ORDER BY id LIMIT 1000"
        ),
        args![account],
    )
    .await
}

pub(crate) async fn any_owner(tx: &mut Tx<'_>) -> Result<bool> {
    let found: Option<(i64,)> = tx
        .opt(
            sql!(
                "SELECT p.id FROM person p JOIN account a ON a.account = p.account
                 WHERE a.install AND p.owner LIMIT 1"
            ),
            args![],
        )
        .await?;
    Ok(found.is_some())
}

pub(crate) async fn insert(tx: &mut Tx<'_>, person: &NewPerson, now: Timestamp) -> Result<()> {
    tx.exec(
        sql!(
            "INSERT INTO person (id, account, name, email, email_key, password, role, owner,
                                 language, theme, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'auto', $10)"
        ),
        args![
            person.id,
            person.account,
            &person.name,
            person.email.trim(),
            email_key(&person.email),
            person.password.as_deref(),
            person.role.as_str(),
            person.owner,
            person.language.code(),
            now
        ],
    )
    .await?;
    Ok(())
}

/// Writes everything that may change after somebody has been added.
pub(crate) async fn update(tx: &mut Tx<'_>, row: &PersonRow) -> Result<()> {
    tx.exec(
        sql!(
            "UPDATE person
             SET name = $3, password = $4, role = $5, language = $6, theme = $7, time_zone = $8,
                 disabled_at = $9
             WHERE account = $1 AND id = $2"
        ),
        args![
            row.account,
            row.id,
            &row.name,
            row.password.as_deref(),
            &row.role,
            &row.language,
            &row.theme,
            row.time_zone.as_deref(),
            row.disabled_at
        ],
    )
    .await?;
    Ok(())
}
