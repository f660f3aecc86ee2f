//! Recordings of calls: their rows, who may hear them, and when they go.

mod keep;
mod problems;
mod retention;
mod routes;
mod store;

use std::{path::PathBuf, sync::Arc, time::Duration};

use access::Permission;
use base::{Id, Timestamp, kind};
use host::{Handles, Shutdown, Socket};
use http_kit::{ApiRouter, routes};
use media::{Media, Recorded};

pub(crate) use problems::RecordingProblem;
pub use store::forget_recordings;

/// Folder of recordings among the blobs.
const FOLDER: &str = "recording";
/// How often recordings without a row and marked ones are looked for.
const ROUND: Duration = Duration::from_hours(1);
/// When it is tried again, if the database or the disk is away.
const SOON: Duration = Duration::from_secs(5);

/// Every account's recordings.
pub(crate) struct Shelf {
    handles: Handles,
}

impl Shelf {
    pub(crate) fn new(handles: Handles) -> Self {
        Self { handles }
    }

    /// The key under which the media plane records a call that was answered `at`.
    pub(crate) fn key(
        account: Id<kind::Account>,
        attempt: Id<kind::Attempt>,
        at: Timestamp,
    ) -> String {
        format!("{account}/{}/{attempt}", calendar::Zone::utc().date(at))
    }

    /// Where the media plane records: [`media::Config::recordings`].
    pub(crate) fn folder(handles: &Handles) -> blob::Result<PathBuf> {
        handles.blob.path(FOLDER)
    }

    /// Starts the media plane, after mending what a crash cut off; those recordings are kept by
    /// [`Shelf::run`]. Reads the disk, so call it where blocking is allowed.
    pub(crate) fn start_media(config: media::Config) -> Result<Media, media::StartError> {
        let mended = media::recover(&config.recordings)?;
        if !mended.is_empty() {
            tracing::warn!(recordings = mended.len(), "recordings that were cut off are mended");
        }
        Media::start(config)
    }

    /// Notes a finished recording. It can be heard from now on.
    pub(crate) async fn keep(&self, made: &Recorded) -> db::Result<()> {
        keep::keep(&self.handles, made).await
    }

    /// Notes that somebody listens to a recording, the first time.
    async fn heard(&self, row: &store::RecordingRow) -> db::Result<()> {
        if row.heard_at.is_some() {
            return Ok(());
        }
        let (account, attempt, now) = (row.account, row.attempt, self.handles.clock.now());
        self.handles
            .db
            .write(move |tx| {
                Box::pin(async move { store::set_heard(tx, account, attempt, now).await })
            })
            .await
    }

    /// Keeps what a crash, or a database that was away, left without a row; removes what is marked.
    pub(crate) async fn run(&self, shutdown: Shutdown) {
        let clock = self.handles.clock.clone();
        loop {
            let mut wait = ROUND;
            if let Err(error) = keep::adopt(&self.handles).await {
                tracing::warn!(error, "recordings without a row cannot be kept yet");
                wait = SOON;
            }
            if let Err(error) = keep::remove_marked(&self.handles).await {
                tracing::warn!(%error, "recordings cannot be removed yet");
            }
            tokio::select! {
                () = clock.sleep(wait) => {}
                () = shutdown.stopping() => return,
            }
        }
    }
}

/// Declares the job that removes old recordings.
pub(crate) fn plug(shelf: &Arc<Shelf>, socket: &mut Socket) {
    socket.job(retention::Remove(Arc::clone(shelf)));
}

/// The routes of recordings.
pub(crate) fn routes(shelf: &Arc<Shelf>) -> ApiRouter {
    ApiRouter::new()
        .with(Permission::RecordingListen, routes!(routes::file::get_recording))
        .with(Permission::RecordingListen, routes!(routes::waveform::get_waveform))
        .with(Permission::RecordingKeep, routes!(routes::kept::keep_recording))
        .with(Permission::AccountView, routes!(routes::retention::get_retention))
        .with(Permission::AccountView, routes!(routes::retention::get_effect))
        .with(Permission::AccountManage, routes!(routes::retention::set_retention))
        .with_state(Arc::clone(shelf))
}
