//! A fact as listeners see it.

use base::{
    Id, Timestamp,
    kind::{Account, OutboxRow},
};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Something that became true.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// The same each time that the fact is delivered.
    pub id: Id<OutboxRow>,
    /// Whose it is.
    pub account: Id<Account>,
    /// Topic and key: `campaign.changed:123`.
    pub subject: String,
    /// The counter of the row that it is about; rises within a subject.
    pub version: i64,
    /// What its maker wrote.
    pub payload: Value,
    /// When it became true.
    pub at: Timestamp,
}

impl Fact {
    /// What kind of fact it is.
    pub fn topic(&self) -> &str {
        self.subject.split_once(':').map_or(self.subject.as_str(), |(topic, _)| topic)
    }

    /// What it is about, if its subject says so.
    pub fn key(&self) -> Option<&str> {
        self.subject.split_once(':').map(|(_, key)| key)
    }

    /// The payload as the type that its maker wrote; the error is what a listener may return.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, String> {
        T::deserialize(&self.payload).map_err(|e| format!("{}: {e}", self.subject))
    }
}
