//! Live topics: a snapshot, then numbered differences, over one WebSocket.

mod hub;
mod patch;
mod socket;
mod topic;

pub use hub::{Close, Hub};
pub(crate) use socket::{__path_live, live};
pub use topic::{Params, Topic};
