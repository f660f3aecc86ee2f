//! The background work of campaigns, one file for each kind.

pub(crate) mod export;
pub(crate) mod prepare;
pub(crate) mod purge;
