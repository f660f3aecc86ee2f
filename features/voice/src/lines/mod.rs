//! Lines: their rows, the book of them in memory, and their routes.

mod book;
mod problems;
pub(crate) mod routes;
mod seed;
mod store;
mod view;

use std::{fmt, str::FromStr};

use base::{Id, Timestamp, kind};
use dialer::Rate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::demo::Demo;
pub(crate) use book::{Book, SlotGuard};
pub(crate) use problems::LineProblem;
pub(crate) use seed::{add_demo, remove};
pub(crate) use store::load_all;

/// Tells whether a line is in use. Declared here, implemented by whoever calls over lines.
pub trait LineUses: Send + Sync + 'static {
    /// The name of a campaign that is running or paused and calls over `line`, if there is one.
    /// It must be found through `tx` alone: it is asked in the transaction that would delete.
    fn in_use<'a>(
        &'a self,
        tx: &'a mut db::Tx<'_>,
        account: Id<kind::Account>,
        line: Id<kind::Line>,
    ) -> crate::Later<'a, db::Result<Option<String>>>;
}

/// How a line proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    /// We register with a login and a password (RFC 3261, 10).
    Registration,
    /// The carrier knows our address; credentials are optional.
    Address,
    /// It is the demo carrier, within this program.
    Demo,
}

impl Mode {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::Address => "address",
            Self::Demo => "demo",
        }
    }
}

/// A codec that can be offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Codec {
    /// G.711 µ-law, payload type 0.
    Pcmu,
    /// G.711 A-law, payload type 8.
    Pcma,
}

/// A line, as stored. Its password stays sealed.
#[derive(Clone, PartialEq)]
pub(crate) struct Line {
    pub(crate) id: Id<kind::Line>,
    pub(crate) account: Id<kind::Account>,
    pub(crate) name: String,
    pub(crate) mode: Mode,
    /// Host name or address of the registrar or trunk.
    pub(crate) host: String,
    /// UDP port; 0 asks the DNS for it (RFC 3263).
    pub(crate) port: u16,
    pub(crate) login: Option<String>,
    pub(crate) auth_login: Option<String>,
    pub(crate) password: Option<Vec<u8>>,
    pub(crate) realm: Option<String>,
    pub(crate) expires_s: u32,
    pub(crate) caller_id: Option<String>,
    pub(crate) channels: u32,
    pub(crate) rate: Rate,
    pub(crate) codecs: Vec<Codec>,
    pub(crate) enabled: bool,
    /// For a line of the demo carrier, and for no other.
    pub(crate) demo: Option<Demo>,
    /// Rises with every change.
    pub(crate) version: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

impl Line {
    /// What the password is sealed for: nothing else opens it.
    pub(crate) fn password_context(&self) -> String {
        format!("{}|{}|line.password", self.account, self.id)
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("host", &self.host)
            .field("port", &self.port)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl FromStr for Mode {
    type Err = db::Error;

    fn from_str(text: &str) -> Result<Self, db::Error> {
        [Self::Registration, Self::Address, Self::Demo]
            .into_iter()
            .find(|mode| mode.as_str() == text)
            .ok_or_else(|| db::Error::Decode(format!("{text:?} is no mode of a line")))
    }
}
