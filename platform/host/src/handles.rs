//! What a feature is given.

use blob::Blob;
use bus::Bus;
use clock::{Clock, Ids};
use db::Db;
use http_kit::Hub;
use jobs::Jobs;
use outbound::Outbound;
use settings::Secrets;
use telemetry::Health;

use crate::Shutdown;

/// The tools of the platform. Cheap to clone.
#[derive(Clone)]
pub struct Handles {
    /// The database.
    pub db: Db,
    /// Facts between features.
    pub bus: Bus,
    /// Durable background work; see [`jobs::enqueue`].
    pub jobs: Jobs,
    /// Bytes on disk.
    pub blob: Blob,
    /// The time.
    pub clock: Clock,
    /// Fresh ids.
    pub ids: Ids,
    /// Live topics.
    pub hub: Hub,
    /// Asks addresses that people type in.
    pub outbound: Outbound,
    /// The key of the installation, and sealing with it.
    pub secrets: Secrets,
    /// Checks behind `/readyz`.
    pub health: Health,
    /// When to stop.
    pub shutdown: Shutdown,
}
