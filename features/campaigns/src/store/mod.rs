//! The rows of campaigns: SQL as functions on a transaction, split by noun.

pub(crate) mod ahead;
pub(crate) mod attempts;
pub(crate) mod campaigns;
pub(crate) mod claims;
pub(crate) mod contacts;
pub(crate) mod counts;
pub(crate) mod exports;
pub(crate) mod finishes;
pub(crate) mod joining;
pub(crate) mod lease;
pub(crate) mod prepare;
pub(crate) mod presets;
pub(crate) mod pulse;
pub(crate) mod purge;

use db::{Error, Result};

/// Rows that one page looks at, at most, when it searches for what no index tells apart.
pub(crate) const WINDOW: i64 = 8_000;

/// A pattern that finds `text` anywhere, in any case.
pub(crate) fn like(text: &str) -> String {
    let escaped = text.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

/// Reads a stored word.
pub(crate) fn word<T>(text: &str) -> Result<T>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| Error::Decode(error.to_string()))
}

/// Reads a value that is stored as JSON.
pub(crate) fn document<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> Result<T> {
    serde_json::from_value(value).map_err(|error| Error::Decode(error.to_string()))
}

/// A value as it is stored as JSON.
pub(crate) fn as_json(value: &impl serde::Serialize) -> Result<serde_json::Value> {
    serde_json::to_value(value).map_err(|error| Error::Db(error.to_string()))
}

/// The word of a unit-like enum as serde writes it.
pub(crate) fn serde_word(value: &impl serde::Serialize) -> Result<String> {
    let json = as_json(value)?;
    let word = json.as_str().map(str::to_owned);
    word.ok_or_else(|| Error::Db(format!("{json} is no word")))
}

/// A row that contradicts what every writer keeps to.
pub(crate) const fn broken(why: String) -> Error {
    Error::Decode(why)
}
