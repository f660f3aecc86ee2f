//! The web pages: installed and built only when something changed.

use std::{
    fs,
    path::Path,
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result};

use crate::shell::{root, run, run_with, server_binary};

/// Installs what the lock file names, unless it is there already.
pub(crate) fn install() -> Result<()> {
    let web = root().join("web");
    let lock = modified(&web.join("package-lock.json"));
    let installed = modified(&web.join("node_modules/.package-lock.json"));
    if installed.is_none() || installed < lock {
        println!("web: installing packages");
        run("npm", &["--prefix", "web", "ci", "--no-audit", "--no-fund", "--loglevel=error"]).context(
            "the packages of the pages could not be fetched: is the npm registry reachable, through \
             the proxy and with the certificates of this network? Its log names the cause",
        )?;
    }
    Ok(())
}

/// Whether the packages of the pages are there.
pub(crate) fn is_installed() -> bool {
    root().join("web/node_modules/.package-lock.json").exists()
}

/// Builds `web/dist`, unless it is newer than every source.
pub(crate) fn build() -> Result<()> {
    install()?;
    let web = root().join("web");
    let built = modified(&web.join("dist/index.html"));
    let newest = ["apps", "packages", "package-lock.json"]
        .iter()
        .filter_map(|part| newest_below(&web.join(part)))
        .max();
    if built.is_none() || built < newest {
        println!("web: building the pages");
        run("npm", &["--prefix", "web", "run", "--silent", "build"])?;
    }
    Ok(())
}

/// Types, lints, format and catalogues of the pages.
pub(crate) fn check() -> Result<()> {
    install()?;
    run("npm", &["--prefix", "web", "run", "--silent", "check"])
}

/// Formats the pages' sources.
pub(crate) fn format() -> Result<()> {
    install()?;
    run("npm", &["--prefix", "web", "run", "--silent", "format"])
}

/// Plays the journeys of `web/e2e` in Chromium against the server's binary.
pub(crate) fn journeys(all: bool, plant: Option<&str>) -> Result<()> {
    install()?;
    build()?;
    let binary = server_binary()?;
    let binary = binary.to_str().context("the target folder's name is not UTF-8")?;
    let script: &[&str] = if all { &["web/e2e/run.mjs", "--all"] } else { &["web/e2e/run.mjs"] };
    let mut variables = vec![("SWITCHBELL_BINARY", binary)];
    variables.extend(plant.map(|plant| ("SWITCHBELL_PLANT_PAGE", plant)));
    run_with("node", script, &variables)
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

/// When the newest file below `path` was changed.
fn newest_below(path: &Path) -> Option<SystemTime> {
    if path.is_file() {
        return modified(path);
    }
    fs::read_dir(path)
        .ok()?
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let skipped = ["node_modules", "dist", ".vite"];
            let name = entry.file_name();
            if skipped.iter().any(|skip| name == *skip) {
                return None;
            }
            newest_below(&entry.path())
        })
        .max()
}

/// Whole minutes and seconds, for people.
pub(crate) fn minutes(span: Duration) -> String {
    format!("{}:{:02} min", span.as_secs() / 60, span.as_secs() % 60)
}
