//! Stories of a virtual world: no rule is broken, and each rule is seen to be checked.

use sim::{Plant, run, run_with};

#[test]
fn fifty_stories_break_no_rule_and_end() {
    let mut calls = 0;
    let mut crashes = 0;
    for seed in 1..=50 {
        let report = run(seed).unwrap_or_else(|violation| panic!("{violation}"));
        calls += report.calls;
        crashes += report.crashes;
    }
    assert!(calls > 3_000 && crashes > 300, "{calls} calls, {crashes} crashes: too quiet a world");
}

#[test]
fn the_same_seed_tells_the_same_story() {
    for seed in [1, 7, 8312] {
        let (one, two) = (run(seed).unwrap(), run(seed).unwrap());
        assert_eq!(one, two);
        assert_ne!(one.hash, run(seed + 1).unwrap().hash);
    }
}

#[test]
fn every_planted_fault_is_reported_by_its_own_rule() {
    for plant in Plant::ALL {
        let found = (1..=60).find_map(|seed| run_with(seed, plant).err());
        let violation = found.unwrap_or_else(|| panic!("{} was not found out", plant.name()));
        assert_eq!(violation.id, plant.breaks(), "{}: {violation}", plant.name());
    }
}
