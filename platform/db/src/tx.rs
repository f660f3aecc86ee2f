//! The hands of a unit of work.

use std::sync::Arc;

use rusqlite::Connection;
use tokio_postgres::types::ToSql;

use crate::{Error, FromRow, Result, Row, Value, sql_log, sqlite::Limit, value};

/// Which database is underneath.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Engine {
    /// SQLite, inside the program.
    Sqlite,
    /// PostgreSQL, a server.
    Postgres,
}

impl Engine {
    /// The word used in `sql!` and in migrations.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "pg",
        }
    }
}

/// A transaction, or a moment of the database that is only read.
#[derive(Debug)]
pub struct Tx<'c> {
    link: Link<'c>,
    /// The first failure of a statement: the unit is over.
    failed: Option<Error>,
    /// Who is to be woken after the commit.
    wakes: Vec<&'static str>,
    /// Where the wish for the unit came from.
    origin: Option<Arc<str>>,
    read_only: bool,
}

enum Link<'c> {
    Sqlite(&'c mut Connection, &'c Limit),
    Postgres(&'c deadpool_postgres::ClientWrapper),
}

impl std::fmt::Debug for Link<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sqlite(..) => "sqlite",
            Self::Postgres(_) => "pg",
        })
    }
}

impl<'c> Tx<'c> {
    pub(crate) const fn sqlite(connection: &'c mut Connection, limit: &'c Limit) -> Self {
        Self {
            link: Link::Sqlite(connection, limit),
            failed: None,
            wakes: Vec::new(),
            origin: None,
            read_only: false,
        }
    }

    pub(crate) const fn postgres(client: &'c deadpool_postgres::ClientWrapper) -> Self {
        Self {
            link: Link::Postgres(client),
            failed: None,
            wakes: Vec::new(),
            origin: None,
            read_only: false,
        }
    }

    /// As a moment that is only read.
    pub(crate) fn reading(self) -> Self {
        Self { read_only: true, ..self }
    }

    /// Where the wish for this unit came from, as [`crate::origin::scope`] was told.
    pub fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    pub(crate) fn set_origin(&mut self, origin: Option<Arc<str>>) {
        self.origin = origin;
    }

    /// Which database is underneath.
    pub const fn engine(&self) -> Engine {
        match self.link {
            Link::Sqlite(..) => Engine::Sqlite,
            Link::Postgres(_) => Engine::Postgres,
        }
    }

    /// The text for the engine underneath, where the two truly differ.
    pub const fn pick(&self, sqlite: &'static str, pg: &'static str) -> &'static str {
        match self.engine() {
            Engine::Sqlite => sqlite,
            Engine::Postgres => pg,
        }
    }

    /// Executes a statement and tells how many rows it changed.
    pub async fn exec(&mut self, sql: &'static str, args: &[Value]) -> Result<u64> {
        if self.read_only {
            return Err(Error::Db("a unit that reads may not change anything".to_owned()));
        }
        self.begin(sql)?;
        let done = match &mut self.link {
            Link::Sqlite(connection, _) => sqlite_exec(connection, sql, args),
            Link::Postgres(client) => pg_exec(client, sql, args).await,
        };
        self.end(sql, done)
    }

    /// Every row that a query gives. Bound it with `LIMIT`: all are held in memory.
    pub async fn all<T: FromRow>(&mut self, sql: &'static str, args: &[Value]) -> Result<Vec<T>> {
        self.rows(sql, args).await?.into_iter().map(Row::read).collect()
    }

    /// The first row that a query gives, if any.
    pub async fn opt<T: FromRow>(
        &mut self,
        sql: &'static str,
        args: &[Value],
    ) -> Result<Option<T>> {
        self.rows(sql, args).await?.into_iter().next().map(Row::read).transpose()
    }

    /// The first row that a query gives; [`Error::NotFound`] when it gives none.
    pub async fn one<T: FromRow>(&mut self, sql: &'static str, args: &[Value]) -> Result<T> {
        self.opt(sql, args).await?.ok_or(Error::NotFound)
    }

    /// Checks that the engine accepts a text (syntax, tables, columns, types) without executing it.
    pub async fn prepare(&mut self, sql: &str) -> Result<()> {
        match &mut self.link {
            Link::Sqlite(connection, _) => connection.prepare(sql).map(drop).map_err(Error::from),
            Link::Postgres(client) => client.prepare(sql).await.map(drop).map_err(Error::from),
        }
    }

    /// Wakes whoever waits on [`crate::Db::woken`] for `what`, after the commit and only then.
    pub fn wake(&mut self, what: &'static str) {
        if !self.wakes.contains(&what) {
            self.wakes.push(what);
        }
    }

    async fn rows(&mut self, sql: &'static str, args: &[Value]) -> Result<Vec<Row>> {
        self.begin(sql)?;
        let rows = match &mut self.link {
            Link::Sqlite(connection, _) => sqlite_rows(connection, sql, args),
            Link::Postgres(client) => pg_rows(client, sql, args).await,
        };
        self.end(sql, rows)
    }

    /// Lets this unit take as long as it must, as a change of the schema may.
    pub(crate) async fn without_limit(&mut self) -> Result<()> {
        match &self.link {
            Link::Sqlite(_, limit) => {
                limit.lift();
                Ok(())
            }
            Link::Postgres(client) => {
                let off = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0;";
                client.batch_execute(off).await.map_err(Error::from)
            }
        }
    }

    /// Executes several statements without arguments, as migrations have them.
    pub(crate) async fn batch(&mut self, sql: &str) -> Result<()> {
        match &mut self.link {
            Link::Sqlite(connection, _) => connection.execute_batch(sql).map_err(Error::from),
            Link::Postgres(client) => client.batch_execute(sql).await.map_err(Error::from),
        }
    }

    /// PostgreSQL refuses all statements after one that failed; SQLite would go on. Both refuse.
    fn begin(&self, sql: &str) -> Result<()> {
        match &self.failed {
            None => Ok(()),
            Some(error) => {
                tracing::error!(sql, %error, "a unit of work went on after a statement failed");
                Err(error.clone())
            }
        }
    }

    fn end<T>(&mut self, sql: &'static str, done: Result<T>) -> Result<T> {
        match &done {
            Ok(_) => sql_log::executed(self.engine(), sql),
            Err(error) => {
                if matches!(error, Error::Db(_)) {
                    tracing::error!(sql, %error, "a statement was refused");
                }
                self.failed = Some(error.clone());
            }
        }
        done
    }

    /// The outcome of a unit: never `Ok` when one of its statements failed.
    pub(crate) fn sealed<T>(&mut self, outcome: Result<T>) -> Result<T> {
        match self.failed.take() {
            Some(error) => outcome.and(Err(error)),
            None => outcome,
        }
    }

    pub(crate) fn take_wakes(&mut self) -> Vec<&'static str> {
        std::mem::take(&mut self.wakes)
    }
}

/// Binds `$n` to `args[n - 1]`. SQLite numbers named parameters by their first use, so the number
/// is read from the name.
fn bind(statement: &mut rusqlite::Statement<'_>, args: &[Value]) -> Result<()> {
    let mut highest = 0;
    for index in 1..=statement.parameter_count() {
        let number = statement
            .parameter_name(index)
            .and_then(|name| name.strip_prefix('$'))
            .and_then(|digits| digits.parse::<usize>().ok())
            .ok_or_else(|| Error::Db("placeholders are $1, $2 …".to_owned()))?;
        let value = number
            .checked_sub(1)
            .and_then(|n| args.get(n))
            .ok_or_else(|| wrong_count(number, args.len()))?;
        statement.raw_bind_parameter(index, checked(value)?)?;
        highest = highest.max(number);
    }
    if highest == args.len() { Ok(()) } else { Err(wrong_count(highest, args.len())) }
}

fn wrong_count(wanted: usize, given: usize) -> Error {
    Error::Db(format!("the statement takes {wanted} arguments and was given {given}"))
}

/// Refuses on both engines what PostgreSQL cannot hold.
fn checked(value: &Value) -> Result<&Value> {
    if matches!(value, Value::Text(text) if text.contains('\0')) {
        return Err(Error::Db("a text holds the character NUL".to_owned()));
    }
    Ok(value)
}

fn sqlite_exec(connection: &Connection, sql: &str, args: &[Value]) -> Result<u64> {
    let mut statement = connection.prepare_cached(sql)?;
    bind(&mut statement, args)?;
    Ok(statement.raw_execute()? as u64)
}

fn sqlite_rows(connection: &Connection, sql: &str, args: &[Value]) -> Result<Vec<Row>> {
    let mut statement = connection.prepare_cached(sql)?;
    bind(&mut statement, args)?;
    let width = statement.column_count();
    let mut rows = statement.raw_query();
    let mut read = Vec::new();
    while let Some(row) = rows.next()? {
        let columns: Result<_> = (0..width).map(|n| value::from_sqlite(row.get_ref(n)?)).collect();
        read.push(Row::new(columns?));
    }
    Ok(read)
}

type Client = deadpool_postgres::ClientWrapper;

async fn pg_statement(
    client: &Client,
    sql: &str,
    args: &[Value],
) -> Result<tokio_postgres::Statement> {
    let statement = client.prepare_cached(sql).await?;
    if statement.params().len() != args.len() {
        return Err(wrong_count(statement.params().len(), args.len()));
    }
    args.iter().try_for_each(|value| checked(value).map(drop))?;
    Ok(statement)
}

fn pg_args(args: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    args.iter().map(|value| value as _).collect()
}

async fn pg_exec(client: &Client, sql: &str, args: &[Value]) -> Result<u64> {
    let statement = pg_statement(client, sql, args).await?;
    Ok(client.execute(&statement, &pg_args(args)).await?)
}

async fn pg_rows(client: &Client, sql: &str, args: &[Value]) -> Result<Vec<Row>> {
    let statement = pg_statement(client, sql, args).await?;
    let rows = client.query(&statement, &pg_args(args)).await?;
    rows.into_iter()
        .map(|row| {
            let columns: Result<_, tokio_postgres::Error> =
                (0..row.len()).map(|n| row.try_get::<_, Value>(n)).collect();
            Ok(Row::new(columns?))
        })
        .collect()
}
