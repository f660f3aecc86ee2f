//! Faults that are planted to see that their checks bite: never set them otherwise.
//!
//! `SWITCHBELL_KILL_AT=POINT[:N]` ends the process at once, as `kill -9` would, when it reaches the
//! point for the Nth time (the first when N is absent). Points: `import_unit` (a unit of an import is
//! committed, the next one is not begun), `pull_stored` (the rows of a source are on the disk, that
//! they are there is not committed).
//!
//! `SWITCHBELL_PLANT=forget-unit` leaves out the unit with which a broken import goes on, which
//! `cargo xtask e2e kill-import` must find out.

use std::sync::atomic::{AtomicU64, Ordering};

/// A point at which the process can be made to die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Point {
    ImportUnit,
    PullStored,
}

impl Point {
    const fn name(self) -> &'static str {
        match self {
            Self::ImportUnit => "import_unit",
            Self::PullStored => "pull_stored",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::ImportUnit, Self::PullStored].into_iter().find(|point| point.name() == name)
    }
}

/// What is planted in this process.
#[derive(Debug, Default)]
pub(crate) struct Plants {
    kill: Option<(Point, AtomicU64)>,
    forget_unit: bool,
}

impl Plants {
    /// What the environment asks for; said loudly in the log.
    pub(crate) fn from_env() -> Self {
        let kill = std::env::var("SWITCHBELL_KILL_AT").ok().and_then(|text| kill_at(&text));
        let forget_unit = std::env::var("SWITCHBELL_PLANT")
            .is_ok_and(|plants| plants.split(',').any(|plant| plant == "forget-unit"));
        if let Some((point, left)) = &kill {
            let nth = left.load(Ordering::Relaxed);
            tracing::warn!(point = point.name(), nth, "PLANTED: this process will die on purpose");
        }
        if forget_unit {
            tracing::warn!("PLANTED: imports that go on leave a unit out");
        }
        Self { kill, forget_unit }
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

    /// Whether an import that goes on leaves a unit out.
    pub(crate) const fn forgets_unit(&self) -> bool {
        self.forget_unit
    }
}

/// A point of this feature; others have theirs.
fn kill_at(text: &str) -> Option<(Point, AtomicU64)> {
    let (name, nth) = text.split_once(':').map_or((text, "1"), |(name, nth)| (name, nth));
    let nth = nth.parse().ok().filter(|nth| *nth > 0)?;
    Some((Point::named(name)?, AtomicU64::new(nth)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_named_with_or_without_a_count() {
        let read = |text| kill_at(text).map(|(point, nth)| (point, nth.into_inner()));
        assert_eq!(read("import_unit"), Some((Point::ImportUnit, 1)));
        assert_eq!(read("pull_stored:7"), Some((Point::PullStored, 7)));
        for other in ["", "after_claim", "import_unit:0", "import_unit:x"] {
            assert_eq!(read(other), None, "{other:?}");
        }
    }
}
