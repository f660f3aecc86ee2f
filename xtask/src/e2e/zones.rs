//! A campaign in twelve zones with the clock moved by hand, its export judged by Python.

use std::process::Command;

use anyhow::{Result, bail};

use super::{calendars, known_plant};
use crate::shell::{has, root, run_with};

pub(super) fn run(plant: Option<&str>) -> Result<()> {
    known_plant(plant, &["hours", "caps", "forbidden"])?;
    let python = calendars::python()?;
    let folder = tempfile::tempdir()?;
    let place = folder.path().to_string_lossy();
    let variables =
        [("SWITCHBELL_ZONES", &*place), ("SWITCHBELL_ZONES_PLANT", plant.unwrap_or_default())];
    if has("cargo", &["nextest", "--version"]) {
        let filter = "package(campaigns) & test(zones::)";
        let args = ["nextest", "run", "--locked", "--workspace", "--cargo-quiet", "-E", filter];
        run_with("cargo", &args, &variables)?;
    } else {
        let args = ["test", "--quiet", "--locked", "--workspace", "--test", "campaigns", "zones::"];
        run_with("cargo", &args, &variables)?;
    }
    for engine in ["sqlite", "postgres"] {
        if !folder.path().join(format!("{engine}.json")).exists() {
            bail!("the campaign on {engine} exported nothing");
        }
        let judged = Command::new(&python)
            .arg(root().join("xtask/oracle/zones.py"))
            .args([&*place, engine])
            .env("PYTHONTZPATH", "")
            .output()?;
        if !judged.status.success() {
            bail!("{engine}: {}", String::from_utf8_lossy(&judged.stderr).trim());
        }
        print!("zones {}", String::from_utf8_lossy(&judged.stdout));
    }
    Ok(())
}
