#![doc = include_str!("../README.md")]
#![expect(clippy::print_stdout, reason = "a tool speaks to the person who called it")]

mod bench;
mod correlate;
mod e2e;
mod generate;
mod house;
mod laws;
mod migrated;
mod run;
mod shell;
mod sim;
mod source;
mod sql;
mod test;
mod tone;
mod web;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// The project's tools.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Build what changed, start the server, print the set-up link.
    Run {
        /// Passed on to `switchbell serve`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Everything that must hold before a change lands.
    Test,
    /// Check the laws of the house.
    Laws {
        /// Break the law of this name first, to see that it is found.
        #[arg(long)]
        plant: Option<String>,
    },
    /// Prepare every SQL text on both engines and see that the tests have executed it.
    Sql {
        /// Fault to plant: `bad-column` or `unexecuted`.
        #[arg(long)]
        plant: Option<String>,
    },
    /// Run simulated worlds.
    Sim(sim::Options),
    /// One whole run of the product against real peers.
    E2e {
        #[command(subcommand)]
        check: e2e::Check,
    },
    /// The pages in Chromium, by mouse and by keyboard.
    Journeys {
        /// Every journey in every language, theme and width.
        #[arg(long)]
        all: bool,
        /// Fault to plant: `nameless-button`, `script-error`, `inline-style` or `wide-page`.
        #[arg(long)]
        plant: Option<String>,
    },
    /// Measure figures for docs/benchmarks.md.
    Bench {
        /// What to measure; everything if nothing is named.
        names: Vec<bench::Bench>,
    },
    /// Write the files that are made from the code.
    Gen {
        /// Write nothing; fail and name what is out of date.
        #[arg(long)]
        check: bool,
    },
    /// Format everything and write the generated files.
    Fix,
}

fn main() -> ExitCode {
    let outcome = run(Arguments::parse().command);
    // Whatever happened, a database server that this process started does not outlive it.
    e2e::postgres::stop();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("FAILED: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Run { args } => run::run_server(&args),
        Command::Test => test::run_all(),
        Command::Laws { plant } => laws::run(plant.as_deref()),
        Command::Sql { plant } => sql::run(plant.as_deref()),
        Command::Sim(options) => sim::run(&options),
        Command::E2e { check } => check.run(),
        Command::Journeys { all, plant } => web::journeys(all, plant.as_deref()),
        Command::Bench { names } => bench::run_all(&names),
        Command::Gen { check } => generate::run(check),
        Command::Fix => {
            shell::run("cargo", &["fmt", "--all"])?;
            generate::run(false)?;
            web::format()
        }
    }
}
