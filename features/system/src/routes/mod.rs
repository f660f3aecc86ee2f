//! The endpoints.

pub(crate) mod audit;
pub(crate) mod jobs;
pub(crate) mod schedules;

use std::sync::Arc;

/// What handlers share.
pub(crate) type State = axum::extract::State<Arc<crate::State>>;
