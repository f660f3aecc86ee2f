//! `switchbell serve`: from the boot settings to a listening server and back.

use std::{fs, io::Write as _, os::unix::fs::DirBuilderExt as _, time::Duration};

use anyhow::{Context as _, Result};
use clock::Clock;
use host::Handles;
use http_kit::Peer;
use people::People;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use crate::{
    admin,
    assemble::{Assembled, assemble},
    boot::{Boot, Given},
    platform,
};

/// How long requests that are under way may go on once everything else has ended.
const LAST_REQUESTS: Duration = Duration::from_secs(5);

/// Runs the server until it is told to stop.
pub async fn serve(boot: Boot) -> Result<()> {
    prepare(&boot)?;
    let listener = TcpListener::bind(boot.listen)
        .await
        .with_context(|| format!("{} cannot be listened on", boot.listen))?;
    let handles = platform::open(&boot, Clock::system()).await?;
    let Assembled { app, socket, people } = assemble(handles.clone(), &boot).await?;
    let admin = admin::listen(&boot.data, people.clone(), boot.origin(), handles.shutdown.clone())?;
    let admin = telemetry::spawn("admin", admin);
    let mut running = socket.start();
    let stopping = handles.shutdown.clone();
    let service = app.router.into_make_service_with_connect_info::<Peer>();
    let http = axum::serve(listener, service)
        .with_graceful_shutdown(async move { stopping.stopping().await });
    let http = telemetry::spawn("http", async move { http.await });
    announce(&boot, &people).await?;
    told_to_stop().await?;
    tracing::info!("stopping: no new work, up to 30 s for what is under way");
    tokio::select! {
        () = running.drain() => {}
        again = told_to_stop() => {
            again?;
            tracing::warn!("told twice to stop: what is under way is dropped");
        }
    }
    running.stop().await;
    tokio::select! {
        _ = http => {}
        () = handles.clock.sleep(LAST_REQUESTS) => {
            tracing::warn!("requests were still under way");
        }
    }
    // It watches the same shutdown.
    let _ = admin.await;
    handles.db.close().await;
    tracing::info!("stopped");
    Ok(())
}

/// The data folder, which is its owner's alone.
fn prepare(boot: &Boot) -> Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&boot.data)
        .with_context(|| format!("the data folder {}", boot.data.display()))
}

/// Prints the one line: the set-up link when there is no owner, else where to sign in.
async fn announce(boot: &Boot, people: &People) -> Result<()> {
    let path = people.setup_path().await?.unwrap_or_else(|| "/".to_owned());
    say(&format!("{}{path}", boot.origin()))
}

/// Writes a line to the standard output.
pub fn say(line: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

/// Returns at SIGTERM or SIGINT.
async fn told_to_stop() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Fulfils a wish: by the running server, or with the database itself when none runs.
pub async fn administer(boot: Boot, wish: admin::Wish) -> Result<()> {
    if let Some(line) = admin::ask(&boot.data, &wish).await? {
        return say(&line);
    }
    prepare(&boot)?;
    let handles: Handles = platform::open(&boot, Clock::system()).await?;
    let Assembled { people, .. } = assemble(handles.clone(), &boot).await?;
    let line = admin::fulfil(&people, &boot.origin(), wish).await;
    handles.db.close().await;
    say(&line?)
}

/// The description of the API, made in a folder that is gone afterwards.
pub async fn openapi() -> Result<String> {
    let dir = tempfile::tempdir()?;
    let boot = Boot::with(Given { data: dir.path().to_owned(), ..Given::default() })?;
    let handles = platform::open(&boot, Clock::system()).await?;
    let Assembled { app, .. } = assemble(handles.clone(), &boot).await?;
    handles.db.close().await;
    Ok(serde_json::to_string_pretty(&app.document)?)
}
