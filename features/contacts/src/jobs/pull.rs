//! One load of a source: asks it, puts its rows on the disk, and has an import take them.
//!
//! Nothing of the list changes here. The import is made in the transaction that ends the load, so a
//! process that is killed before it asks again, and one that is killed after it goes on with the
//! import's cursor.

use std::{sync::Arc, time::Duration};

use ::jobs::{Cause, Handler, JobContext, JobEnd, Why};
use base::{Id, Timestamp, kind};
use clock::Ids;
use db::Tx;
use host::Handles;
use serde_json::json;

use crate::{
    State,
    jobs::{import, patiently},
    plant::Point,
    source::{
        Loaded,
        fault::SourceFault,
        load::{Loader, Sink, Stop, Trace},
    },
    store::{
        lists,
        sources::{self, Arrival, Ended, SourceRow},
    },
};

/// The kind.
pub(crate) const KIND: &str = "contacts.pull";

/// A source that is away is asked so often before the load has failed.
const MOST_ASKS: i64 = 3;
/// How long the beginning of an answer is kept.
const SAMPLES: Duration = Duration::from_hours(7 * 24);
/// How long a load is kept.
const PULLS: Duration = Duration::from_hours(30 * 24);

/// The key of a source's schedule and jobs.
pub(crate) fn key(source: Id<kind::ContactSource>) -> String {
    format!("source:{source}")
}

/// Loads a source once the transaction is committed.
pub(crate) async fn enqueue(
    tx: &mut Tx<'_>,
    ids: &Ids,
    account: Id<kind::Account>,
    source: Id<kind::ContactSource>,
    now: Timestamp,
) -> db::Result<Id<kind::Job>> {
    let payload = json!({ "source": source });
    ::jobs::enqueue(tx, ids, account, KIND, payload, Some(&key(source)), now).await
}

/// The job.
pub(crate) struct Pull(pub(crate) Arc<State>);

impl Handler for Pull {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, job: &JobContext) -> JobEnd {
        let Ok(source) = serde_json::from_value(job.payload["source"].clone()) else {
            return JobEnd::Fail { why: Why::new(Cause::Mistake, "the payload names no source") };
        };
        match pull(&self.0, job, source).await {
            Ok(end) => end,
            Err(error) => JobEnd::Retry { after: crate::jobs::PAUSE, why: error.into() },
        }
    }
}

type Begun = Option<(SourceRow, Id<kind::SourcePull>)>;

async fn pull(state: &State, job: &JobContext, id: Id<kind::ContactSource>) -> db::Result<JobEnd> {
    let Handles { hub, .. } = &state.handles;
    let Some((source, pull)) = begin(state, job, id).await? else { return Ok(JobEnd::Done) };
    let topic = format!("source:{id}");
    hub.touch(job.account, &topic);
    let blob_key = format!("{}/pull/{pull}", job.account);
    let mut trace = Trace::default();
    let fault = match fetch(state, &source, &blob_key, &mut trace).await {
        Ok(loaded) => {
            state.plants.kill.reach(Point::PullStored);
            let taken = take(state, job, (&source, pull), &blob_key, loaded, &trace).await;
            hub.touch(job.account, &topic);
            return taken.map(|()| JobEnd::Done);
        }
        Err(Stop::Disk(why)) if job.fruitless + 1 < crate::jobs::MOST_FRUITLESS => {
            let why = Why::new(Cause::Disk, why);
            return Ok(JobEnd::Retry { after: crate::jobs::PAUSE, why });
        }
        Err(Stop::Disk(_)) => SourceFault::bare("gave_up"),
        Err(Stop::Source(fault)) => fault,
    };
    if fault.may_pass() && job.fruitless + 1 < MOST_ASKS {
        let after = crate::jobs::PAUSE * 3_u32.pow(job.fruitless.clamp(0, 4) as u32);
        return Ok(JobEnd::Retry { after, why: refused(&fault) });
    }
    let why = refused(&fault);
    let ended = Ended {
        fault: Some(fault),
        status: trace.status,
        bytes: trace.bytes,
        sample: std::mem::take(&mut trace.raw),
        import: None,
    };
    finish(state, job, pull, ended).await?;
    hub.touch(job.account, &topic);
    Ok(JobEnd::Fail { why })
}

/// What the source answered, for the page of jobs: the fault's code stands among the values.
fn refused(fault: &SourceFault) -> Why {
    let why = Why::coded(Cause::SourceRefused.code(), fault.params.clone(), fault.to_string());
    why.param("fault", fault.code.clone())
}

/// The source and the row of this load; `None` when there is nothing to be done.
async fn begin(state: &State, job: &JobContext, id: Id<kind::ContactSource>) -> db::Result<Begun> {
    let Handles { db, ids, clock, .. } = &state.handles;
    let (account, job_id) = (job.account, job.id);
    let begun = patiently(clock, job, || {
        let (fresh, now) = (ids.next::<kind::SourcePull>(), clock.now());
        db.write(move |tx| {
            Box::pin(async move {
                let source = sources::get(tx, account, id).await?;
                if !source.enabled || sources::is_busy(tx, account, id).await? {
                    return Ok(None);
                }
                sources::prune(tx, account, id, now.minus(SAMPLES), now.minus(PULLS)).await?;
                let (pull, is_over) = sources::begin(tx, &source, fresh, job_id, now).await?;
                Ok((!is_over).then_some((source, pull)))
            })
        })
    });
    match begun.await {
        // The source or its list is gone.
        Err(db::Error::NotFound) => Ok(None),
        other => other,
    }
}

async fn fetch(
    state: &State,
    source: &SourceRow,
    blob_key: &str,
    trace: &mut Trace,
) -> Result<Loaded, Stop> {
    let handles = &state.handles;
    let secret = open(state, source)?;
    let writer = handles.blob.create(blob_key).await;
    let mut sink = Sink::new(Some(writer.map_err(|error| Stop::Disk(error.to_string()))?));
    let (settings, google) = (&source.settings, &state.google);
    let loader = Loader { handles, google, settings, secret: &secret, test: false };
    let loaded = loader.load(&mut sink, trace).await?;
    if let Some(writer) = sink.writer {
        writer.finish().await.map_err(|error| Stop::Disk(error.to_string()))?;
    }
    Ok(loaded)
}

/// The secret of a source; empty when it has none.
pub(crate) fn open(state: &State, source: &SourceRow) -> Result<String, SourceFault> {
    let Some(sealed) = &source.secret else {
        let lost = source.settings.needs_secret();
        return if lost { Err(SourceFault::bare("secret_lost")) } else { Ok(String::new()) };
    };
    let opened = state.handles.secrets.open(&context(source.id), sealed);
    let text = opened.ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or_else(|| SourceFault::bare("secret_lost"))
}

/// What a source's secret is sealed for.
pub(crate) fn context(source: Id<kind::ContactSource>) -> String {
    format!("contact_source.secret:{source}")
}

/// Ends the load and has its rows taken, in one transaction.
async fn take(
    state: &State,
    job: &JobContext,
    (source, pull): (&SourceRow, Id<kind::SourcePull>),
    blob_key: &str,
    loaded: Loaded,
    trace: &Trace,
) -> db::Result<()> {
    let Handles { db, ids, clock, hub, .. } = &state.handles;
    let account = job.account;
    let import = ids.next::<kind::Import>();
    let shared = Arc::new((source.clone(), blob_key.to_owned(), loaded, trace.clone()));
    patiently(clock, job, || {
        let (ids, shared, now, job) = (ids.clone(), Arc::clone(&shared), clock.now(), job.clone());
        db.write(move |tx| {
            Box::pin(async move {
                let (source, blob_key, loaded, trace) = &*shared;
                // The error undoes the rest: the list was deleted meanwhile.
                lists::get(tx, account, source.list).await?;
                job.progress_in(tx, loaded.rows.max(1), Some(loaded.rows.max(1))).await?;
                let ended = Ended {
                    fault: None,
                    status: trace.status,
                    bytes: trace.bytes,
                    sample: trace.raw.clone(),
                    import: Some(import),
                };
                if !sources::end(tx, account, pull, ended, now).await? {
                    return Ok(());
                }
                let job = import::enqueue(tx, &ids, account, import, now).await?;
                let arrival = Arrival { id: import, source, blob_key, loaded, job };
                sources::arrive(tx, arrival, now).await
            })
        })
    })
    .await?;
    hub.touch(account, &format!("list:{}", source.list));
    Ok(())
}

async fn finish(
    state: &State,
    job: &JobContext,
    pull: Id<kind::SourcePull>,
    ended: Ended,
) -> db::Result<()> {
    let Handles { db, clock, .. } = &state.handles;
    let (account, now) = (job.account, clock.now());
    db.write(move |tx| {
        Box::pin(async move { sources::end(tx, account, pull, ended, now).await.map(drop) })
    })
    .await
}
