//! The audio library: what people uploaded, and the prompts made of it.

mod cache;
mod problems;
mod routes;
mod store;
mod view;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use access::Permission;
use base::{Id, kind};
use db::Tx;
use host::Handles;
use http_kit::{ApiRouter, Problem, routes};
use media::{
    Codec,
    prompt::{PromptError, PromptFiles},
};
use tokio::sync::Semaphore;

use crate::Later;
use cache::Cache;
pub(crate) use problems::AudioProblem;

/// The largest file that may be uploaded.
const LARGEST: u64 = 50 << 20;
/// Prompts kept in memory for the calls that play them. One of half an hour has 14 MB.
const CACHE_BYTES: usize = 128 << 20;
/// Uploads that are decoded at once; each may need 58 MB.
const AT_ONCE: usize = 2;

/// Which audio running campaigns play. Declared here, answered by campaigns.
pub trait AudioUses: Send + Sync + 'static {
    /// The audio that running and paused campaigns of the account play, each with the name of one
    /// such campaign, as `tx` sees them.
    fn in_use<'a>(
        &'a self,
        tx: &'a mut Tx<'_>,
        account: Id<kind::Account>,
    ) -> Later<'a, db::Result<BTreeMap<Id<kind::Audio>, String>>>;
}

/// The library of every account.
pub(crate) struct Library {
    handles: Handles,
    uses: Arc<dyn AudioUses>,
    cache: Cache,
    preparing: Semaphore,
}

/// Why a prompt cannot be played.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PromptGone {
    /// The audio was deleted, or never was.
    #[error("the audio is not there")]
    NotFound,
    /// The disk.
    #[error("the audio cannot be read: {0}")]
    Disk(String),
}

impl Library {
    pub(crate) fn new(handles: Handles, uses: Arc<dyn AudioUses>) -> Self {
        Self { handles, uses, cache: Cache::new(CACHE_BYTES), preparing: Semaphore::new(AT_ONCE) }
    }

    /// A prompt in the codec of the call, from memory when it was played lately.
    pub(crate) async fn prompt(
        &self,
        account: Id<kind::Account>,
        audio: Id<kind::Audio>,
        codec: Codec,
    ) -> Result<Arc<[u8]>, PromptGone> {
        if let Some(prompt) = self.cache.get(account, audio, codec) {
            return Ok(prompt);
        }
        let bytes = self.handles.blob.get(&prompt_key(account, audio, codec)).await;
        let bytes = bytes.map_err(|error| match error {
            blob::Error::NotFound => PromptGone::NotFound,
            blob::Error::Key(_) | blob::Error::Full | blob::Error::Io(_) => {
                PromptGone::Disk(error.to_string())
            }
        })?;
        let prompt: Arc<[u8]> = Arc::from(&bytes[..]);
        self.cache.put(account, audio, codec, Arc::clone(&prompt));
        Ok(prompt)
    }

    /// How long the audio plays, if it exists.
    pub(crate) async fn duration(
        &self,
        account: Id<kind::Account>,
        audio: Id<kind::Audio>,
    ) -> db::Result<Option<Duration>> {
        let read = self.handles.db.read(move |tx| {
            Box::pin(async move {
                match store::get(tx, account, audio).await {
                    Ok(row) => Ok(Some(row.duration())),
                    Err(db::Error::NotFound) => Ok(None),
                    Err(error) => Err(error),
                }
            })
        });
        read.await
    }
}

/// The library's routes.
pub(crate) fn routes(library: &Arc<Library>) -> ApiRouter {
    ApiRouter::new()
        .with(Permission::AudioView, routes!(routes::list::list_audio))
        .upload(Permission::AudioEdit, LARGEST, routes!(routes::upload::upload_audio))
        .with(Permission::AudioView, routes!(routes::file::get_audio_file))
        .with(Permission::AudioEdit, routes!(routes::rename::rename_audio))
        .with(Permission::AudioEdit, routes!(routes::delete::delete_audio))
        .with_state(Arc::clone(library))
}

/// Puts a sound into the library, for another feature.
pub(crate) async fn add(
    library: &Arc<Library>,
    by: &http_kit::Caller,
    name: &str,
    wav: Vec<u8>,
) -> http_kit::Result<Id<kind::Audio>> {
    routes::upload::add(library, by, name, wav).await
}

/// Removes an audio, for another feature; one that is gone is no error.
pub(crate) async fn remove(
    library: &Arc<Library>,
    by: &http_kit::Caller,
    audio: Id<kind::Audio>,
) -> http_kit::Result<()> {
    if library.duration(by.account, audio).await?.is_none() {
        return Ok(());
    }
    let state = axum::extract::State(Arc::clone(library));
    routes::delete::delete_audio(state, by.clone(), http_kit::Path(audio)).await.map(drop)
}

/// Where a prompt in `codec` is kept.
fn prompt_key(account: Id<kind::Account>, audio: Id<kind::Audio>, codec: Codec) -> String {
    let extension = match codec {
        Codec::Pcmu => "pcmu",
        Codec::Pcma => "pcma",
    };
    format!("audio/{account}/{audio}.{extension}")
}

/// Where the uploaded bytes are kept.
fn master_key(account: Id<kind::Account>, audio: Id<kind::Audio>) -> String {
    format!("audio/{account}/{audio}.master")
}

/// Where the levelled sound for the page is kept.
fn preview_key(account: Id<kind::Account>, audio: Id<kind::Audio>) -> String {
    format!("audio/{account}/{audio}.wav")
}

/// Everything that is kept of an audio.
fn keys(account: Id<kind::Account>, audio: Id<kind::Audio>) -> [String; 4] {
    [
        master_key(account, audio),
        preview_key(account, audio),
        prompt_key(account, audio, Codec::Pcmu),
        prompt_key(account, audio, Codec::Pcma),
    ]
}

/// Takes away what is kept of an audio that no row names. What cannot be removed is logged: it is
/// only room on the disk.
async fn remove_files(handles: &Handles, account: Id<kind::Account>, audio: Id<kind::Audio>) {
    for key in keys(account, audio) {
        if let Err(error) = handles.blob.remove(&key).await {
            tracing::warn!(audio.key = key, %error, "a file of the audio library stays");
        }
    }
}

/// Where the prompts of an audio go.
fn files(
    handles: &Handles,
    account: Id<kind::Account>,
    audio: Id<kind::Audio>,
) -> blob::Result<PromptFiles> {
    let path = |key: String| handles.blob.path(&key);
    Ok(PromptFiles {
        pcmu: path(prompt_key(account, audio, Codec::Pcmu))?,
        pcma: path(prompt_key(account, audio, Codec::Pcma))?,
        preview: path(preview_key(account, audio))?,
    })
}

/// What is wrong with an uploaded file, for the person who uploaded it.
fn refused(error: PromptError) -> Problem {
    match error {
        PromptError::Unknown => AudioProblem::Unknown.into(),
        PromptError::Opus => AudioProblem::Opus.into(),
        PromptError::Codec { format, what } => {
            AudioProblem::Codec { format: format.to_string(), what }.into()
        }
        PromptError::Damaged(what) => AudioProblem::Damaged { what }.into(),
        PromptError::Empty => AudioProblem::Empty.into(),
        PromptError::TooLong => AudioProblem::TooLong.into(),
        PromptError::Io(error) => db::Error::Unavailable(error.to_string()).into(),
    }
}
