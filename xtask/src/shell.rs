//! Running other programs, and where they leave what they make.

use std::{
    path::PathBuf,
    process::Command,
    sync::{Mutex, OnceLock, PoisonError},
};

use anyhow::{Context, Result, bail};

/// The workspace's folder.
pub(crate) fn root() -> PathBuf {
    // Two levels up from xtask's own manifest is never above the workspace.
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The folder that holds `debug` and `release`.
pub(crate) fn target() -> Result<PathBuf> {
    let exe = std::env::current_exe()?;
    let folder = exe.parent().and_then(std::path::Path::parent);
    Ok(folder.context("xtask does not lie in a target folder")?.to_owned())
}

static EXPORTED: Mutex<Vec<(&'static str, String)>> = Mutex::new(Vec::new());

/// Puts a variable into the environment of every program that is run from now on.
pub(crate) fn export(name: &'static str, value: &str) {
    EXPORTED.lock().unwrap_or_else(PoisonError::into_inner).push((name, value.to_owned()));
}

/// What [`export`] was given.
pub(crate) fn exported() -> Vec<(&'static str, String)> {
    EXPORTED.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Runs a program in the workspace's folder and fails with its name when it fails.
pub(crate) fn run(program: &str, args: &[&str]) -> Result<()> {
    run_with(program, args, &[])
}

/// As [`run`], with more environment.
pub(crate) fn run_with(program: &str, args: &[&str], variables: &[(&str, &str)]) -> Result<()> {
    let status = Command::new(program)
        .args(args)
        .envs(exported())
        .envs(variables.iter().copied())
        .current_dir(root())
        .status()
        .with_context(|| format!("{program} is missing"))?;
    if status.success() { Ok(()) } else { bail!("{program} {}: {status}", args.join(" ")) }
}

/// Runs another command of xtask in a process of its own.
pub(crate) fn xtask(args: &[&str]) -> Result<()> {
    let exe = std::env::current_exe()?;
    run(exe.to_str().context("the target folder's name is not UTF-8")?, args)
}

/// Whether a program can be started at all.
pub(crate) fn has(program: &str, args: &[&str]) -> bool {
    Command::new(program).args(args).output().is_ok_and(|out| out.status.success())
}

/// The server's binary: the one that `SWITCHBELL_BINARY` names, or one built now for development.
pub(crate) fn server_binary() -> Result<PathBuf> {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    if let Some(path) = std::env::var_os("SWITCHBELL_BINARY") {
        return Ok(path.into());
    }
    if let Some(path) = BUILT.get() {
        return Ok(path.clone());
    }
    // Of the workspace, so that its dependencies are those that the other stages have built.
    run("cargo", &["build", "--quiet", "--locked", "--workspace", "--bin", "switchbell"])?;
    let path = target()?.join("debug/switchbell");
    Ok(BUILT.get_or_init(|| path).clone())
}
