//! What can go wrong, told the same way for both engines.

use rusqlite::ffi;

/// Why a unit of work was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A row that must exist does not.
    #[error("no such row")]
    NotFound,
    /// A row stands in the way. Names `table(column, column)` for a unique key on plain columns,
    /// the same on both engines; else the constraint, or what the engine says.
    #[error("conflict: {0}")]
    Conflict(String),
    /// Two units got in each other's way and this one was undone; doing it again may succeed.
    #[error("undone in favour of another: {0}")]
    Retry(String),
    /// The database takes no work now: disk full, disk failing, server away, too busy. Nothing was
    /// kept. Say so, and try again later.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// The server went away during the commit: it may or may not have been kept. Look before
    /// doing anything that must not happen twice.
    #[error("the answer to a commit was lost: {0}")]
    CommitUnknown(String),
    /// The statement is wrong, or a mistake of this program.
    #[error("database: {0}")]
    Db(String),
    /// A column holds something else than expected.
    #[error("unreadable: {0}")]
    Decode(String),
    /// The database was closed.
    #[error("the database is closed")]
    Closed,
}

/// What the database answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        let rusqlite::Error::SqliteFailure(failure, message) = &error else {
            return Self::Db(error.to_string());
        };
        let said = message.clone().unwrap_or_else(|| failure.to_string());
        match failure.extended_code {
            ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY => {
                Self::Conflict(sqlite_key(&said))
            }
            ffi::SQLITE_CONSTRAINT_FOREIGNKEY => Self::Conflict("foreign key".to_owned()),
            ffi::SQLITE_CONSTRAINT_CHECK => Self::Conflict(after_colon(&said).to_owned()),
            code => match code & 0xff {
                ffi::SQLITE_FULL
                | ffi::SQLITE_IOERR
                | ffi::SQLITE_READONLY
                | ffi::SQLITE_CANTOPEN
                | ffi::SQLITE_BUSY
                | ffi::SQLITE_LOCKED
                | ffi::SQLITE_NOMEM
                | ffi::SQLITE_INTERRUPT
                | ffi::SQLITE_PROTOCOL => Self::Unavailable(said),
                _ => Self::Db(said),
            },
        }
    }
}

fn after_colon(said: &str) -> &str {
    said.split_once(": ").map_or(said, |(_, rest)| rest)
}

/// `UNIQUE constraint failed: t.a, t.b` as `t(a, b)`.
fn sqlite_key(said: &str) -> String {
    let named = after_colon(said);
    let columns: Option<Vec<_>> = named.split(", ").map(|name| name.split_once('.')).collect();
    match columns.as_deref() {
        Some([(table, first), rest @ ..]) => {
            let columns: Vec<_> =
                std::iter::once(*first).chain(rest.iter().map(|(_, column)| *column)).collect();
            format!("{table}({})", columns.join(", "))
        }
        // An index on expressions: `index 'name'`.
        Some([]) | None => named.trim_start_matches("index ").trim_matches('\'').to_owned(),
    }
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(failure) = error.as_db_error() else {
            return if error.is_closed() || is_io(&error) {
                Self::Unavailable(chain(&error))
            } else {
                Self::Db(chain(&error))
            };
        };
        let code = failure.code().code();
        let said = format!("{} ({code})", failure.message());
        match (code, &code[..2]) {
            ("23505", _) => Self::Conflict(pg_key(failure)),
            ("23503", _) => Self::Conflict("foreign key".to_owned()),
            ("23514" | "23P01", _) => {
                Self::Conflict(failure.constraint().unwrap_or(failure.message()).to_owned())
            }
            ("40001" | "40P01", _) => Self::Retry(said),
            // 25006: the server has become a standby. 25P03, 25P04: the unit took too long.
            ("25006" | "25P03" | "25P04", _) | (_, "08" | "53" | "57" | "58") => {
                Self::Unavailable(said)
            }
            _ => Self::Db(said),
        }
    }
}

/// `Key (a, b)=(1, 2) already exists.` of table `t` as `t(a, b)`; the constraint's name for an
/// index on expressions, as SQLite tells it.
fn pg_key(failure: &tokio_postgres::error::DbError) -> String {
    let columns = failure
        .detail()
        .and_then(|detail| detail.strip_prefix("Key ("))
        .and_then(|rest| rest.split_once(")=("))
        .map(|(columns, _)| columns)
        .filter(|columns| !columns.contains('('));
    match (failure.table(), columns) {
        (Some(table), Some(columns)) => format!("{table}({columns})"),
        _ => failure.constraint().unwrap_or(failure.message()).to_owned(),
    }
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if inner.is::<std::io::Error>() {
            return true;
        }
        source = inner.source();
    }
    false
}

/// An error and what caused it, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let more = inner.to_string();
        if !said.contains(&more) {
            said = format!("{said}: {more}");
        }
        source = inner.source();
    }
    said
}

impl From<deadpool_postgres::PoolError> for Error {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        use deadpool_postgres::PoolError;
        match error {
            // Whatever the reason, without a connection there is no database.
            PoolError::Backend(inner) => Self::Unavailable(chain(&inner)),
            PoolError::Closed => Self::Closed,
            PoolError::Timeout(_) => Self::Unavailable("every connection is in use".to_owned()),
            PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
                Self::Unavailable(chain(&error))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unique_key_of_sqlite_is_told_by_its_columns() {
        assert_eq!(sqlite_key("UNIQUE constraint failed: person.email"), "person(email)");
        assert_eq!(sqlite_key("UNIQUE constraint failed: a.x, a.y"), "a(x, y)");
        assert_eq!(sqlite_key("UNIQUE constraint failed: index 'by_name'"), "by_name");
    }

    #[test]
    fn a_full_disk_is_no_mistake_of_the_statement() {
        for code in [ffi::SQLITE_FULL, ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_READONLY] {
            let failure = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            assert!(matches!(Error::from(failure), Error::Unavailable(_)), "{code}");
        }
    }
}
