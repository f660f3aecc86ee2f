//! Opens the platform: the key, the database, the bytes on disk.

use anyhow::{Context as _, Result};
use blob::Blob;
use bus::Bus;
use clock::{Clock, Ids};
use db::Db;
use host::{Handles, Shutdown};
use http_kit::Hub;
use jobs::Jobs;
use outbound::{Allowed, Outbound};
use settings::Secrets;
use telemetry::Health;

use crate::boot::Boot;

/// The tools of the platform, over the data folder and the database that `boot` names.
pub async fn open(boot: &Boot, clock: Clock) -> Result<Handles> {
    let secrets = Secrets::load_or_create(&boot.data)?;
    let db = Db::open(&boot.database, db::Options::from_env(clock.clone()))
        .await
        .with_context(|| format!("the database {} cannot be opened", without_password(boot)))?;
    let blob = Blob::open(boot.data.join("blob"))
        .context("the folder of recordings and audio")?
        .keep_free(boot.min_free_disk);
    let outbound = Outbound::new(boot.allowed_hosts.clone(), clock.clone());
    Ok(Handles { outbound, ..with(db, blob, secrets, clock) })
}

/// The tools over what is open already; beyond the open internet, no host may be asked.
pub fn with(db: Db, blob: Blob, secrets: Secrets, clock: Clock) -> Handles {
    let ids = Ids::new(0, clock.clone());
    Handles {
        jobs: Jobs::new(db.clone(), &ids),
        bus: Bus::new(db.clone(), clock.clone()),
        ids,
        hub: Hub::new(clock.clone()),
        health: Health::new(clock.clone()),
        shutdown: Shutdown::new(),
        outbound: Outbound::new(Allowed::default(), clock.clone()),
        db,
        blob,
        secrets,
        clock,
    }
}

/// The database's address, as it may be shown.
fn without_password(boot: &Boot) -> String {
    let url = &boot.database;
    let hidden = url.split_once("://").and_then(|(scheme, rest)| {
        let (who, whereabouts) = rest.split_once('@')?;
        let user = who.split_once(':')?.0;
        Some(format!("{scheme}://{user}@{whereabouts}"))
    });
    hidden.unwrap_or_else(|| url.clone())
}
