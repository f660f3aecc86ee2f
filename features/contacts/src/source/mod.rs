//! Sources: addresses that a list is loaded from again and again.
//!
//! Whatever a source answers with becomes a file of rows, which an import takes like any other: so
//! the rules of an import, its units and its way on after a crash hold for every source.

pub(crate) mod fault;
pub(crate) mod feed;
pub(crate) mod google;
pub(crate) mod json;
pub(crate) mod load;
pub(crate) mod sheet;
pub(crate) mod table;

use std::collections::BTreeMap;

use http_kit::Fields;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{file::Format, mapping::Mapping, phone::Region};

/// How a feed knows who asks. The secret itself is kept apart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "scheme", rename_all = "snake_case")]
pub(crate) enum Auth {
    /// It does not.
    #[default]
    None,
    /// `Authorization: Bearer` and the secret.
    Bearer,
    /// `Authorization: Basic` with this name and the secret as its password.
    Basic {
        /// The name.
        user: String,
    },
    /// A header of this name with the secret as its value.
    Header {
        /// The header's name.
        name: String,
    },
}

/// Under which keys of an element the feed keeps what a contact needs. A dot leads into an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Keys {
    /// The contact's id there.
    #[serde(default = "keys::id")]
    pub(crate) id: String,
    /// The number, or a list of numbers.
    #[serde(default = "keys::phone")]
    pub(crate) phone: String,
    /// The name.
    #[serde(default = "keys::name")]
    pub(crate) name: String,
    /// The IANA name of the zone, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) zone: Option<String>,
}

mod keys {
    pub(super) fn id() -> String {
        "id".to_owned()
    }
    pub(super) fn phone() -> String {
        "phone".to_owned()
    }
    pub(super) fn name() -> String {
        "name".to_owned()
    }
}

impl Default for Keys {
    fn default() -> Self {
        Self { id: keys::id(), phone: keys::phone(), name: keys::name(), zone: None }
    }
}

/// How a feed that does not fit into one answer goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "by", rename_all = "snake_case")]
pub(crate) enum Paging {
    /// One answer is everything.
    #[default]
    None,
    /// A number in the query that rises by one, until an answer has no elements.
    Page {
        /// The name in the query.
        param: String,
        /// The number of the first page.
        first: u32,
    },
    /// A mark, or a whole address, that each answer gives for the next one.
    Cursor {
        /// The name in the query.
        param: String,
        /// Where the mark stands in the answer.
        path: String,
    },
    /// The header `Link` with `rel="next"`.
    Link,
}

const fn default_timeout() -> u32 {
    30
}

/// A JSON list behind an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct FeedSettings {
    /// Where the list is; `http` or `https`.
    pub(crate) url: String,
    #[serde(default)]
    pub(crate) auth: Auth,
    /// Where in the answer the list stands, such as `data.items`; empty when the answer is the list.
    #[serde(default)]
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) keys: Keys,
    #[serde(default)]
    pub(crate) paging: Paging,
    /// Seconds that one answer may take, 5 to 120.
    #[serde(default = "default_timeout")]
    pub(crate) timeout_s: u32,
    /// The country of numbers without an international prefix: two letters of ISO 3166-1.
    pub(crate) region: String,
}

/// Who may read the sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Access {
    /// Everybody who has the link.
    Link,
    /// Those with whom it is shared; the secret is the key file of a service account.
    ServiceAccount,
}

/// A sheet of Google.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct SheetSettings {
    /// The address of the sheet, as the browser shows it.
    pub(crate) link: String,
    pub(crate) access: Access,
    /// The name of the tab, for a service account; the first one when empty. With a link, the tab
    /// that the link shows.
    #[serde(default)]
    pub(crate) tab: String,
    /// Which column holds what; guessed by a test when no phone column is named.
    #[serde(default)]
    pub(crate) mapping: Mapping,
    /// The country of numbers without an international prefix: two letters of ISO 3166-1.
    pub(crate) region: String,
    /// The address of the service account, to share the sheet with; read from its key file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) robot: Option<String>,
}

/// Where the contacts come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Settings {
    /// A REST feed.
    Feed(FeedSettings),
    /// A Google sheet.
    Sheet(SheetSettings),
}

/// Rows as a file, and how an import takes them.
pub(crate) struct Loaded {
    pub(crate) rows: u64,
    pub(crate) format: Format,
    pub(crate) columns: Vec<String>,
    pub(crate) mapping: Mapping,
    /// Where the first row begins.
    pub(crate) data_byte: u64,
    pub(crate) data_line: u64,
    /// The beginning of the file.
    pub(crate) start: Vec<u8>,
    /// Bytes of the file.
    pub(crate) bytes: u64,
}

/// Rows of one load.
pub(crate) const MOST_ROWS: u64 = 1_000_000;
/// Bytes of one answer, unpacked.
pub(crate) const MOST_PAGE: u64 = 32 * 1000 * 1000;
/// Bytes of all answers of one load, unpacked.
pub(crate) const MOST_BYTES: u64 = 200 * 1000 * 1000;
/// Answers of one load.
pub(crate) const MOST_PAGES: usize = 10_000;

impl Settings {
    /// As stored.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Feed(_) => "feed",
            Self::Sheet(_) => "sheet",
        }
    }

    /// The country of numbers without an international prefix.
    pub(crate) fn region(&self) -> &str {
        match self {
            Self::Feed(feed) => &feed.region,
            Self::Sheet(sheet) => &sheet.region,
        }
    }

    /// Whether it cannot do without a secret.
    pub(crate) const fn needs_secret(&self) -> bool {
        match self {
            Self::Feed(feed) => !matches!(feed.auth, Auth::None),
            Self::Sheet(sheet) => matches!(sheet.access, Access::ServiceAccount),
        }
    }

    /// To whom the secret is told. A stored secret is used for the same place and in the same
    /// manner only: who may edit a source must not be able to have its secret sent to himself.
    pub(crate) fn audience(&self) -> String {
        match self {
            Self::Feed(feed) => {
                let origin = url::Url::parse(feed.url.trim())
                    .map_or_else(|_| feed.url.clone(), |url| url.origin().ascii_serialization());
                let scheme = match &feed.auth {
                    Auth::None => "none",
                    Auth::Bearer => "bearer",
                    Auth::Basic { .. } => "basic",
                    Auth::Header { .. } => "header",
                };
                format!("{scheme} {origin}")
            }
            // A key file says itself to whom it is told.
            Self::Sheet(_) => "google".to_owned(),
        }
    }

    /// Trims what people paste with blanks around.
    pub(crate) fn tidy(&mut self) {
        let trim = |text: &mut String| *text = text.trim().to_owned();
        match self {
            Self::Feed(feed) => {
                trim(&mut feed.url);
                feed.path = json::tidy_path(&feed.path);
                for key in [&mut feed.keys.id, &mut feed.keys.phone, &mut feed.keys.name] {
                    trim(key);
                }
                feed.keys.zone = feed.keys.zone.take().filter(|key| !key.trim().is_empty());
                feed.region = feed.region.trim().to_ascii_uppercase();
            }
            Self::Sheet(sheet) => {
                trim(&mut sheet.link);
                trim(&mut sheet.tab);
                sheet.region = sheet.region.trim().to_ascii_uppercase();
            }
        }
    }

    /// Says what is wrong with the settings as they stand.
    pub(crate) fn check(&self, fields: &mut Fields) {
        fields.check(
            "settings.region",
            Region::of(self.region()).is_some(),
            "unknown_region",
            "There is no such country.",
        );
        match self {
            Self::Feed(feed) => feed.check(fields),
            Self::Sheet(sheet) => {
                fields.text("settings.link", &sheet.link, 1..=2_000);
                fields.text("settings.tab", &sheet.tab, 0..=100);
                if !sheet.link.is_empty() {
                    fields.check(
                        "settings.link",
                        sheet::Sheet::of(&sheet.link).is_some(),
                        "not_a_sheet",
                        "This is no link to a Google sheet.",
                    );
                }
            }
        }
    }
}

impl FeedSettings {
    fn check(&self, fields: &mut Fields) {
        fields.text("settings.url", &self.url, 1..=2_000);
        if !self.url.is_empty() {
            let url = url::Url::parse(&self.url);
            let fits = url.is_ok_and(|url| {
                matches!(url.scheme(), "http" | "https")
                    && url.has_host()
                    && url.username().is_empty()
                    && url.password().is_none()
            });
            let words = "Write an http or https address without a name and password in it.";
            fields.check("settings.url", fits, "invalid_url", words);
        }
        fields.text("settings.path", &self.path, 0..=200);
        for (field, key) in [
            ("settings.keys.id", &self.keys.id),
            ("settings.keys.phone", &self.keys.phone),
            ("settings.keys.name", &self.keys.name),
        ] {
            fields.text(field, key, 1..=100);
        }
        if let Some(zone) = &self.keys.zone {
            fields.text("settings.keys.zone", zone, 1..=100);
        }
        match &self.auth {
            Auth::None | Auth::Bearer => {}
            Auth::Basic { user } => {
                fields.text("settings.auth.user", user, 1..=200);
                let words = "A colon cannot be part of the name.";
                fields.check(
                    "settings.auth.user",
                    !user.contains(':'),
                    "invalid_characters",
                    words,
                );
            }
            Auth::Header { name } => {
                let fits = !name.is_empty()
                    && name.len() <= 100
                    && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
                    && !FORBIDDEN.contains(&name.to_ascii_lowercase().as_str());
                let words = "This header cannot be set.";
                fields.check("settings.auth.name", fits, "invalid_header", words);
            }
        }
        match &self.paging {
            Paging::None | Paging::Link => {}
            Paging::Page { param, .. } => fields.text("settings.paging.param", param, 1..=60),
            Paging::Cursor { param, path } => {
                fields.text("settings.paging.param", param, 1..=60);
                fields.text("settings.paging.path", path, 1..=200);
            }
        }
        fields.number("settings.timeout_s", self.timeout_s, 5..=120);
    }
}

/// Headers that say how a message is cut, or to whom it goes.
const FORBIDDEN: &[&str] =
    &["host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"];

/// One row as it was read, whatever it was written in: the cells that have a meaning, and the rest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RawRow {
    pub(crate) id: String,
    pub(crate) phone: String,
    pub(crate) name: String,
    pub(crate) zone: String,
    pub(crate) more: BTreeMap<String, String>,
}
