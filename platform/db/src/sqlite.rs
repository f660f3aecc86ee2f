//! SQLite: one thread that writes with group commit, some that read, one process per file.

use std::{
    collections::VecDeque,
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use clock::Clock;
use parking_lot::Mutex;
use rusqlite::{Connection, functions::FunctionFlags};
use tokio::sync::mpsc;

use crate::{Error, Options, Result, Tx, database::Shared, unit::Unit};

/// The most units that share one transaction. Beyond this the fsync is no longer what costs.
const BATCH: usize = 64;
/// Steps of SQLite's machine between two looks at the clock: well below a millisecond.
const STEPS: i32 = 10_000;

type Inbox = mpsc::Sender<Box<dyn Unit>>;

/// The threads of one open file.
#[derive(Debug)]
pub(crate) struct Sqlite {
    write: Mutex<Option<Inbox>>,
    read: Mutex<Option<Inbox>>,
    /// Ends when the last thread has ended, as each holds a sender.
    threads: tokio::sync::Mutex<mpsc::Receiver<()>>,
}

impl Sqlite {
    pub(crate) fn open(path: &Path, options: &Options, shared: &Arc<Shared>) -> Result<Self> {
        if let Some(dir) = path.parent() {
            fs::create_dir_all(dir).map_err(|e| unusable(dir, &e))?;
        }
        let lock = lock(path)?;
        forget_figures(path)?;
        let mut writer =
            connect(path, if options.synchronous_off { "OFF" } else { "FULL" }, false)?;
        let limit = Limit::watch(&mut writer, options)?;
        let (alive, threads) = mpsc::channel(1);
        let (write, inbox) = mpsc::channel(options.queue);
        start("sqlite-writer", {
            let (shared, alive) = (Arc::clone(shared), alive.clone());
            move || {
                serve_writes(writer, inbox, &limit, &shared);
                drop((lock, alive));
            }
        })?;
        let (read, inbox) = mpsc::channel(options.queue);
        let inbox = Arc::new(Mutex::new(inbox));
        for _ in 0..options.readers.max(1) {
            let mut reader = connect(path, "OFF", true)?;
            let limit = Limit::watch(&mut reader, options)?;
            let (inbox, shared, alive) = (Arc::clone(&inbox), Arc::clone(shared), alive.clone());
            start("sqlite-reader", move || {
                serve_reads(reader, &inbox, &limit, &shared);
                drop(alive);
            })?;
        }
        Ok(Self {
            write: Mutex::new(Some(write)),
            read: Mutex::new(Some(read)),
            threads: tokio::sync::Mutex::new(threads),
        })
    }

    pub(crate) fn writer(&self) -> Result<Inbox> {
        self.write.lock().clone().ok_or(Error::Closed)
    }

    pub(crate) fn reader(&self) -> Result<Inbox> {
        self.read.lock().clone().ok_or(Error::Closed)
    }

    /// Lets the threads finish what was sent to them, and waits for that.
    pub(crate) async fn close(&self) {
        drop((self.write.lock().take(), self.read.lock().take()));
        let nothing = self.threads.lock().await.recv().await;
        debug_assert!(nothing.is_none(), "threads send nothing");
    }
}

/// How long a unit may keep its thread busy: SQLite asks now and then whether to go on.
#[derive(Debug)]
pub(crate) struct Limit {
    /// Microseconds since 1970; `i64::MAX` while there is no limit.
    until: Arc<AtomicI64>,
    span: Duration,
    clock: Clock,
}

impl Limit {
    fn watch(connection: &mut Connection, options: &Options) -> Result<Self> {
        let until = Arc::new(AtomicI64::new(i64::MAX));
        let (span, clock) = (options.statement_timeout, options.clock.clone());
        let (moment, watch) = (Arc::clone(&until), clock.clone());
        let over = move || {
            let moment = moment.load(Relaxed);
            moment != i64::MAX && watch.now().micros() > moment
        };
        connection.progress_handler(STEPS, Some(over))?;
        Ok(Self { until, span, clock })
    }

    fn begin(&self) {
        self.until.store(self.clock.now().plus(self.span).micros(), Relaxed);
    }

    /// Lets the unit, or what comes after it, take as long as it must.
    pub(crate) fn lift(&self) {
        self.until.store(i64::MAX, Relaxed);
    }
}

fn unusable(path: &Path, error: &std::io::Error) -> Error {
    Error::Unavailable(format!("{}: {error}", path.display()))
}

/// Two processes that write one file would each believe to be the only writer.
fn lock(path: &Path) -> Result<File> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&name)
        .map_err(|e| unusable(&name, &e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Unavailable(format!(
            "{} is in use by another process: stop it first",
            path.display()
        ))),
        Err(TryLockError::Error(error)) => Err(unusable(&name, &error)),
    }
}

/// Drops the planner's figures. Statements are written for their indexes, which SQLite takes where it
/// knows nothing; figures of a day on which a table had a few rows make it walk through the whole
/// table after the next import.
fn forget_figures(path: &Path) -> Result<()> {
    // On a connection of its own: whoever opens the file afterwards has never seen them.
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection
        .execute_batch("DROP TABLE IF EXISTS sqlite_stat1; DROP TABLE IF EXISTS sqlite_stat4")?;
    Ok(())
}

fn connect(path: &Path, synchronous: &str, read_only: bool) -> Result<Connection> {
    let connection = Connection::open(path)?;
    connection.set_prepared_statement_cache_capacity(1_024);
    connection.execute_batch(&format!(
        "PRAGMA busy_timeout = 10000;
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = {synchronous};
         PRAGMA foreign_keys = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA journal_size_limit = 67108864;
         PRAGMA cache_size = {};
         PRAGMA query_only = {};",
        if read_only { -8_192 } else { -32_768 },
        if read_only { "ON" } else { "OFF" },
    ))?;
    // SQLite's own knows the letters of English only.
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("lower", 1, flags, |call| {
        Ok(call.get::<Option<String>>(0)?.map(|text| text.to_lowercase()))
    })?;
    Ok(connection)
}

fn start(name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
    let started = thread::Builder::new().name(name.to_owned()).spawn(work);
    started.map(drop).map_err(|e| Error::Unavailable(e.to_string()))
}

fn serve_reads(
    mut connection: Connection,
    inbox: &Mutex<mpsc::Receiver<Box<dyn Unit>>>,
    limit: &Limit,
    shared: &Shared,
) {
    loop {
        let next = inbox.lock().blocking_recv();
        let Some(mut unit) = next else { return };
        let begun = connection.execute_batch("BEGIN").map_err(Error::from);
        if begun.is_ok() {
            limit.begin();
            unit.run(&mut Tx::sqlite(&mut connection, limit).reading());
            limit.lift();
            shared.counts.reads.fetch_add(1, Relaxed);
        }
        if !connection.is_autocommit()
            && let Err(error) = connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "a reader could not let go of its moment");
        }
        unit.finish(begun);
    }
}

fn serve_writes(
    mut connection: Connection,
    mut inbox: mpsc::Receiver<Box<dyn Unit>>,
    limit: &Limit,
    shared: &Shared,
) {
    let mut received = Vec::with_capacity(BATCH);
    while inbox.blocking_recv_many(&mut received, BATCH) > 0 {
        shared.counts.waits(-(received.len() as i64));
        let mut units: VecDeque<_> = received.drain(..).collect();
        while !units.is_empty() {
            Batch::default().serve(&mut connection, &mut units, limit, shared);
        }
    }
}

/// The units that share one transaction.
#[derive(Default)]
struct Batch {
    done: Vec<Box<dyn Unit>>,
    kept: usize,
    wakes: Vec<&'static str>,
}

impl Batch {
    /// Takes units until there are no more, or the engine has given up the transaction.
    fn serve(
        mut self,
        connection: &mut Connection,
        units: &mut VecDeque<Box<dyn Unit>>,
        limit: &Limit,
        shared: &Shared,
    ) {
        if let Err(error) = connection.execute_batch("BEGIN IMMEDIATE") {
            tracing::error!(%error, "no transaction could be begun");
            self.done.extend(units.drain(..));
            return self.finish(&Err(unavailable(error)), shared);
        }
        while let Some(mut unit) = units.pop_front() {
            let begun = command(connection, "SAVEPOINT unit");
            limit.begin();
            let mut tx = Tx::sqlite(connection, limit);
            let keep = begun.is_ok() && unit.run(&mut tx);
            let wakes = tx.take_wakes();
            limit.lift();
            self.done.push(unit);
            // A full or failing disk makes the engine undo the whole transaction by itself.
            if let Err(error) = begun.and_then(|()| end_unit(connection, keep)) {
                if !connection.is_autocommit() {
                    undo(connection);
                }
                return self.finish(&Err(unavailable(error)), shared);
            }
            if keep {
                self.kept += 1;
                self.wakes.extend(wakes);
            } else {
                shared.counts.refused();
            }
        }
        if self.kept == 0 {
            undo(connection);
            return self.finish(&Ok(()), shared);
        }
        let committed = connection.execute_batch("COMMIT");
        if committed.is_err() && !connection.is_autocommit() {
            undo(connection);
        }
        self.finish(&committed.map_err(unavailable), shared);
    }

    /// Only now does anyone hear of the outcome.
    fn finish(self, commit: &Result<()>, shared: &Shared) {
        match commit {
            Ok(()) if self.kept > 0 => {
                shared.counts.committed(self.kept, shared.clock.now());
            }
            Ok(()) => {}
            Err(error) => {
                tracing::error!(%error, units = self.done.len(), "a transaction was undone");
                shared.counts.lost(self.done.len());
            }
        }
        for unit in self.done {
            unit.finish(commit.clone());
        }
        if commit.is_ok() {
            shared.wake(&self.wakes);
        }
    }
}

fn command(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}

fn end_unit(connection: &Connection, keep: bool) -> rusqlite::Result<()> {
    if !keep {
        command(connection, "ROLLBACK TO unit")?;
    }
    command(connection, "RELEASE unit")
}

fn undo(connection: &Connection) {
    if let Err(error) = connection.execute_batch("ROLLBACK") {
        tracing::error!(%error, "a transaction could not be undone");
    }
}

/// A failure of the transaction itself concerns units that did nothing wrong.
fn unavailable(error: rusqlite::Error) -> Error {
    let said = error.to_string();
    let mapped = Error::from(error);
    if matches!(mapped, Error::Unavailable(_)) { mapped } else { Error::Unavailable(said) }
}
