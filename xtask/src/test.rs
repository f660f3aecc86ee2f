//! `make test`: everything that must hold before a change lands, stage by stage.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::{
    e2e::postgres,
    shell::{has, run, run_with, xtask},
    web,
};

struct Stage {
    name: &'static str,
    run: fn() -> Result<()>,
}

const STAGES: &[Stage] = &[
    Stage { name: "pages", run: pages },
    Stage { name: "format", run: || run("cargo", &["fmt", "--all", "--check"]) },
    Stage { name: "lints", run: lints },
    Stage { name: "unit tests and stories", run: units },
    Stage { name: "laws", run: || xtask(&["laws"]) },
    Stage { name: "sql", run: || xtask(&["sql"]) },
    Stage { name: "simulation", run: || xtask(&["sim", "--seeds", "50"]) },
    Stage { name: "calendars", run: || xtask(&["e2e", "calendars", "--every", "7"]) },
    Stage { name: "two starts", run: || xtask(&["e2e", "twice"]) },
    Stage { name: "first ring", run: first_ring },
    Stage { name: "kill", run: kill },
    Stage { name: "order on the disk", run: || xtask(&["e2e", "wal"]) },
    Stage { name: "audio", run: || xtask(&["e2e", "audio"]) },
    Stage { name: "demo carrier", run: || xtask(&["e2e", "demo"]) },
    Stage { name: "addresses", run: || xtask(&["e2e", "ssrf"]) },
    Stage { name: "https", run: || xtask(&["e2e", "https"]) },
    Stage { name: "imports and exports", run: imports },
    Stage { name: "reasons", run: || xtask(&["e2e", "why"]) },
    Stage { name: "twelve zones", run: || xtask(&["e2e", "zones"]) },
    Stage { name: "journey", run: || xtask(&["journeys"]) },
];

/// Runs every stage in order and stops at the first that fails.
#[expect(clippy::disallowed_methods, reason = "how long a stage took is told to people only")]
pub(crate) fn run_all() -> Result<()> {
    // One server for every stage that wants one.
    postgres::base_url()?;
    let mut spent = Vec::<(&str, Duration)>::new();
    for (n, stage) in STAGES.iter().enumerate() {
        println!("\n== {}/{} {}", n + 1, STAGES.len(), stage.name);
        let start = Instant::now();
        (stage.run)().with_context(|| format!("stage failed: {}", stage.name))?;
        spent.push((stage.name, start.elapsed()));
    }
    println!();
    for (name, span) in &spent {
        println!("{:>9}  {name}", web::minutes(*span));
    }
    let whole: Duration = spent.iter().map(|(_, span)| *span).sum();
    println!("{:>9}  in all", web::minutes(whole));
    println!("{} passed, 0 failed", spent.len());
    Ok(())
}

fn pages() -> Result<()> {
    web::check()?;
    web::build()
}

fn lints() -> Result<()> {
    run(
        "cargo",
        &["clippy", "--quiet", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"],
    )
}

/// Tests of every crate; they leave the SQL that they executed for the stage `sql`.
pub(crate) fn units() -> Result<()> {
    let log = crate::sql::log_path()?;
    if log.exists() {
        std::fs::remove_file(&log)?;
    }
    let log = log.to_str().context("the target folder's name is not UTF-8")?;
    let variables = [("SWITCHBELL_SQL_LOG", log)];
    if has("cargo", &["nextest", "--version"]) {
        run_with("cargo", &["nextest", "run", "--locked", "--workspace"], &variables)?;
        // What nextest leaves out: that a route without a permission does not compile, for one.
        run("cargo", &["test", "--quiet", "--locked", "--workspace", "--doc"])
    } else {
        run_with("cargo", &["test", "--quiet", "--locked", "--workspace"], &variables)
    }
}

/// Each ends with the check of exports.
fn imports() -> Result<()> {
    xtask(&["e2e", "kill-import", "--db", "sqlite"])?;
    xtask(&["e2e", "kill-import", "--db", "postgres", "--few"])
}

fn first_ring() -> Result<()> {
    xtask(&["e2e", "first-ring", "--db", "sqlite"])?;
    xtask(&["e2e", "first-ring", "--db", "postgres"])
}

fn kill() -> Result<()> {
    xtask(&["e2e", "kill", "--rounds", "5", "--db", "sqlite"])?;
    xtask(&["e2e", "kill", "--rounds", "5", "--db", "postgres"])
}
