//! The words of signalling and media, and those of calls.

use call::{Cause, Dialog, EndedBy, LocalCause, RecordingMade, RtpFigures};
use media::{Codec, Network};
use sip::{Lack, SavedDialog, sdp};

use crate::lines;

/// What the far end's last word was, and who said it.
pub(super) fn ending(end: &sip::End) -> (EndedBy, Cause) {
    let by = match end.by {
        sip::EndedBy::Them => EndedBy::Callee,
        sip::EndedBy::Us => EndedBy::Us,
        sip::EndedBy::Nobody => EndedBy::Network,
    };
    let (status, local) = match end.lack {
        None | Some(Lack::Session) => (end.status, None),
        Some(Lack::TimedOut) => (end.status, Some(LocalCause::TimedOut)),
        Some(Lack::Transport) => (end.status, Some(LocalCause::Transport)),
        // What we would have answered, had it been theirs to ask.
        Some(Lack::Media(_)) => (Some(488), Some(LocalCause::NoResource)),
    };
    (by, Cause { sip: status, q850: end.q850, local, retry_after: end.retry_after })
}

pub(super) fn dialog(saved: SavedDialog) -> Dialog {
    let SavedDialog { local, remote, target, routes, cseq } = saved;
    Dialog { local, remote, target, routes, cseq }
}

pub(super) fn saved(dialog: Dialog) -> SavedDialog {
    let Dialog { local, remote, target, routes, cseq } = dialog;
    SavedDialog { local, remote, target, routes, cseq }
}

pub(super) const fn coding(codec: lines::Codec) -> sdp::Coding {
    match codec {
        lines::Codec::Pcmu => sdp::Coding::Pcmu,
        lines::Codec::Pcma => sdp::Coding::Pcma,
    }
}

pub(crate) const fn codec(coding: sdp::Coding) -> Codec {
    match coding {
        sdp::Coding::Pcmu => Codec::Pcmu,
        sdp::Coding::Pcma => Codec::Pcma,
    }
}

pub(crate) const fn remote(remote: &sdp::Remote) -> media::Remote {
    media::Remote {
        address: remote.address,
        rtcp: match remote.rtcp {
            sdp::Rtcp::Mux => media::Rtcp::Mux,
            sdp::Rtcp::NextPort => media::Rtcp::NextPort,
            sdp::Rtcp::At(address) => media::Rtcp::At(address),
        },
        codec: codec(remote.coding),
        digits: remote.digits,
        send: remote.listens,
    }
}

/// Whose packets may be heard beside those of the description's address: the line's own.
pub(super) fn trusted(line: impl IntoIterator<Item = std::net::IpAddr>) -> Vec<Network> {
    line.into_iter().map(Network::host).collect()
}

pub(super) fn recording(made: media::Recorded) -> RecordingMade {
    RecordingMade { key: made.key, duration: made.duration, bytes: made.bytes }
}

pub(super) fn figures(counted: &media::Figures) -> Option<RtpFigures> {
    let media::Figures { sent, received, lost, jitter_ms, .. } = *counted;
    (sent > 0 || received > 0).then_some(RtpFigures { sent, received, lost, jitter_ms })
}
