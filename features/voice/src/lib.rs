#![doc = include_str!("../README.md")]

mod audio;
mod calls;
mod demo;
mod lines;
mod recordings;
mod serve;

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use access::Permission;
use base::{Id, kind};
use host::{Feature, Handles, Shutdown, Socket};
use http_kit::{ApiRouter, Caller, ProblemInfo, Topic, routes};

pub use audio::AudioUses;
use audio::Library;
pub use calls::{Abandoned, Calls, LineState, Report, Setup, Slot};
use calls::{Engine, Shelves};
use demo::{Addresses, Carrier};
pub use lines::LineUses;
use lines::{Book, routes as line_routes};
use recordings::Shelf;
pub use recordings::forget_recordings;

/// A future that a trait object can return.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The feature.
#[derive(Clone)]
pub struct Voice(Arc<State>);

/// What its routes and loops share.
pub(crate) struct State {
    pub(crate) handles: Handles,
    pub(crate) book: Book,
    pub(crate) line_uses: Arc<dyn LineUses>,
    pub(crate) library: Arc<Library>,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) calls: Calls,
    engine: Engine,
    carrier: Carrier,
}

impl Voice {
    /// The feature over the platform's handles; `line_uses` and `audio_uses` know which lines and
    /// which audio campaigns need. Starts the media thread, and blocks shortly: it reads the disk.
    pub fn new(
        handles: Handles,
        setup: Setup,
        line_uses: Arc<dyn LineUses>,
        audio_uses: Arc<dyn AudioUses>,
    ) -> Result<Self, media::StartError> {
        let book = Book::new(handles.hub.clone());
        let library = Arc::new(Library::new(handles.clone(), audio_uses));
        let shelf = Arc::new(Shelf::new(handles.clone()));
        let folder = Shelf::folder(&handles).map_err(std::io::Error::other)?;
        let mut media = media::Config::new(folder);
        media.ports = setup.media_ports.clone();
        let media = Shelf::start_media(media)?;
        let carrier = Carrier {
            book: book.clone(),
            clock: handles.clock.clone(),
            media: media.clone(),
            addresses: Addresses::default(),
        };
        let sounds = Shelves { library: Arc::clone(&library), shelf: Arc::clone(&shelf) };
        let (engine, calls) = Engine::new(
            setup,
            handles.clock.clone(),
            handles.secrets.clone(),
            media,
            Arc::new(sounds),
            book.clone(),
            carrier.addresses.clone(),
        );
        let state = State { handles, book, line_uses, library, shelf, calls, engine, carrier };
        Ok(Self(Arc::new(state)))
    }

    /// The way to the calls.
    pub fn calls(&self) -> &Calls {
        &self.0.calls
    }

    /// Adds a line of the demo carrier, at the highest speed.
    pub async fn add_demo_line(&self, by: &Caller, name: &str) -> http_kit::Result<Id<kind::Line>> {
        lines::add_demo(&self.0, by, name).await
    }

    /// Removes a line as its route does. One that is gone is no error.
    pub async fn remove_line(&self, by: &Caller, line: Id<kind::Line>) -> http_kit::Result<()> {
        lines::remove(&self.0, by, line).await
    }

    /// Puts the demo's announcement into the audio library.
    pub async fn add_announcement(
        &self,
        by: &Caller,
        name: &str,
    ) -> http_kit::Result<Id<kind::Audio>> {
        audio::add(&self.0.library, by, name, demo::announcement()).await
    }

    /// Removes an audio as its route does. One that is gone is no error.
    pub async fn remove_audio(&self, by: &Caller, audio: Id<kind::Audio>) -> http_kit::Result<()> {
        audio::remove(&self.0.library, by, audio).await
    }

    /// How long an audio plays; `None` when the account has no such audio.
    pub async fn audio_duration(
        &self,
        account: Id<kind::Account>,
        audio: Id<kind::Audio>,
    ) -> db::Result<Option<Duration>> {
        self.0.library.duration(account, audio).await
    }
}

impl Feature for Voice {
    fn name(&self) -> &'static str {
        "voice"
    }

    fn chain(&self) -> db::Chain {
        db::Chain {
            feature: "voice",
            migrations: &[
                db::Migration {
                    name: "20261120130000_line",
                    sql: include_str!("../migrations/20261120130000_line.sql"),
                },
                db::Migration {
                    name: "20261120140000_audio",
                    sql: include_str!("../migrations/20261120140000_audio.sql"),
                },
                db::Migration {
                    name: "20261120150000_recording",
                    sql: include_str!("../migrations/20261120150000_recording.sql"),
                },
                db::Migration {
                    name: "20261121120000_demo_line",
                    sql: include_str!("../migrations/20261121120000_demo_line.sql"),
                },
                db::Migration {
                    name: "20261121121000_recording_heard",
                    sql: include_str!("../migrations/20261121121000_recording_heard.sql"),
                },
                db::Migration {
                    name: "20261123100000_retention",
                    sql: include_str!("../migrations/20261123100000_retention.sql"),
                },
            ],
            views: include_str!("../migrations/views.sql"),
        }
    }

    fn problems(&self) -> Vec<&'static [ProblemInfo]> {
        vec![lines::LineProblem::ALL, audio::AudioProblem::ALL, recordings::RecordingProblem::ALL]
    }

    fn routes(&self) -> ApiRouter {
        ApiRouter::new()
            .with(Permission::LineView, routes!(line_routes::list::list_lines))
            .with(Permission::LineManage, routes!(line_routes::create::create_line))
            .with(Permission::LineView, routes!(line_routes::get::get_line))
            .with(Permission::LineManage, routes!(line_routes::update::update_line))
            .with(Permission::LineManage, routes!(line_routes::delete::delete_line))
            .with(Permission::LineManage, routes!(line_routes::check::check_line))
            .with(Permission::LineView, routes!(demo::routes::list_demo_phones))
            .with_state(Arc::clone(&self.0))
            .merge(audio::routes(&self.0.library))
            .merge(recordings::routes(&self.0.shelf))
    }

    fn plug(&self, socket: &mut Socket) {
        let book = self.0.book.clone();
        socket.topic(Topic::new("lines", Permission::LineView, move |account, _| {
            let snapshot = line_routes::list::snapshot(&book, account);
            async move { snapshot }
        }));
        recordings::plug(&self.0.shelf, socket);
        let shelf = Arc::clone(&self.0.shelf);
        socket.run("voice.recordings", move |shutdown| {
            let shelf = Arc::clone(&shelf);
            async move { shelf.run(shutdown).await }
        });
        let state = Arc::clone(&self.0);
        socket.run("voice.calls", move |shutdown| {
            let state = Arc::clone(&state);
            async move { state.engine.run(shutdown).await }
        });
        let state = Arc::clone(&self.0);
        socket.run("voice.demo", move |shutdown| {
            let state = Arc::clone(&state);
            async move { state.carrier.run(shutdown).await }
        });
        let state = Arc::clone(&self.0);
        socket.run("voice.lines", move |shutdown| {
            let state = Arc::clone(&state);
            async move { keep_book(&state, shutdown).await }
        });
    }
}

/// Fills the book from the database, as soon as that can be read.
async fn keep_book(state: &State, shutdown: Shutdown) {
    let Handles { db, clock, .. } = &state.handles;
    while !state.book.is_loaded() {
        match db.read(|tx| Box::pin(lines::load_all(tx))).await {
            Ok(lines) => state.book.load(lines, clock.now()),
            Err(error) => {
                tracing::warn!(%error, "the lines cannot be read yet");
                tokio::select! {
                    () = clock.sleep(Duration::from_secs(1)) => {}
                    () = shutdown.stopping() => return,
                }
            }
        }
    }
    shutdown.stopping().await;
}
