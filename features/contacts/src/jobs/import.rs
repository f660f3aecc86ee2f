//! Takes the rows of a file into its list, in units of 500 that each are one commit.
//!
//! The cursor lies in the import's row and moves in the transaction of the unit, so a process that
//! is killed anywhere goes on behind the last unit that was committed. Between two units the
//! database is free for others.

use std::sync::Arc;

use ::jobs::{Cause, Handler, JobContext, JobEnd, Ways, Why};
use base::{Id, Timestamp, kind};
use blob::Blob;
use clock::Ids;
use db::Tx;
use host::Handles;
use serde_json::json;

use crate::{
    State, contact,
    file::{self, Cut, LONGEST_ROW},
    jobs::{ASK_AGAIN, patiently},
    mapping::Places,
    phone::Region,
    plant::Point,
    problems::ContactProblem,
    routes::upload,
    store::{
        imports::{self, ImportRow},
        unit::{self, Applied, Unit, UnitRow},
    },
};

const KIND: &str = "contacts.import";

/// Rows of one commit.
pub(crate) const UNIT_ROWS: usize = 500;

/// How often a unit that others are in the way of is tried again at once.
const MOST_TRIES: u32 = 20;

/// Bytes that are read from the disk at a time.
const PIECE: u64 = 512 * 1024;

/// Puts the import to work once the transaction is committed.
pub(crate) async fn enqueue(
    tx: &mut Tx<'_>,
    ids: &Ids,
    account: Id<kind::Account>,
    import: Id<kind::Import>,
    now: Timestamp,
) -> db::Result<Id<kind::Job>> {
    let dedupe = format!("import:{import}");
    ::jobs::enqueue(tx, ids, account, KIND, json!({ "import": import }), Some(&dedupe), now).await
}

/// The job.
pub(crate) struct Import(pub(crate) Arc<State>);

impl Handler for Import {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn ways(&self) -> Ways {
        Ways { stop: true, again: false }
    }

    async fn run(&self, job: &JobContext) -> JobEnd {
        let Ok(import) = serde_json::from_value(job.payload["import"].clone()) else {
            return JobEnd::Fail { why: Why::new(Cause::Mistake, "the payload names no import") };
        };
        if job.fruitless >= crate::jobs::MOST_FRUITLESS {
            return end(&self.0, job, import, ContactProblem::ImportGaveUp).await;
        }
        work(&self.0, job, import).await
    }
}

/// Lets PostgreSQL look at what the tables hold now. Until it has, it takes every index for as good
/// as any other, and a campaign that is started at once walks through all numbers for each contact.
async fn measure(state: &State) {
    if state.handles.db.engine() == db::Engine::Postgres {
        let looked = state.handles.db.write(|tx| Box::pin(imports::measure(tx))).await;
        // The server does it by itself sooner or later.
        looked.unwrap_or_else(|error| tracing::warn!(%error, "the tables were not measured"));
    }
}

/// Why an import cannot go on now, or at all.
enum Stop {
    /// Try again later: the database or the disk takes nothing.
    Later(Why),
    /// Never again.
    Never(ContactProblem),
    /// Somebody asked.
    Asked,
}

impl From<db::Error> for Stop {
    fn from(error: db::Error) -> Self {
        Self::Later(error.into())
    }
}

async fn work(state: &State, job: &JobContext, import: Id<kind::Import>) -> JobEnd {
    match take_all(state, job, import).await {
        Ok(()) => {
            tidy(state, job).await;
            measure(state).await;
            JobEnd::Done
        }
        Err(Stop::Later(why)) => JobEnd::Retry { after: crate::jobs::PAUSE, why },
        Err(Stop::Never(problem)) => end(state, job, import, problem).await,
        Err(Stop::Asked) => close(state, job, import, "cancelled", None, JobEnd::Cancelled).await,
    }
}

/// Ends the import for good, in words that its page shows.
async fn end(
    state: &State,
    job: &JobContext,
    import: Id<kind::Import>,
    problem: ContactProblem,
) -> JobEnd {
    let problem = http_kit::Problem::from(problem);
    let failed = JobEnd::Fail { why: host::why(&problem) };
    close(state, job, import, "failed", Some(problem.code()), failed).await
}

/// Writes the end of the import into its row.
async fn close(
    state: &State,
    job: &JobContext,
    import: Id<kind::Import>,
    word: &'static str,
    code: Option<&'static str>,
    end: JobEnd,
) -> JobEnd {
    let Handles { db, clock, hub, .. } = &state.handles;
    let (account, now) = (job.account, clock.now());
    let ended = patiently(clock, job, || {
        db.write(move |tx| {
            Box::pin(async move { imports::end(tx, account, import, word, code, now).await })
        })
    });
    if let Err(error) = ended.await {
        return JobEnd::Retry { after: crate::jobs::PAUSE, why: error.into() };
    }
    hub.touch(account, &format!("import:{import}"));
    tidy(state, job).await;
    end
}

async fn tidy(state: &State, job: &JobContext) {
    if let Err(error) = upload::remove_files(state, job.account).await {
        // The next upload of the account tries again.
        tracing::warn!(%error, job.id = %job.id, "files of ended imports are left for later");
    }
}

/// Takes unit after unit until the file or the import ends.
async fn take_all(state: &State, job: &JobContext, id: Id<kind::Import>) -> Result<(), Stop> {
    let Handles { db, ids, clock, hub, blob, .. } = &state.handles;
    let account = job.account;
    let mut window = Window::default();
    let mut tries = 0;
    let mut goes_on = true;
    loop {
        let found = patiently(clock, job, || {
            db.read(move |tx| Box::pin(async move { imports::get(tx, account, id).await }))
        });
        let import = match found.await {
            // Its list was deleted.
            Err(db::Error::NotFound) => return Ok(()),
            other => other?,
        };
        if import.state != "running" {
            return Ok(());
        }
        if job.is_cancelled().await? {
            return Err(Stop::Asked);
        }
        if job.is_stopping() {
            return Err(Stop::Later(Why::stopping()));
        }
        let mut unit = next_unit(blob, &mut window, &import).await?;
        if std::mem::take(&mut goes_on) && import.counts.rows > 0 && state.plants.forgets_unit {
            unit.rows.clear();
        }
        let (ids, job, now) = (ids.clone(), job.clone(), clock.now());
        let is_stopping = job.is_stopping();
        let (done, total) = (unit.next_byte as u64, import.bytes as u64);
        let applied = db
            .write(move |tx| {
                Box::pin(async move {
                    // Undoes the unit when the job is another process's by now.
                    job.progress_in(tx, done, Some(total)).await?;
                    unit::apply(tx, &ids, unit, now).await
                })
            })
            .await;
        match applied {
            Ok(Applied::Done | Applied::Stale) => {
                state.plants.kill.reach(Point::ImportUnit);
                tries = 0;
            }
            // The list was deleted meanwhile, or another unit was in the way, or the answer to the
            // commit was lost: the import's row tells where to go on.
            Err(
                db::Error::NotFound
                | db::Error::Retry(_)
                | db::Error::Conflict(_)
                | db::Error::CommitUnknown(_),
            ) if tries < MOST_TRIES => tries += 1,
            // Waits here, where the next unit is read again.
            Err(db::Error::Unavailable(_)) if !is_stopping => clock.sleep(ASK_AGAIN).await,
            Err(error) => return Err(error.into()),
        }
        hub.touch(account, &format!("import:{id}"));
        hub.touch(account, &format!("list:{}", import.list));
        tokio::task::yield_now().await;
    }
}

/// The next rows of the import's file, read off the threads that serve requests.
async fn next_unit(blob: &Blob, window: &mut Window, import: &ImportRow) -> Result<Unit, Stop> {
    let key = import.blob_key.as_deref().ok_or(Stop::Never(ContactProblem::ImportFileLost))?;
    let region = Region::of(&import.region);
    let (Some(region), Ok(places)) = (region, import.mapping.places(&import.columns)) else {
        // Both were checked at the start.
        return Err(Stop::Never(ContactProblem::ImportFileLost));
    };
    window.fill(blob, key, import.next_byte as u64, import.bytes as u64).await?;
    let format = import.format();
    let line = import.next_line as u64;
    let source = import.source.clone();
    let strict = source == "feed";
    let (account, list, id) = (import.account, import.list, import.id);
    let (first_byte, bytes) = (import.next_byte, import.bytes);
    let mut taken = std::mem::take(window);
    let (taken, unit) = tokio::task::spawn_blocking(move || {
        let Cut { rows, bytes: length, lines } =
            file::cut(&taken.bytes, format, line, UNIT_ROWS, taken.is_last);
        taken.drop_front(length);
        let next_byte = first_byte + length as i64;
        let unit = Unit {
            account,
            list,
            import: id,
            source,
            first_byte,
            next_byte,
            next_line: (line + lines) as i64,
            is_last: next_byte >= bytes,
            rows: rows.into_iter().map(|row| read(row, &places, region, strict)).collect(),
        };
        (taken, unit)
    })
    .await
    .map_err(|error| Stop::Later(Why::new(Cause::Mistake, error.to_string())))?;
    *window = taken;
    Ok(unit)
}

fn read(row: file::Row, places: &Places, region: Region, strict: bool) -> UnitRow {
    let read = contact::read_from(&row, places, region, strict);
    UnitRow { line: row.line, cells: row.cells, read }
}

/// The part of the file that is in memory.
#[derive(Default)]
struct Window {
    start: u64,
    bytes: Vec<u8>,
    /// Whether the file ends with it.
    is_last: bool,
}

impl Window {
    /// Moves to `start`, and reads on while less than the longest row is there.
    async fn fill(&mut self, blob: &Blob, key: &str, start: u64, end: u64) -> Result<(), Stop> {
        if self.start != start {
            *self = Self { start, ..Self::default() };
        }
        while self.bytes.len() <= 2 * LONGEST_ROW {
            let from = self.start + self.bytes.len() as u64;
            if from >= end {
                break;
            }
            let read = blob.read_range(key, from..(from + PIECE).min(end)).await;
            let piece = read.map_err(|error| match error {
                blob::Error::NotFound | blob::Error::Key(_) => {
                    Stop::Never(ContactProblem::ImportFileLost)
                }
                blob::Error::Full | blob::Error::Io(_) => Stop::Later(error.into()),
            })?;
            if piece.is_empty() {
                // Shorter than it was when it arrived.
                return Err(Stop::Never(ContactProblem::ImportFileLost));
            }
            self.bytes.extend_from_slice(&piece);
        }
        self.is_last = self.start + self.bytes.len() as u64 >= end;
        Ok(())
    }

    fn drop_front(&mut self, length: usize) {
        self.bytes.drain(..length);
        self.start += length as u64;
    }
}
