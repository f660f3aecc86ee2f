//! Why an address could not be asked, or its answer not be had.

use std::net::IpAddr;

use crate::Network;

/// What went wrong on the way. Every variant can be told in words to the person whose URL it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The text is no URL with a host.
    #[error("this is no address of a page")]
    NotAUrl,
    /// Neither `http` nor `https`.
    #[error("only http and https addresses are asked, not {0}")]
    Scheme(String),
    /// A name or password in the address.
    #[error("a name or a password in the address is not allowed")]
    UserInfo,
    /// A header that cannot be sent.
    #[error("the header {0} cannot be sent")]
    Header(String),
    /// The host is, or leads to, an address that is not on the open internet.
    #[error("{host} is at {address}, a {network} address", network = network.as_str())]
    Address {
        /// As in the URL.
        host: String,
        /// Where it is.
        address: IpAddr,
        /// What kind of address that is.
        network: Network,
    },
    /// The name is not known.
    #[error("the name {host} cannot be resolved: {why}")]
    Name {
        /// As in the URL.
        host: String,
        /// In the words of the resolver.
        why: String,
    },
    /// Nobody answers there.
    #[error("{host} cannot be reached: {why}")]
    Connect {
        /// As in the URL.
        host: String,
        /// In the words of the operating system.
        why: String,
    },
    /// The certificate is not trusted, or TLS cannot be agreed on.
    #[error("no secure connection to {host}: {why}")]
    Tls {
        /// As in the URL.
        host: String,
        /// In the words of the TLS library.
        why: String,
    },
    /// The answer did not come, or not to its end, in time.
    #[error("no whole answer within {limit_s} s")]
    TooSlow {
        /// The limit in seconds.
        limit_s: u64,
    },
    /// More bytes than are taken.
    #[error("the answer is longer than {most} bytes")]
    TooLarge {
        /// The limit in bytes, unpacked.
        most: u64,
    },
    /// A redirect after another.
    #[error("more than {most} redirects")]
    Redirects {
        /// How many are followed.
        most: usize,
    },
    /// A redirect that leads where nothing is asked.
    #[error("redirected to {to}: {fault}")]
    Redirected {
        /// Where to.
        to: String,
        /// Why not there.
        fault: Box<Fault>,
    },
    /// The connection broke, or what came is not HTTP.
    #[error("the answer broke off: {0}")]
    Broken(String),
}

impl Fault {
    /// The stable name of the fault itself, past any redirects.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAUrl => "not_a_url",
            Self::Scheme(_) => "scheme",
            Self::UserInfo => "user_info",
            Self::Header(_) => "header",
            Self::Address { .. } => "address",
            Self::Name { .. } => "name",
            Self::Connect { .. } => "connect",
            Self::Tls { .. } => "tls",
            Self::TooSlow { .. } => "too_slow",
            Self::TooLarge { .. } => "too_large",
            Self::Redirects { .. } => "redirects",
            Self::Redirected { fault, .. } => fault.code(),
            Self::Broken(_) => "broken",
        }
    }

    /// Whether the next attempt may fare better with nothing changed.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Name { .. } | Self::Connect { .. } | Self::TooSlow { .. } | Self::Broken(_) => {
                true
            }
            Self::Redirected { fault, .. } => fault.may_pass(),
            Self::NotAUrl
            | Self::Scheme(_)
            | Self::UserInfo
            | Self::Header(_)
            | Self::Address { .. }
            | Self::Tls { .. }
            | Self::TooLarge { .. }
            | Self::Redirects { .. } => false,
        }
    }
}
