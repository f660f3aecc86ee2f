//! Asking the example `house`, which has databases with all tables in them.

use std::{
    collections::BTreeMap,
    io::Write,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::{house::House, laws::migrations, shell};

/// Asks for `command`, with the migrations of every crate and `texts`.
///
/// The law `migrations-listed` sees to it that the program itself applies the same files.
pub(crate) fn ask(house: &House, command: &str, texts: &Value) -> Result<Value> {
    let request = json!({ "chains": chains(house), "texts": texts });
    let build = ["build", "--quiet", "--locked", "--workspace", "--example", "house"];
    shell::run("cargo", &build)?;
    let mut asked = Command::new(shell::target()?.join("debug/examples/house"));
    asked
        .arg(command)
        .envs(shell::exported())
        .current_dir(shell::root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut asked = asked.spawn().context("the example house does not start")?;
    let mut input = asked.stdin.take().context("no standard input")?;
    input.write_all(&serde_json::to_vec(&request)?)?;
    drop(input);
    let out = asked.wait_with_output()?;
    if !out.status.success() {
        bail!("the example house, asked to {command}: {}", out.status);
    }
    serde_json::from_slice(&out.stdout).context("the answer of the example house")
}

/// The migrations by crate. The crate `db` applies its own by itself.
fn chains(house: &House) -> Vec<Value> {
    let mut by_crate = BTreeMap::<&str, (Vec<(&str, &str)>, &str)>::new();
    for (path, text) in migrations(house) {
        let Some((folder, name)) = path.split_once("/migrations/") else { continue };
        let (steps, views) = by_crate.entry(folder).or_default();
        match name.strip_suffix(".sql") {
            Some("views") => *views = text,
            Some(name) => steps.push((name, text)),
            None => {}
        }
    }
    by_crate.remove("platform/db");
    by_crate
        .into_iter()
        .map(|(folder, (migrations, views))| {
            json!({ "feature": folder, "migrations": migrations, "views": views })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::house::testing::house;

    #[test]
    fn a_chain_has_its_steps_in_order_and_its_views_apart() {
        let mut house = house();
        house.add_text("features/people/migrations/views.sql", "CREATE VIEW v_person;");
        house.add_text("features/people/migrations/0_first.sql", "-- First.");
        house.add_text("platform/db/migrations/0_own.sql", "-- Own.");
        let chains = chains(&house);
        let [_, people] = chains.as_slice() else { panic!("{chains:?}") };
        assert_eq!(people["feature"], "features/people");
        assert_eq!(people["migrations"][0], json!(["0_first", "-- First."]));
        assert_eq!(people["migrations"][1][0], "1_people");
        assert_eq!(people["views"], "CREATE VIEW v_person;");
    }
}
