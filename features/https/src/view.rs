//! What the page is told.

use http_kit::Time;
use serde::Serialize;
use tls::{Kind, Status};
use utoipa::ToSchema;

/// Who vouches for this server.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HttpsMode {
    /// Nobody: pages are served unencrypted.
    Off,
    /// The authority of this installation.
    Local,
    /// A directory such as Let's Encrypt.
    Acme,
    /// Files that somebody else looks after.
    Files,
}

impl From<Kind> for HttpsMode {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Off => Self::Off,
            Kind::Local => Self::Local,
            Kind::Acme => Self::Acme,
            Kind::Files => Self::Files,
        }
    }
}

/// The certificate in force, and what is known of the next one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Certificate {
    mode: HttpsMode,
    /// Host names and IP addresses that it is for.
    names: Vec<String>,
    /// Names that the local authority may not vouch for.
    left_out: Vec<String>,
    /// Who signed it.
    issuer: Option<String>,
    not_before: Option<Time>,
    not_after: Option<Time>,
    /// When there will be another one.
    renewal: Option<Time>,
    /// Whether it only stands in until the directory gives one.
    stand_in: bool,
    /// The directory that is asked.
    directory: Option<String>,
    fault: Option<CertificateFault>,
    authority: Option<LocalAuthority>,
}

/// Why there is no newer certificate.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CertificateFault {
    /// One of `directory`, `account`, `rate_limited`, `dns`, `connection`, `proof`, `caa`,
    /// `refused`, `files`, `storage`, `other`.
    code: &'static str,
    /// The name that it is about.
    name: Option<String>,
    /// What the other side said, in its words.
    detail: String,
    at: Time,
    next_try: Option<Time>,
}

/// Whom devices have to trust once.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LocalAuthority {
    /// As devices list it.
    name: String,
    /// SHA-256, in hexadecimal with colons.
    fingerprint: String,
    not_after: Time,
}

impl From<Status> for Certificate {
    fn from(status: Status) -> Self {
        let Status { kind, facts, stand_in, renewal, left_out, fault, authority, directory } =
            status;
        Self {
            mode: kind.into(),
            names: facts.as_ref().map(|facts| facts.names.clone()).unwrap_or_default(),
            left_out,
            issuer: facts.as_ref().map(|facts| facts.issuer.clone()),
            not_before: facts.as_ref().map(|facts| facts.not_before.into()),
            not_after: facts.as_ref().map(|facts| facts.not_after.into()),
            renewal: renewal.map(Time::from),
            stand_in,
            directory,
            fault: fault.map(|fault| CertificateFault {
                code: fault.code.as_str(),
                name: fault.name,
                detail: fault.detail,
                at: fault.at.into(),
                next_try: fault.next_try.map(Time::from),
            }),
            authority: authority.map(|card| LocalAuthority {
                name: card.name,
                fingerprint: card.fingerprint,
                not_after: card.not_after.into(),
            }),
        }
    }
}
