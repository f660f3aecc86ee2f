//! Writes an export: parts of rows first, each noted in the same unit as the cursor, then the file.
//!
//! A part whose unit was lost is written again under its own name, so that no row is there twice;
//! the file is put together from whole parts only.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use ::jobs::{Cause, Handler, JobContext, JobEnd, Ways, Why};
use base::{
    Id, Timestamp,
    kind::{Account, Campaign},
};
use db::{Result, Tx};
use host::Handles;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    export::{self, What, Wording, file::Parts, words},
    runner::Dialers,
    store::{
        as_json, attempts, campaigns, contacts, document,
        exports::{self, Export},
        word,
    },
};

const KIND: &str = "campaigns.export";
/// Rows of a part.
const UNIT: i64 = 2_000;
/// How long a failed attempt waits.
const PAUSE: Duration = Duration::from_secs(2);
/// Attempts that got nowhere before it is given up.
const MOST_FRUITLESS: i64 = 5;
/// How long a file is kept.
pub(crate) const KEPT: Duration = Duration::from_hours(7 * 24);
/// How often expired files are looked for.
const ROUND: Duration = Duration::from_hours(1);

/// Asks for the job.
pub(crate) async fn enqueue(
    tx: &mut Tx<'_>,
    ids: &clock::Ids,
    account: Id<Account>,
    campaign: Id<Campaign>,
    export: Id<Export>,
    now: Timestamp,
) -> Result<Id<base::kind::Job>> {
    let payload = json!({ "campaign": campaign, "export": export });
    ::jobs::enqueue(tx, ids, account, KIND, payload, None, now).await
}

/// What the rows are filtered by, as it is kept with the export.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Kept {
    #[serde(default)]
    pub(crate) state: Option<String>,
    #[serde(default)]
    pub(crate) outcome: Option<String>,
    #[serde(default)]
    pub(crate) q: Option<String>,
    #[serde(default)]
    pub(crate) line: Option<Id<base::kind::Line>>,
    #[serde(default)]
    pub(crate) sip_code: Option<i64>,
    #[serde(default)]
    pub(crate) answered: Option<bool>,
    #[serde(default)]
    pub(crate) recorded: Option<bool>,
    /// Calls from this id on, and below this one; later calls are not of the export.
    #[serde(default)]
    pub(crate) from: i64,
    pub(crate) below: i64,
}

#[derive(Deserialize)]
struct Payload {
    campaign: Id<Campaign>,
    export: Id<Export>,
}

/// Where to go on.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Cursor {
    /// Contacts after this one, or calls below it.
    at: i64,
    parts: u32,
    rows: i64,
    columns: BTreeSet<String>,
    read: bool,
}

/// The blob of a part, or of the file itself.
pub(crate) fn part_key(account: Id<Account>, export: Id<Export>, part: u32) -> String {
    format!("export/{account}/{export}/{part}.part")
}

/// The blob of the file.
pub(crate) fn file_key(row: &exports::Row) -> String {
    format!("export/{}/{}.{}", row.account, row.id, row.format)
}

/// The handler.
pub(crate) struct Exporter(pub(crate) Arc<Dialers>);

impl Handler for Exporter {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn ways(&self) -> Ways {
        Ways { stop: true, again: false }
    }

    async fn run(&self, job: &JobContext) -> JobEnd {
        match self.export(job).await {
            Ok(end) => end,
            Err(error) if job.fruitless >= MOST_FRUITLESS => {
                tracing::warn!(%error, "an export is given up");
                match self.end(job, "failed", None, Some("export_failed")).await {
                    Ok(()) => JobEnd::Fail { why: error },
                    Err(error) => JobEnd::Retry { after: PAUSE, why: error },
                }
            }
            Err(error) => JobEnd::Retry { after: PAUSE, why: error },
        }
    }
}

fn disk(error: impl std::fmt::Display) -> db::Error {
    db::Error::Unavailable(error.to_string())
}

fn mistake(error: impl std::fmt::Display) -> Why {
    Why::new(Cause::Mistake, error.to_string())
}

impl Exporter {
    async fn export(&self, job: &JobContext) -> Result<JobEnd, Why> {
        let Payload { campaign, export } = document(job.payload.clone())?;
        let account = job.account;
        let (row, zone) = self
            .0
            .handles
            .db
            .read(move |tx| {
                Box::pin(async move {
                    let row = exports::get(tx, account, campaign, export).await?;
                    let zone = campaigns::get(tx, account, campaign).await?.setup.time_zone;
                    Ok((row, zone))
                })
            })
            .await?;
        if row.state != "running" {
            return Ok(JobEnd::Cancelled);
        }
        let kept: Kept = document(row.filter.clone())?;
        let what: What = document(Value::from(row.what.clone()))?;
        let lines = self.0.phones.lines(account);
        let wording = Wording {
            language: word(&row.language)?,
            zone,
            lines: lines.into_iter().map(|line| (line.id, line.name)).collect(),
        };
        let at = if what == What::Contacts { 0 } else { kept.below };
        let mut cursor = match job.cursor.clone() {
            Some(saved) if self.0.plants.repeats_parts => Cursor { at, ..document(saved)? },
            Some(saved) => document(saved)?,
            None => Cursor { at, parts: 0, rows: 0, columns: BTreeSet::new(), read: false },
        };
        while !cursor.read {
            if job.is_cancelled().await? {
                self.end(job, "cancelled", None, None).await?;
                self.forget_parts(account, export, cursor.parts).await?;
                return Ok(JobEnd::Cancelled);
            }
            if job.is_stopping() {
                return Ok(JobEnd::Retry { after: Duration::ZERO, why: Why::stopping() });
            }
            cursor = self.unit(job, &row, what, &kept, &wording, cursor).await?;
        }
        let bytes = self.put_together(&row, what, &wording, &cursor).await?;
        self.end(job, "ready", Some(bytes), None).await?;
        self.forget_parts(account, export, cursor.parts).await?;
        Ok(JobEnd::Done)
    }

    /// Reads the next rows, puts them on the disk, and notes that they are there.
    async fn unit(
        &self,
        job: &JobContext,
        row: &exports::Row,
        what: What,
        kept: &Kept,
        wording: &Wording,
        mut cursor: Cursor,
    ) -> Result<Cursor, Why> {
        let (rows, next) = match what {
            What::Contacts => self.contacts(row, kept, wording, cursor.at).await?,
            What::Attempts => self.attempts(row, kept, wording, cursor.at).await?,
        };
        if !rows.is_empty() {
            let mut text = Vec::new();
            for row in &rows {
                export::learn(&mut cursor.columns, row);
                serde_json::to_writer(&mut text, row).map_err(mistake)?;
                text.push(b'\n');
            }
            let key = part_key(row.account, row.id, cursor.parts);
            self.0.handles.blob.put(&key, text).await?;
            cursor.parts += 1;
            cursor.rows += rows.len() as i64;
        }
        match next {
            Some(at) => cursor.at = at,
            None => cursor.read = true,
        }
        self.0.plants.kill.reach(crate::plant::Point::ExportPart);
        let (job, export, total) = (job.clone(), row.id, row.total);
        let write = self.0.handles.db.write(move |tx| {
            Box::pin(async move {
                exports::progress(tx, export, cursor.rows).await?;
                let total = total.map(i64::unsigned_abs);
                job.progress_in(tx, cursor.rows.unsigned_abs(), total).await?;
                job.save_in(tx, as_json(&cursor)?).await?;
                Ok(cursor)
            })
        });
        Ok(write.await?)
    }

    async fn contacts(
        &self,
        row: &exports::Row,
        kept: &Kept,
        wording: &Wording,
        after: i64,
    ) -> Result<(Vec<export::Row>, Option<i64>), Why> {
        let (account, campaign) = (row.account, row.campaign);
        let filter = contacts::Filter {
            group: kept.state.as_deref().map(word).transpose()?,
            last_outcome: kept.outcome.clone(),
            text: kept.q.clone(),
        };
        let read = self.0.handles.db.read(move |tx| {
            Box::pin(
                async move { contacts::page(tx, account, campaign, &filter, after, UNIT).await },
            )
        });
        let (rows, end) = read.await?;
        let full = rows.len() as i64 == UNIT;
        let next = if full { rows.last().map(|row| row.id.raw()) } else { end };
        Ok((rows.into_iter().map(|row| wording.contact(row)).collect(), next))
    }

    async fn attempts(
        &self,
        row: &exports::Row,
        kept: &Kept,
        wording: &Wording,
        below: i64,
    ) -> Result<(Vec<export::Row>, Option<i64>), Why> {
        let (account, campaign) = (row.account, row.campaign);
        let filter = attempts::Filter {
            outcome: kept.outcome.clone(),
            line: kept.line,
            sip_code: kept.sip_code,
            answered: kept.answered,
            recorded: kept.recorded,
            text: kept.q.clone(),
            from: kept.from,
            below,
        };
        let read = self.0.handles.db.read(move |tx| {
            Box::pin(async move { attempts::page(tx, account, campaign, &filter, UNIT).await })
        });
        let (rows, end) = read.await?;
        let full = rows.len() as i64 == UNIT;
        let next = if full { rows.last().map(|row| row.id.raw()) } else { end };
        Ok((rows.into_iter().map(|row| wording.attempt(row)).collect(), next))
    }

    /// Makes the file of the parts; its length in bytes.
    async fn put_together(
        &self,
        row: &exports::Row,
        what: What,
        wording: &Wording,
        cursor: &Cursor,
    ) -> Result<i64, Why> {
        let blob = &self.0.handles.blob;
        let files = (0..cursor.parts)
            .map(|part| blob.path(&part_key(row.account, row.id, part)))
            .collect::<blob::Result<_>>()?;
        let target = blob.path(&file_key(row))?;
        let parts = Parts {
            files,
            heads: words::heads(what, wording.language).iter().map(|&s| s.to_owned()).collect(),
            variables: cursor.columns.clone(),
            format: document(Value::from(row.format.clone()))?,
        };
        let written = tokio::task::spawn_blocking(move || parts.write(&target)).await;
        let length = written.map_err(mistake)?.map_err(blob::Error::from)?;
        Ok(length as i64)
    }

    async fn end(
        &self,
        job: &JobContext,
        state: &'static str,
        bytes: Option<i64>,
        problem: Option<&str>,
    ) -> Result<(), Why> {
        let Payload { export, .. } = document(job.payload.clone())?;
        let expires_at = self.0.handles.clock.now().plus(KEPT);
        let problem = problem.map(str::to_owned);
        let write = self.0.handles.db.write(move |tx| {
            Box::pin(async move {
                exports::end(tx, export, state, bytes, problem, expires_at).await.map(drop)
            })
        });
        Ok(write.await?)
    }

    async fn forget_parts(
        &self,
        account: Id<Account>,
        export: Id<Export>,
        parts: u32,
    ) -> Result<(), Why> {
        for part in 0..parts {
            let key = part_key(account, export, part);
            self.0.handles.blob.remove(&key).await?;
        }
        Ok(())
    }
}

/// Removes files whose time is over, until the server stops.
pub(crate) async fn expire(handles: &Handles, shutdown: host::Shutdown) {
    loop {
        if let Err(error) = expire_now(handles).await {
            tracing::warn!(%error, "expired exports cannot be removed yet");
        }
        tokio::select! {
            () = handles.clock.sleep(ROUND) => {}
            () = shutdown.stopping() => return,
        }
    }
}

async fn expire_now(handles: &Handles) -> Result<()> {
    loop {
        let now = handles.clock.now();
        let read = handles.db.read(move |tx| Box::pin(exports::expired(tx, now)));
        let rows = read.await?;
        if rows.is_empty() {
            return Ok(());
        }
        for row in rows {
            remove(handles, &row).await?;
        }
    }
}

/// Removes an export: first its bytes, so that none outlives its row.
pub(crate) async fn remove(handles: &Handles, row: &exports::Row) -> Result<()> {
    handles.blob.remove(&file_key(row)).await.map_err(disk)?;
    let parts = (row.done / UNIT + 1).clamp(0, i64::from(u32::MAX)) as u32;
    for part in 0..parts {
        handles.blob.remove(&part_key(row.account, row.id, part)).await.map_err(disk)?;
    }
    let id = row.id;
    handles.db.write(move |tx| Box::pin(async move { exports::delete(tx, id).await })).await
}
