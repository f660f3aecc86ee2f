//! Puts platform and features together.

use db::Db;
use host::{Handles, Socket};
use http_kit::{ApiRouter, App, Front, Gate, Origins, Replies};
use people::People;
use tls::Tls;

use crate::{boot::Boot, features::Features, pages, probes, trust};

/// The program, ready to be started.
pub struct Assembled {
    /// The HTTP side.
    pub app: App,
    /// Everything that runs beside it.
    pub socket: Socket,
    /// Sessions, set-up and accounts.
    pub people: People,
    /// Whom this server's certificate is from.
    pub tls: Tls,
}

/// Makes the features, brings the tables up to date, and plugs everything in. Nothing runs yet.
pub async fn assemble(handles: Handles, boot: &Boot) -> anyhow::Result<Assembled> {
    let Features { people, tls, all } = Features::new(&handles, boot)?;
    let mut chains = vec![http_kit::chain(), jobs::chain(), host::chain()];
    chains.extend(all.iter().map(|feature| feature.chain()));
    handles.db.migrate(&chains).await?;
    let mut socket = Socket::new(handles.clone());
    let mut api = http_kit::live_routes();
    for feature in &all {
        feature.plug(&mut socket);
        api = api.merge(feature.routes());
    }
    checks(&handles);
    let api = api.under("/api/v1");
    let app = build(&handles, boot, (&people, &tls), api)?;
    Ok(Assembled { app, socket, people, tls })
}

/// The HTTP side around the routes.
fn build(
    handles: &Handles,
    boot: &Boot,
    (people, tls): (&People, &Tls),
    api: ApiRouter,
) -> anyhow::Result<App> {
    let gate = Gate {
        sessions: people.sessions(),
        replies: Replies::new(handles.db.clone(), handles.clock.clone(), handles.secrets.clone()),
        hub: handles.hub.clone(),
    };
    let mut origins =
        Origins::new(boot.listen, boot.public_address.as_deref(), boot.public_url.as_deref());
    if let Some(encrypted) = tls.encrypted(trust::OPEN) {
        origins = origins.encrypted(encrypted);
    }
    let (version, health) = (env!("CARGO_PKG_VERSION"), handles.health.clone());
    let pages = |document: &_| -> anyhow::Result<axum::Router> {
        let openapi = serde_json::to_string(document)?;
        let probes = probes::router(health, openapi);
        Ok(pages::router().merge(probes).merge(trust::router(tls.clone())))
    };
    Front { origins, gate, version }.build(api, pages)
}

/// What must hold for the server to be ready.
fn checks(handles: &Handles) {
    let db: Db = handles.db.clone();
    handles.health.check("database", move || {
        let db = db.clone();
        async move { db.ping().await.map_err(|error| error.to_string()) }
    });
    let shutdown = handles.shutdown.clone();
    handles.health.check("running", move || {
        let stopping = shutdown.is_draining();
        async move { if stopping { Err("the server stops".to_owned()) } else { Ok(()) } }
    });
}
