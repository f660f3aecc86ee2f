//! `cargo xtask sim`: days of calling in simulated worlds.

use std::{
    collections::BTreeMap,
    num::NonZero,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use sim::{Plant, Report, Violation};

/// Which worlds are played.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many seeds.
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Break a rule on purpose; a name that there is not lists those that there are.
    #[arg(long)]
    plant: Option<String>,
}

/// What the worlds came to.
#[derive(Default)]
struct Played {
    reports: BTreeMap<u64, Report>,
    broken: BTreeMap<u64, Violation>,
}

/// Plays the worlds and prints one line of figures; fails with the seed of the first broken rule.
pub(crate) fn run(options: &Options) -> Result<()> {
    let plant = options.plant.as_deref().map(planted).transpose()?;
    let last = options.seed.checked_add(options.seeds).context("there are no such seeds")?;
    let played = play(options.seed, last, plant);
    if let Some((seed, violation)) = played.broken.first_key_value() {
        let plant = plant.map(|plant| format!(" --plant {}", plant.name())).unwrap_or_default();
        bail!(
            "{violation}\n{} of {} seeds; again: cargo xtask sim --seed {seed}{plant}",
            played.broken.len(),
            options.seeds
        );
    }
    println!("{}", line(&played.reports));
    match plant {
        Some(plant) => {
            bail!("{} was not found out: try more seeds", plant.name())
        }
        None => Ok(()),
    }
}

fn planted(name: &str) -> Result<Plant> {
    let known = || Plant::ALL.map(Plant::name).join(", ");
    Plant::ALL
        .into_iter()
        .find(|plant| plant.name() == name)
        .with_context(|| format!("no such fault: {name}; there is {}", known()))
}

/// Plays the seeds from `first` up to but not including `last`, on every core.
fn play(first: u64, last: u64, plant: Option<Plant>) -> Played {
    let (next, played) = (AtomicU64::new(first), Mutex::new(Played::default()));
    let hands = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..hands {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Relaxed);
                    if seed >= last {
                        break;
                    }
                    let outcome = match plant {
                        Some(plant) => sim::run_with(seed, plant),
                        None => sim::run(seed),
                    };
                    let mut played = played.lock().unwrap_or_else(PoisonError::into_inner);
                    match outcome {
                        Ok(report) => drop(played.reports.insert(seed, report)),
                        Err(violation) => drop(played.broken.insert(seed, violation)),
                    }
                }
            });
        }
    });
    played.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn line(reports: &BTreeMap<u64, Report>) -> String {
    let sum = |of: fn(&Report) -> u64| reports.values().map(of).sum::<u64>();
    // One number that changes when any story changes; the order of the seeds counts.
    let hash = reports.values().fold(0_u64, |hash, report| {
        (hash.rotate_left(5) ^ report.hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    });
    format!(
        "sim: {} seeds, {} steps, {} calls, {} crashes, {} simulated days; 0 rules broken, all \
         drained; hash {hash:016x}",
        reports.len(),
        sum(|report| report.steps),
        sum(|report| report.calls),
        sum(|report| report.crashes),
        sum(|report| report.seconds) / 86_400,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seeds_give_the_same_line_whichever_core_played_them() {
        let (one, two) = (play(1, 5, None), play(1, 5, None));
        assert_eq!(line(&one.reports), line(&two.reports));
        assert_eq!(one.reports.len(), 4);
        assert_ne!(line(&one.reports), line(&play(2, 6, None).reports));
    }

    #[test]
    fn a_planted_fault_fails_with_its_rule_and_the_seed_to_play_again() {
        let plant = Some("forget-do-not-call".to_owned());
        let said = run(&Options { seeds: 12, seed: 1, plant }).unwrap_err().to_string();
        assert!(said.contains("DIAL-2") && said.contains("cargo xtask sim --seed "), "{said}");
        let said = planted("kettle").unwrap_err().to_string();
        assert!(said.contains("forget-window"), "{said}");
    }
}
