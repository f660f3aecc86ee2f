//! The seam between who decides to call and who carries the call.

use std::time::Duration;

use base::{
    Id, PhoneNumber, Timestamp,
    kind::{Account, Attempt, Audio, Line},
};
use serde::{Deserialize, Serialize};

use crate::{Cause, WireIds};

/// Everything needed to carry one outbound call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallPlan {
    /// Whose call it is.
    pub account: Id<Account>,
    /// The committed attempt; a test call has one too, of its own making.
    pub attempt: Id<Attempt>,
    /// The line it leaves on.
    pub line: Id<Line>,
    /// Who is called.
    pub to: PhoneNumber,
    /// Shown number instead of the line's own.
    pub caller_id: Option<String>,
    /// How long it may ring before CANCEL; 15 s to 120 s.
    pub ring_time: Duration,
    /// What the callee hears.
    pub on_answer: OnAnswer,
    /// Whether both directions are recorded.
    pub record: bool,
    /// Identifiers on the wire.
    pub wire: WireIds,
}

/// What happens when the callee picks up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OnAnswer {
    /// Play a prompt of the audio library once, then hang up.
    Audio {
        /// The prompt.
        audio: Id<Audio>,
    },
}

/// What the carrier of a call reports. Everything but `Answered` and `Ended` may be lost or merged.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// The INVITE was handed to the socket.
    Invited {
        /// When.
        at: Timestamp,
    },
    /// 180 or 183 came.
    Ringing {
        /// When.
        at: Timestamp,
    },
    /// 200 came and was acknowledged.
    Answered {
        /// When.
        at: Timestamp,
        /// Enough to end the call properly after a restart.
        dialog: Dialog,
    },
    /// Over; nothing follows.
    Ended(End),
}

/// How a call ended. The outcome follows from it and the campaign's minimum talk time.
#[derive(Debug, Clone, PartialEq)]
pub struct End {
    /// When.
    pub at: Timestamp,
    /// Whether an INVITE ever left: an attempt that was never sent is not spent.
    pub invited: bool,
    /// When the callee picked up.
    pub answered_at: Option<Timestamp>,
    /// Who ended it.
    pub by: EndedBy,
    /// What was heard last.
    pub cause: Cause,
    /// The recording, fsynced, when one was wished for and begun.
    pub recording: Option<RecordingMade>,
    /// Media figures, when media flowed.
    pub rtp: Option<RtpFigures>,
}

/// Who ended a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedBy {
    /// BYE or a failure status from the far end.
    Callee,
    /// We: the prompt was over, the ring time was over, or a stop.
    Us,
    /// Neither: the line or the process failed.
    Network,
}

/// A finished recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordingMade {
    /// Blob key, `account/day/attempt`.
    pub key: String,
    /// Length of the audio.
    pub duration: Duration,
    /// Bytes of the WAV file.
    pub bytes: u64,
}

/// RTP receiver figures of one call (RFC 3550, 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct RtpFigures {
    /// Packets sent.
    pub sent: u32,
    /// Packets received.
    pub received: u32,
    /// Packets lost on the way to us.
    pub lost: u32,
    /// Inter-arrival jitter in milliseconds.
    pub jitter_ms: f32,
}

/// The dialog state that ends a call after a restart (RFC 3261, 12).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialog {
    /// Value of the local From header, tag included.
    pub local: String,
    /// Value of the remote To header, tag included.
    pub remote: String,
    /// Remote target: the URI of the far end's Contact.
    pub target: String,
    /// Route set, in the order of sending.
    pub routes: Vec<String>,
    /// Last CSeq number that we used.
    pub cseq: u32,
}
