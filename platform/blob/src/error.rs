//! What can go wrong with files.

use std::io;

/// Why bytes were not kept or given.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing is kept under the key.
    #[error("no such file")]
    NotFound,
    /// The key is none; see the crate's page.
    #[error("{0:?} is no key")]
    Key(String),
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// The disk or the system failed.
    #[error("the file store: {0}")]
    Io(#[source] io::Error),
}

/// What the store answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "the kinds of errors of the system grow with it"
        )]
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::NotFound,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Io(error),
        }
    }
}
