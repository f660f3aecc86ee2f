//! Why a source gave no rows, in a form that is stored and that pages tell in words.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// What went wrong with a load: a stable code, and the figures of its sentence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct SourceFault {
    /// One of a fixed set, such as `address`, `status_401` or `path_missing`.
    pub(crate) code: String,
    /// What stands in the sentence: the host, the limit, the keys.
    #[schema(value_type = Object)]
    pub(crate) params: Map<String, Value>,
}

/// Every code that there is, for the words of the pages.
pub(crate) const CODES: &[&str] = &[
    // The way there.
    "not_a_url",
    "scheme",
    "user_info",
    "header",
    "address",
    "name",
    "connect",
    "tls",
    "too_slow",
    "too_large",
    "redirects",
    "broken",
    // The answer.
    "status_401",
    "status_403",
    "status_404",
    "status_429",
    "status",
    "html",
    "not_json",
    "empty",
    "path_missing",
    "not_a_list",
    "key_missing",
    "too_many_rows",
    "paging_loops",
    // The sheet.
    "sheet_private",
    "sheet_missing",
    "tab_missing",
    "column_missing",
    "no_phone_column",
    "no_rows",
    "key_file",
    "key_refused",
    "quota",
    // This side.
    "secret_lost",
    "gave_up",
];

impl SourceFault {
    /// A fault with the figures of its sentence.
    pub(crate) fn new(code: &'static str, params: Value) -> Self {
        debug_assert!(CODES.contains(&code), "{code} is not in the list");
        let params = if let Value::Object(params) = params { params } else { Map::new() };
        Self { code: code.to_owned(), params }
    }

    /// A fault whose sentence has no figures.
    pub(crate) fn bare(code: &'static str) -> Self {
        Self::new(code, Value::Null)
    }

    /// What a status says that is not 2xx.
    pub(crate) fn status(status: u16) -> Self {
        let code = match status {
            401 => "status_401",
            403 => "status_403",
            404 | 410 => "status_404",
            429 => "status_429",
            _ => "status",
        };
        Self::new(code, json!({ "status": status }))
    }

    /// Whether another attempt soon may fare better.
    pub(crate) fn may_pass(&self) -> bool {
        match self.code.as_str() {
            "name" | "connect" | "too_slow" | "broken" | "status_429" | "quota" => true,
            "status" => self.params.get("status").and_then(Value::as_u64).is_some_and(|n| n >= 500),
            _ => false,
        }
    }
}

impl From<outbound::Fault> for SourceFault {
    fn from(fault: outbound::Fault) -> Self {
        use outbound::Fault;
        let code = fault.code();
        let params = match fault {
            Fault::Redirected { to, fault } => {
                let mut inner = Self::from(*fault);
                inner.params.insert("redirected_to".to_owned(), to.into());
                return inner;
            }
            Fault::Scheme(scheme) => json!({ "scheme": scheme }),
            Fault::Header(name) => json!({ "header": name }),
            Fault::Address { host, address, network } => {
                json!({ "host": host, "address": address, "network": network.as_str() })
            }
            Fault::Name { host, why } | Fault::Connect { host, why } | Fault::Tls { host, why } => {
                json!({ "host": host, "why": why })
            }
            Fault::TooSlow { limit_s } => json!({ "seconds": limit_s }),
            Fault::TooLarge { most } => json!({ "bytes": most }),
            Fault::Redirects { most } => json!({ "count": most }),
            Fault::Broken(why) => json!({ "why": why }),
            Fault::NotAUrl | Fault::UserInfo => Value::Null,
        };
        Self::new(code, params)
    }
}

impl std::fmt::Display for SourceFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.code, Value::Object(self.params.clone()))
    }
}
