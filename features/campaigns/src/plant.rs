//! Faults that are planted to see that their checks bite; see [`host::plant`].
//!
//! Points of `SWITCHBELL_KILL_AT`: `after_claim` (the attempt is committed, nothing was sent),
//! `after_invite` (the INVITE left), `after_answer` (the call was answered), `before_finish` (the
//! call is over, its end is not committed), `export_part` (a part of an export is on the disk, that
//! it is there is not committed).
//!
//! `SWITCHBELL_PLANT=invite-before-commit` sends the INVITE before its attempt is committed, which
//! `cargo xtask e2e kill` must find out. `SWITCHBELL_PLANT=repeat-part` begins an export anew after a
//! kill without forgetting its parts, which `cargo xtask e2e export` must find out.

use host::plant::{self, Kill};

/// A point at which the process can be made to die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Point {
    AfterClaim,
    AfterInvite,
    AfterAnswer,
    BeforeFinish,
    ExportPart,
}

impl plant::Point for Point {
    const FEATURE: &'static str = "campaigns";
    const ALL: &'static [Self] = &[
        Self::AfterClaim,
        Self::AfterInvite,
        Self::AfterAnswer,
        Self::BeforeFinish,
        Self::ExportPart,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::AfterClaim => "after_claim",
            Self::AfterInvite => "after_invite",
            Self::AfterAnswer => "after_answer",
            Self::BeforeFinish => "before_finish",
            Self::ExportPart => "export_part",
        }
    }
}

/// What is planted in this process.
#[derive(Debug, Default)]
pub(crate) struct Plants {
    pub(crate) kill: Kill<Point>,
    /// Whether INVITEs leave before the commit.
    pub(crate) invites_first: bool,
    /// Whether exports begin anew after a kill.
    pub(crate) repeats_parts: bool,
}

impl Plants {
    /// What the environment asks for.
    pub(crate) fn from_env() -> Self {
        let before_commit = "INVITEs leave before their attempts are committed";
        let anew = "exports that go on begin anew and keep their parts";
        Self {
            kill: Kill::from_env(),
            invites_first: plant::planted("invite-before-commit", before_commit),
            repeats_parts: plant::planted("repeat-part", anew),
        }
    }
}
