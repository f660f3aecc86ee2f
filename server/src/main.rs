//! The program: reads the command line and does what it says.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Arg, ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use server::{
    admin::Wish,
    boot::{self, Boot},
    features, serve,
};
use settings::Field;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Switchbell, a contact centre in one program.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    /// The file of settings; `switchbell.toml` here, if it is there.
    #[arg(long, global = true, env = "SWITCHBELL_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server (what happens without a command).
    Serve,
    /// Print the description of the API (`OpenAPI` 3.1).
    Openapi,
    /// Print the manual of the settings.
    Settings,
    /// Do what needs no sign-in, only this machine.
    Admin {
        #[command(subcommand)]
        command: Admin,
    },
}

#[derive(Debug, Subcommand)]
enum Admin {
    /// Accounts of this installation.
    Account {
        #[command(subcommand)]
        command: Account,
    },
}

#[derive(Debug, Subcommand)]
enum Account {
    /// Make another account and print its owner's set-up link.
    Add {
        /// What it is called.
        name: String,
    },
}

fn main() -> ExitCode {
    let fields = features::settings();
    let matches = Arguments::command().args(fields.iter().map(flag)).get_matches();
    match run(&matches, &fields) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

/// A setting on the command line.
fn flag(field: &Field) -> Arg {
    let parts = [field.section, field.name].into_iter().filter(|part| !part.is_empty());
    let long = parts.collect::<Vec<_>>().join("-").replace('_', "-");
    let flag = Arg::new(field.variable()).long(long).global(true).help(field.about);
    if field.default == "false" {
        flag.num_args(0..=1).require_equals(true).default_missing_value("true").value_name("BOOL")
    } else {
        flag.value_name("VALUE")
    }
}

#[expect(clippy::print_stderr, reason = "logging may be what failed to start")]
fn complain(error: &anyhow::Error) {
    eprintln!("switchbell: {error:#}");
}

fn run(matches: &ArgMatches, fields: &[Field]) -> Result<()> {
    let Arguments { config, command } = Arguments::from_arg_matches(matches)?;
    let given = || -> Result<Boot> {
        let flags = fields.iter().filter_map(|field| {
            let variable = field.variable();
            let value = matches.get_one::<String>(&variable)?.clone();
            Some((variable, value))
        });
        let source = boot::source(config.as_deref(), flags.collect())?;
        source.check(fields)?;
        Boot::read(&source)
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match command.unwrap_or(Command::Serve) {
        Command::Serve => {
            let boot = given()?;
            telemetry::init(&boot.log)?;
            runtime.block_on(serve::serve(boot))
        }
        Command::Openapi => serve::say(&runtime.block_on(serve::openapi())?),
        Command::Settings => serve::say(&boot::manual(fields)),
        Command::Admin { command: Admin::Account { command: Account::Add { name } } } => {
            let boot = given()?;
            runtime.block_on(serve::administer(boot, Wish::AddAccount { name }))
        }
    }
}
