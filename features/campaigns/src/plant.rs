//! Faults that are planted to see that their checks bite: never set them otherwise.
//!
//! `SWITCHBELL_KILL_AT=POINT[:N]` ends the process at once, as `kill -9` would, when it reaches the
//! point for the Nth time (the first when N is absent). Points: `after_claim` (the attempt is
//! committed, nothing was sent), `after_invite` (the INVITE left), `after_answer` (the call was
//! answered), `before_finish` (the call is over, its end is not committed), `export_part` (a part of
//! an export is on the disk, that it is there is not committed).
//!
//! `SWITCHBELL_PLANT=invite-before-commit` sends the INVITE before its attempt is committed, which
//! `cargo xtask e2e kill` must find out. `SWITCHBELL_PLANT=repeat-part` begins an export anew after a
//! kill without forgetting its parts, which `cargo xtask e2e export` must find out.

use std::sync::atomic::{AtomicU64, Ordering};

/// A point at which the process can be made to die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Point {
    AfterClaim,
    AfterInvite,
    AfterAnswer,
    BeforeFinish,
    ExportPart,
}

impl Point {
    const fn name(self) -> &'static str {
        match self {
            Self::AfterClaim => "after_claim",
            Self::AfterInvite => "after_invite",
            Self::AfterAnswer => "after_answer",
            Self::BeforeFinish => "before_finish",
            Self::ExportPart => "export_part",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [
            Self::AfterClaim,
            Self::AfterInvite,
            Self::AfterAnswer,
            Self::BeforeFinish,
            Self::ExportPart,
        ]
        .into_iter()
        .find(|point| point.name() == name)
    }
}

/// What is planted in this process.
#[derive(Debug, Default)]
pub(crate) struct Plants {
    kill: Option<(Point, AtomicU64)>,
    invite_first: bool,
    repeat_parts: bool,
}

impl Plants {
    /// What the environment asks for; said loudly in the log.
    pub(crate) fn from_env() -> Self {
        let kill = std::env::var("SWITCHBELL_KILL_AT").ok().and_then(|text| kill_at(&text));
        let planted = |fault: &str| {
            std::env::var("SWITCHBELL_PLANT")
                .is_ok_and(|plants| plants.split(',').any(|plant| plant == fault))
        };
        let invite_first = planted("invite-before-commit");
        let repeat_parts = planted("repeat-part");
        if let Some((point, left)) = &kill {
            let nth = left.load(Ordering::Relaxed);
            tracing::warn!(point = point.name(), nth, "PLANTED: this process will die on purpose");
        }
        if invite_first {
            tracing::warn!("PLANTED: INVITEs leave before their attempts are committed");
        }
        Self { kill, invite_first, repeat_parts }
    }

    /// Dies here if that was asked for.
    pub(crate) fn reach(&self, point: Point) {
        if let Some((planted, left)) = &self.kill
            && *planted == point
            && left.fetch_sub(1, Ordering::Relaxed) == 1
        {
            tracing::warn!(point = point.name(), "PLANTED: the process dies now");
            std::process::abort();
        }
    }

    /// Whether exports begin anew after a kill.
    pub(crate) const fn repeats_parts(&self) -> bool {
        self.repeat_parts
    }

    /// Whether INVITEs leave before the commit.
    pub(crate) const fn invites_first(&self) -> bool {
        self.invite_first
    }
}

fn kill_at(text: &str) -> Option<(Point, AtomicU64)> {
    let (name, nth) = text.split_once(':').map_or((text, "1"), |(name, nth)| (name, nth));
    let planted = Point::named(name).zip(nth.parse().ok().filter(|nth| *nth > 0));
    if planted.is_none() {
        // Other features have points of their own.
        tracing::warn!(text, "SWITCHBELL_KILL_AT names no point of campaigns");
    }
    planted.map(|(point, nth): (Point, u64)| (point, AtomicU64::new(nth)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_named_with_or_without_a_count() {
        let read = |text| kill_at(text).map(|(point, nth)| (point, nth.into_inner()));
        assert_eq!(read("after_invite"), Some((Point::AfterInvite, 1)));
        assert_eq!(read("before_finish:7"), Some((Point::BeforeFinish, 7)));
        for wrong in ["", "after", "after_claim:0", "after_claim:x"] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }
}
