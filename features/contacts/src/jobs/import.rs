//! Takes the rows of a file into its list, in units of 500 that each are one commit.
//!
//! The cursor lies in the import's row and moves in the transaction of the unit, so a process that
//! is killed anywhere goes on behind the last unit that was committed. Between two units the
//! database is free for others.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    sync::Arc,
};

use ::jobs::{Cause, Handler, JobContext, JobEnd, Ways, Why};
use base::{Id, Timestamp, kind};
use blob::Blob;
use clock::Ids;
use db::Tx;
use host::Handles;
use serde_json::json;
use tokio::sync::{mpsc, oneshot};

use crate::{
    State, contact,
    file::{self, Cut, Format, LONGEST_ROW},
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

/// Lets PostgreSQL look at what the tables hold now, when the import has added more than a unit.
/// Until it has, it takes every index for as good as any other, and a campaign that is started at
/// once walks through all numbers for each contact. A load that changed little is left to the
/// server's own rounds.
async fn measure(state: &State, job: &JobContext, import: Id<kind::Import>) -> db::Result<()> {
    let (db, account) = (&state.handles.db, job.account);
    if db.engine() != db::Engine::Postgres {
        return Ok(());
    }
    let read = db.read(move |tx| Box::pin(async move { imports::get(tx, account, import).await }));
    if read.await?.counts.added > UNIT_ROWS as i64 {
        db.write(|tx| Box::pin(imports::measure(tx))).await?;
    }
    Ok(())
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
            if let Err(error) = measure(state, job, import).await {
                // The server does it by itself sooner or later.
                tracing::warn!(%error, "the tables were not measured");
            }
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

/// Takes unit after unit until the file or the import ends. While one is written the next is read.
async fn take_all(state: &State, job: &JobContext, id: Id<kind::Import>) -> Result<(), Stop> {
    let Handles { db, ids, clock, hub, .. } = &state.handles;
    let account = job.account;
    let mut reader = Reader::new(&state.handles.blob);
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
        let mut unit = reader.unit(&import).await?;
        if std::mem::take(&mut goes_on) && import.counts.rows > 0 && state.plants.forgets_unit {
            unit.rows.clear();
        }
        let (ids, job, now) = (ids.clone(), job.clone(), clock.now());
        let is_stopping = job.is_stopping();
        let (done, total) = (unit.next_byte as u64, import.bytes as u64);
        if !unit.is_last {
            reader.read_ahead(&import, (unit.next_byte, unit.next_line)).await?;
        }
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

/// Where in a file: bytes and lines before it.
type At = (i64, i64);
type Read = Result<Unit, Stop>;

/// Has units read, one ahead of the one that is written.
struct Reader<'a> {
    blob: &'a Blob,
    thread: Option<mpsc::Sender<(At, oneshot::Sender<Read>)>>,
    /// What was asked for ahead.
    ahead: Option<(At, oneshot::Receiver<Read>)>,
}

impl<'a> Reader<'a> {
    const fn new(blob: &'a Blob) -> Self {
        Self { blob, thread: None, ahead: None }
    }

    /// The unit with which the import goes on.
    async fn unit(&mut self, import: &ImportRow) -> Read {
        let at = (import.next_byte, import.next_line);
        // Another unit than the one before may have been written last, or none.
        if self.ahead.as_ref().is_none_or(|(ahead, _)| *ahead != at) {
            self.read_ahead(import, at).await?;
        }
        match self.ahead.take() {
            Some((_, unit)) => unit.await.map_err(|_| gone())?,
            None => Err(gone()),
        }
    }

    /// Has the unit at `at` read, so that it is there when it is asked for.
    async fn read_ahead(&mut self, import: &ImportRow, at: At) -> Result<(), Stop> {
        let thread = match &self.thread {
            Some(thread) => thread,
            None => self.thread.insert(Pages::open(self.blob, import).await?.serve()),
        };
        let (answer, unit) = oneshot::channel();
        thread.send((at, answer)).await.map_err(|_| gone())?;
        self.ahead = Some((at, unit));
        Ok(())
    }
}

fn gone() -> Stop {
    Stop::Later(Why::new(Cause::Mistake, "the thread that reads the file has ended"))
}

/// The import's file, and how its rows become units.
struct Pages {
    file: File,
    window: Window,
    account: Id<kind::Account>,
    list: Id<kind::ContactList>,
    import: Id<kind::Import>,
    source: String,
    bytes: i64,
    format: Format,
    places: Places,
    region: Region,
}

impl Pages {
    async fn open(blob: &Blob, import: &ImportRow) -> Result<Self, Stop> {
        let key = import.blob_key.as_deref().ok_or(Stop::Never(ContactProblem::ImportFileLost))?;
        let region = Region::of(&import.region);
        let (Some(region), Ok(places)) = (region, import.mapping.places(&import.columns)) else {
            // Both were checked at the start.
            return Err(Stop::Never(ContactProblem::ImportFileLost));
        };
        let file = blob.reader(key).await.map_err(|error| match error {
            blob::Error::NotFound | blob::Error::Key(_) => {
                Stop::Never(ContactProblem::ImportFileLost)
            }
            blob::Error::Full | blob::Error::Io(_) => Stop::Later(error.into()),
        })?;
        Ok(Self {
            file: file.into_std().await,
            window: Window::default(),
            account: import.account,
            list: import.list,
            import: import.id,
            source: import.source.clone(),
            bytes: import.bytes,
            format: import.format(),
            places,
            region,
        })
    }

    /// Reads what is asked for until nobody asks any more: off the threads that serve requests, and
    /// all on one, since each thread keeps the memory that it once used.
    fn serve(mut self) -> mpsc::Sender<(At, oneshot::Sender<Read>)> {
        let (ask, mut asked) = mpsc::channel::<(At, oneshot::Sender<Read>)>(2);
        tokio::task::spawn_blocking(move || {
            while let Some((at, answer)) = asked.blocking_recv() {
                // Who asked may have gone away.
                let _ = answer.send(self.unit(at));
            }
        });
        ask
    }

    fn unit(&mut self, (first_byte, line): At) -> Read {
        let window = &mut self.window;
        window.fill(&mut self.file, first_byte as u64, self.bytes as u64)?;
        let Cut { rows, bytes, lines } =
            file::cut(&window.bytes, self.format, line as u64, UNIT_ROWS, window.is_last);
        window.drop_front(bytes);
        let next_byte = first_byte + bytes as i64;
        let strict = self.source == "feed";
        let read = |row: file::Row| {
            let read = contact::read_from(&row, &self.places, self.region, strict);
            UnitRow { line: row.line, cells: row.cells, read }
        };
        Ok(Unit {
            account: self.account,
            list: self.list,
            import: self.import,
            source: self.source.clone(),
            first_byte,
            next_byte,
            next_line: line + lines as i64,
            is_last: next_byte >= self.bytes,
            rows: rows.into_iter().map(read).collect(),
        })
    }
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
    fn fill(&mut self, file: &mut File, start: u64, end: u64) -> Result<(), Stop> {
        if self.start != start {
            self.start = start;
            self.bytes.clear();
        }
        while self.bytes.len() <= 2 * LONGEST_ROW {
            let from = self.start + self.bytes.len() as u64;
            if from >= end {
                break;
            }
            let read = file
                .seek(SeekFrom::Start(from))
                .and_then(|_| file.take(PIECE.min(end - from)).read_to_end(&mut self.bytes));
            if read.map_err(|error| Stop::Later(blob::Error::Io(error).into()))? == 0 {
                // Shorter than it was when it arrived.
                return Err(Stop::Never(ContactProblem::ImportFileLost));
            }
        }
        self.is_last = self.start + self.bytes.len() as u64 >= end;
        Ok(())
    }

    fn drop_front(&mut self, length: usize) {
        self.bytes.drain(..length);
        self.start += length as u64;
    }
}
