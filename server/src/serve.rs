//! `switchbell serve`: from the boot settings to a listening server and back.

use std::{fs, io::Write as _, net::SocketAddr, os::unix::fs::DirBuilderExt as _, time::Duration};

use anyhow::{Context as _, Result};
use axum::{
    Router,
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use clock::Clock;
use host::{Handles, Shutdown};
use http_kit::Peer;
use people::People;
use tls::Tls;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    task::JoinHandle,
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
    let listener = bind(boot.listen).await?;
    let second = match boot.tls.http {
        Some(http) => Some(bind(http).await?),
        None => None,
    };
    let handles = platform::open(&boot, Clock::system()).await?;
    let Assembled { app, socket, people, tls } = assemble(handles.clone(), &boot).await?;
    let admin = admin::listen(&boot.data, people.clone(), boot.origin(), handles.shutdown.clone())?;
    let admin = telemetry::spawn("admin", admin);
    let mut running = socket.start();
    let http = open(listener, second, &tls, &app.router, &handles.shutdown)?;
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
        () = http => {}
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

async fn bind(address: SocketAddr) -> Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.with_context(|| format!("{address} cannot be listened on"))
}

/// Serves on the one port, encrypted if need be, and on the second one, which leads there. What is
/// given ends when both have.
fn open(
    listener: TcpListener,
    second: Option<TcpListener>,
    tls: &Tls,
    router: &Router,
    shutdown: &Shutdown,
) -> Result<impl Future<Output = ()>> {
    let first = if tls.is_on() {
        answer("https", tls.door(listener)?, router, shutdown)
    } else {
        answer("http", listener, router, shutdown)
    };
    let second = second.map(|listener| answer("http.second", listener, router, shutdown));
    Ok(async move {
        // A task that fell has been logged.
        let _ = first.await;
        if let Some(second) = second {
            let _ = second.await;
        }
    })
}

/// Answers whoever comes to `listener` until the server stops.
fn answer<L>(
    name: &'static str,
    listener: L,
    router: &Router,
    shutdown: &Shutdown,
) -> JoinHandle<std::io::Result<()>>
where
    L: Listener,
    L::Addr: std::fmt::Debug,
    Peer: for<'a> Connected<IncomingStream<'a, L>>,
{
    let service = router.clone().into_make_service_with_connect_info::<Peer>();
    let stopping = shutdown.clone();
    let http = axum::serve(listener, service)
        .with_graceful_shutdown(async move { stopping.stopping().await });
    telemetry::spawn(name, async move { http.await })
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
    if let Some(trust) = boot.trust_link() {
        tracing::info!("every device has to trust this server once: {trust}");
    }
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
