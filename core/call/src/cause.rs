//! What the far end said last, and what that makes of the attempt.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Answered and talked for at least the campaign's minimum.
    Success,
    /// Answered, but talked for less than the minimum.
    ShortTalk,
    /// Rang out.
    NoAnswer,
    /// Engaged.
    Busy,
    /// Declined by the callee or forbidden by the carrier.
    Rejected,
    /// The network, the carrier or we could not complete the call.
    Failed,
    /// No such number.
    InvalidNumber,
    /// An answering machine picked up.
    Machine,
    /// Answered, and nobody was there to talk.
    AbandonedNoAgent,
    /// Ended by us before it could count: never sent, or withdrawn on shutdown.
    Cancelled,
    /// The process died while the attempt was open.
    Interrupted,
}

/// Why a call ended, as heard on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cause {
    /// Final SIP status of the INVITE, 300 to 699; `None` when none was heard.
    pub sip: Option<u16>,
    /// Q.850 cause from a `Reason` header (RFC 3326), 1 to 127.
    pub q850: Option<u8>,
    /// What happened on our side instead of a status.
    pub local: Option<LocalCause>,
    /// For how long the far end asked to be left alone (`Retry-After`, RFC 3261, 20.33).
    #[serde(default)]
    pub retry_after: Option<Duration>,
}

/// An end that no status line announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LocalCause {
    /// Ring time over: we sent CANCEL (a 487 normally follows).
    RingTimeOver,
    /// No response at all: Timer B of RFC 3261, 17.1.1.2.
    TimedOut,
    /// The socket refused, or the line's host has no address.
    Transport,
    /// We withdrew the call: shutdown, stop, or an expired permit.
    Withdrawn,
    /// No RTP port, no file, or another lack of our own.
    NoResource,
}
