#![doc = include_str!("../README.md")]

mod acme;
mod authority;
mod certificate;
mod config;
mod door;
mod files;
mod handle;
mod names;
mod place;

use std::{io, path::PathBuf};

pub use authority::AuthorityCard;
pub use certificate::Facts;
pub use config::{Acme, Config, Given, Kind, Mode};
pub use door::{Door, Io};
pub use handle::{Fault, FaultCode, Status, Tls, TooSoon};
pub use names::{addresses, main_address};

/// TLS cannot be served, or a certificate cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read or written.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file holds no certificate or key, or the two do not belong together.
    #[error("{path}: {reason}", path = path.display())]
    Content {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A certificate cannot be made.
    #[error("a certificate cannot be made: {0}")]
    Make(#[from] rcgen::Error),
    /// The library refuses what it is given.
    #[error("TLS: {0}")]
    Rustls(#[from] rustls::Error),
    /// A setting cannot be used.
    #[error("{0}")]
    Setting(String),
}

/// What a fallible part gives.
pub type Result<T, E = TlsError> = std::result::Result<T, E>;
