//! Faults that are planted to see that their checks bite; see [`host::plant`].
//!
//! Points of `SWITCHBELL_KILL_AT`: `import_unit` (a unit of an import is committed, the next one is
//! not begun), `pull_stored` (the rows of a source are on the disk, that they are there is not
//! committed).
//!
//! `SWITCHBELL_PLANT=forget-unit` leaves out the unit with which a broken import goes on, which
//! `cargo xtask e2e kill-import` must find out.

use host::plant::{self, Kill};

/// A point at which the process can be made to die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Point {
    ImportUnit,
    PullStored,
}

impl plant::Point for Point {
    const FEATURE: &'static str = "contacts";
    const ALL: &'static [Self] = &[Self::ImportUnit, Self::PullStored];

    fn name(self) -> &'static str {
        match self {
            Self::ImportUnit => "import_unit",
            Self::PullStored => "pull_stored",
        }
    }
}

/// What is planted in this process.
#[derive(Debug, Default)]
pub(crate) struct Plants {
    pub(crate) kill: Kill<Point>,
    /// Whether an import that goes on leaves a unit out.
    pub(crate) forgets_unit: bool,
}

impl Plants {
    /// What the environment asks for.
    pub(crate) fn from_env() -> Self {
        Self {
            kill: Kill::from_env(),
            forgets_unit: plant::planted("forget-unit", "imports that go on leave a unit out"),
        }
    }
}
