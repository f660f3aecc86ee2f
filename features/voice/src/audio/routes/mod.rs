//! One file per endpoint.

pub(super) mod delete;
pub(super) mod file;
pub(super) mod list;
pub(super) mod rename;
pub(super) mod upload;

/// What a name may be.
const NAME: std::ops::RangeInclusive<usize> = 1..=100;
