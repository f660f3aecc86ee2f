//! Whole runs of the product against real peers: each prints one line and has a planted fault.

mod audio;
mod calendars;
mod client;
mod demo;
mod export;
pub(crate) mod feed;
mod first_ring;
mod https;
mod kill;
mod kill_import;
pub(crate) mod postgres;
pub(crate) mod sipp;
mod ssrf;
mod twice;
mod wal;
mod why;
pub(crate) mod world;
mod zones;

use anyhow::Result;
use clap::{Subcommand, ValueEnum};

/// The database that a run uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Database {
    /// The embedded one, in a temporary folder.
    Sqlite,
    /// A fresh database of a PostgreSQL server.
    Postgres,
}

impl Database {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// The checks, by name.
#[derive(Debug, Subcommand)]
pub(crate) enum Check {
    /// 200 contacts against a callee that answers, is busy, rings out, rejects and fails.
    FirstRing {
        /// Which database.
        #[arg(long, default_value = "sqlite")]
        db: Database,
        /// Fault to plant: `one-attempt`.
        #[arg(long)]
        plant: Option<String>,
    },
    /// Speech each way, compared sample by sample at both ends.
    Audio {
        /// Fault to plant: `silence` or `swap`.
        #[arg(long)]
        plant: Option<String>,
    },
    /// Twenty phones of the demo carrier, each as its ending says, and their recordings.
    Demo {
        /// Which database.
        #[arg(long, default_value = "sqlite")]
        db: Database,
        /// Fault to plant: `drops` or `silence`.
        #[arg(long)]
        plant: Option<String>,
    },
    /// Opening hours and the gate against Python's zoneinfo on the same zone database.
    Calendars {
        /// Only every so many-th zone.
        #[arg(long, default_value_t = 1)]
        every: usize,
        /// Fault to plant: `dst`, clocks that turn an hour late.
        #[arg(long)]
        plant: Option<String>,
    },
    /// Kill -9 at named points and at random; nothing that rang is forgotten.
    Kill {
        /// Which database.
        #[arg(long, default_value = "sqlite")]
        db: Database,
        /// How many times the process is killed.
        #[arg(long, default_value_t = 50)]
        rounds: u32,
        /// Seed of the random moments.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Fault to plant: `invite-before-commit`.
        #[arg(long)]
        plant: Option<String>,
    },
    /// Kill -9 while an export is written; no row twice, none lost.
    Export {
        /// Which database.
        #[arg(long, default_value = "sqlite")]
        db: Database,
        /// Fault to plant: `repeat-part`, which begins anew after each kill.
        #[arg(long)]
        plant: Option<String>,
    },
    /// Kill -9 during an import, a feed's pull and an export; no row twice, none lost.
    KillImport {
        /// Which database.
        #[arg(long, default_value = "sqlite")]
        db: Database,
        /// One death of each, and no export.
        #[arg(long)]
        few: bool,
        /// Fault to plant: `forget-unit`, an import that goes on leaves 500 rows out.
        #[arg(long)]
        plant: Option<String>,
    },
    /// The claim is on the disk before the INVITE leaves, seen by strace.
    Wal {
        /// Fault to plant: `synchronous-off`.
        #[arg(long)]
        plant: Option<String>,
    },
    /// Addresses in every notation and redirects lead nowhere but to the open internet.
    Ssrf {
        /// Fault to plant: `allow-all`, an owner who allows every network.
        #[arg(long)]
        plant: Option<String>,
    },
    /// Other machines are served over TLS by the server's own authority, and led to it.
    Https {
        /// Fault to plant: `wrong-name`, which the certificate is not for.
        #[arg(long)]
        plant: Option<String>,
    },
    /// The world driven into every reason why a campaign is, or is not, dialling.
    Why {
        /// Fault to plant: `forget`, a reason that is not driven into, or `wordless`, one that a
        /// language has no sentence for.
        #[arg(long)]
        plant: Option<String>,
    },
    /// A thousand contacts in twelve zones across a change of clocks, judged by Python.
    Zones {
        /// Fault to plant: `hours`, `caps` or `forbidden`.
        #[arg(long)]
        plant: Option<String>,
    },
    /// Two starts: the set-up link once, then ready without a question.
    Twice {
        /// Fault to plant: `forget`, which removes the data between the starts.
        #[arg(long)]
        plant: Option<String>,
    },
}

impl Check {
    /// Runs the check; the error names what broke.
    pub(crate) fn run(self) -> Result<()> {
        match self {
            Self::FirstRing { db, plant } => first_ring::run(db, plant.as_deref()),
            Self::Audio { plant } => audio::run(plant.as_deref()),
            Self::Demo { db, plant } => demo::run(db, plant.as_deref()),
            Self::Calendars { every, plant } => calendars::run(every, plant.as_deref()),
            Self::Kill { db, rounds, seed, plant } => kill::run(db, rounds, seed, plant.as_deref()),
            Self::Export { db, plant } => export::run(db, plant.as_deref()),
            Self::KillImport { db, few, plant } => kill_import::run(db, few, plant.as_deref()),
            Self::Wal { plant } => wal::run(plant.as_deref()),
            Self::Zones { plant } => zones::run(plant.as_deref()),
            Self::Why { plant } => why::run(plant.as_deref()),
            Self::Ssrf { plant } => ssrf::run(plant.as_deref()),
            Self::Https { plant } => https::run(plant.as_deref()),
            Self::Twice { plant } => twice::run(plant.as_deref()),
        }
    }
}

/// Fails when `plant` is not one of `known`.
fn known_plant(plant: Option<&str>, known: &[&str]) -> Result<()> {
    match plant {
        Some(name) if !known.contains(&name) => {
            anyhow::bail!("no such fault: {name}; there is {}", known.join(", "))
        }
        _ => Ok(()),
    }
}
