//! The tables of people, as functions on a transaction.

pub(crate) mod account;
pub(crate) mod invite;
pub(crate) mod person;
pub(crate) mod session;
pub(crate) mod setup;

use std::str::FromStr;

/// Reads a column that holds a word of one of our enums.
fn word<T: FromStr>(column: &'static str, text: &str) -> db::Result<T> {
    text.parse().map_err(|_| db::Error::Decode(format!("{column} holds {text:?}")))
}
