//! The demo carrier: phones that exist within the program, called over the same wire as any other.

mod behaviour;
mod carrier;
pub(crate) mod routes;
mod sounds;

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use base::{Id, kind};
use dialer::Speed;
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(crate) use carrier::Carrier;

/// The demo campaign's own recording, as a WAV file.
pub(crate) fn announcement() -> Vec<u8> {
    sounds::wav(&sounds::Sound::Announcement.samples())
}

/// What goes wrong on a line of the demo carrier, on demand.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Failure {
    /// Nothing.
    #[default]
    None,
    /// The carrier answers nothing at all, as a line that is down.
    LineDown,
    /// 30 of 100 calls meet a full network.
    Congestion,
    /// Answered calls break off after 2 s.
    Drops,
}

/// How a line of the demo carrier is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Demo {
    /// How many times faster than real delays and ring times pass: 1, 10 or 60.
    #[schema(value_type = u32)]
    pub(crate) speed: Speed,
    /// What is drawn by chance is drawn the same with the same seed: 0 to 1000000.
    pub(crate) seed: u32,
    /// What goes wrong.
    pub(crate) failure: Failure,
}

impl Default for Demo {
    fn default() -> Self {
        Self { speed: Speed::Real, seed: 1, failure: Failure::None }
    }
}

/// Where the lines of the demo carrier are called.
#[derive(Debug, Clone, Default)]
pub(crate) struct Addresses(Arc<RwLock<BTreeMap<Id<kind::Line>, SocketAddr>>>);

impl Addresses {
    /// Where a line is called, once it can be.
    pub(crate) fn of(&self, line: Id<kind::Line>) -> Option<SocketAddr> {
        self.0.read().get(&line).copied()
    }

    fn put(&self, line: Id<kind::Line>, address: SocketAddr) {
        self.0.write().insert(line, address);
    }

    fn remove(&self, line: Id<kind::Line>) {
        self.0.write().remove(&line);
    }
}
