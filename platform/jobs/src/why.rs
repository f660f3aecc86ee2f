//! Why an attempt came to nothing: in a form that pages say in their language, and in English.

use serde_json::{Map, Value};

/// What any work may run into. Its code has words on the page of jobs in every language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The database takes no work now.
    DatabaseAway,
    /// Other work held or changed what this one needed.
    InTheWay,
    /// The disk is full.
    DiskFull,
    /// The disk does not take or give what it is asked to.
    Disk,
    /// The process is about to end.
    Stopping,
    /// What was to be had from elsewhere was not given.
    SourceRefused,
    /// Too many attempts in a row got nowhere.
    GaveUp,
    /// The program is wrong, or was given what it cannot read.
    Mistake,
}

impl Cause {
    /// As stored, and as the API tells it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::DatabaseAway => "database_away",
            Self::InTheWay => "in_the_way",
            Self::DiskFull => "disk_full",
            Self::Disk => "disk",
            Self::Stopping => "stopping",
            Self::SourceRefused => "source_refused",
            Self::GaveUp => "gave_up",
            Self::Mistake => "mistake",
        }
    }
}

/// Why an attempt came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    pub(crate) code: &'static str,
    pub(crate) params: Map<String, Value>,
    pub(crate) detail: String,
}

impl Why {
    /// A cause, with what is known of it in English for whoever looks after the server.
    pub fn new(cause: Cause, detail: impl Into<String>) -> Self {
        Self::coded(cause.code(), Map::new(), detail)
    }

    /// The code and the values of a feature's problem.
    pub fn coded(
        code: &'static str,
        params: Map<String, Value>,
        detail: impl Into<String>,
    ) -> Self {
        Self { code, params, detail: detail.into() }
    }

    /// The process is about to end.
    pub fn stopping() -> Self {
        Self::new(Cause::Stopping, "the server stops")
    }

    /// Adds a value that the sentence on the page names.
    pub fn param(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.params.insert(name.to_owned(), value.into());
        self
    }
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.detail)
    }
}

impl From<db::Error> for Why {
    fn from(error: db::Error) -> Self {
        let cause = match &error {
            db::Error::Unavailable(_) | db::Error::CommitUnknown(_) => Cause::DatabaseAway,
            db::Error::Conflict(_) | db::Error::Retry(_) => Cause::InTheWay,
            db::Error::Closed => Cause::Stopping,
            db::Error::NotFound | db::Error::Db(_) | db::Error::Decode(_) => Cause::Mistake,
        };
        Self::new(cause, error.to_string())
    }
}

impl From<blob::Error> for Why {
    fn from(error: blob::Error) -> Self {
        let cause = match &error {
            blob::Error::Full => Cause::DiskFull,
            blob::Error::Io(_) => Cause::Disk,
            blob::Error::NotFound | blob::Error::Key(_) => Cause::Mistake,
        };
        Self::new(cause, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_tools_say_has_a_code_and_keeps_its_words() {
        let away = Why::from(db::Error::Unavailable("disk I/O error".to_owned()));
        assert_eq!(away.code, "database_away");
        assert_eq!(away.to_string(), "the database is not available: disk I/O error");
        assert_eq!(Why::from(db::Error::Closed).code, "stopping");
        assert_eq!(Why::from(db::Error::Retry(String::new())).code, "in_the_way");
        assert_eq!(Why::from(db::Error::NotFound).code, "mistake");
        assert_eq!(Why::from(blob::Error::Full).code, "disk_full");
        assert_eq!(Why::from(blob::Error::Io(std::io::Error::other("x"))).code, "disk");
    }
}
