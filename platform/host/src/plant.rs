//! Faults that are planted to see that their checks bite: never set them otherwise.
//!
//! `SWITCHBELL_KILL_AT=POINT[:N]` ends the process at once, as `kill -9` would, when it reaches the
//! point for the Nth time (the first when N is absent). `SWITCHBELL_PLANT=FAULT[,FAULT]` turns faults
//! on. Which points and faults there are is told by the features that have them.

use std::{
    fmt::Debug,
    sync::atomic::{AtomicU64, Ordering},
};

/// The points of one feature at which the process can be made to die.
pub trait Point: Copy + Debug + PartialEq + 'static {
    /// The feature.
    const FEATURE: &'static str;
    /// Every point.
    const ALL: &'static [Self];

    /// As the environment names it.
    fn name(self) -> &'static str;
}

/// The death that is planted in this process, if one is.
#[derive(Debug)]
pub struct Kill<P>(Option<(P, AtomicU64)>);

impl<P> Default for Kill<P> {
    fn default() -> Self {
        Self(None)
    }
}

impl<P: Point> Kill<P> {
    /// What the environment asks for; said loudly in the log.
    pub fn from_env() -> Self {
        let Ok(text) = std::env::var("SWITCHBELL_KILL_AT") else { return Self::default() };
        let planted = kill_at::<P>(&text);
        if let Some((point, nth)) = planted {
            tracing::warn!(point = point.name(), nth, "PLANTED: this process will die on purpose");
        } else {
            // Other features have points of their own.
            tracing::warn!(text, "SWITCHBELL_KILL_AT names no point of {}", P::FEATURE);
        }
        Self(planted.map(|(point, nth)| (point, AtomicU64::new(nth))))
    }

    /// Dies here if that was asked for.
    pub fn reach(&self, point: P) {
        if let Some((planted, left)) = &self.0
            && *planted == point
            && left.fetch_sub(1, Ordering::Relaxed) == 1
        {
            tracing::warn!(point = point.name(), "PLANTED: the process dies now");
            std::process::abort();
        }
    }
}

/// Whether the environment asks for the fault; if so, `what` it does is said loudly in the log.
pub fn planted(fault: &str, what: &str) -> bool {
    let on = std::env::var("SWITCHBELL_PLANT")
        .is_ok_and(|plants| plants.split(',').any(|plant| plant == fault));
    if on {
        tracing::warn!("PLANTED: {what}");
    }
    on
}

/// A point and which of its passings is the last; none where the text names no point of `P`.
fn kill_at<P: Point>(text: &str) -> Option<(P, u64)> {
    let (name, nth) = text.split_once(':').unwrap_or((text, "1"));
    let nth = nth.parse().ok().filter(|nth| *nth > 0)?;
    let point = P::ALL.iter().copied().find(|point| point.name() == name)?;
    Some((point, nth))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Step {
        First,
        Second,
    }

    impl Point for Step {
        const FEATURE: &'static str = "steps";
        const ALL: &'static [Self] = &[Self::First, Self::Second];

        fn name(self) -> &'static str {
            match self {
                Self::First => "first_step",
                Self::Second => "second_step",
            }
        }
    }

    #[test]
    fn a_point_is_named_with_or_without_a_count() {
        assert_eq!(kill_at("first_step"), Some((Step::First, 1)));
        assert_eq!(kill_at("second_step:7"), Some((Step::Second, 7)));
        for other in ["", "first", "first_step:0", "first_step:x", "after_claim"] {
            assert_eq!(kill_at::<Step>(other), None, "{other:?}");
        }
    }
}
