//! One file per endpoint.

pub(crate) mod get;
pub(crate) mod renew;
