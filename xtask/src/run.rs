//! `make run`: build what changed, start, print the set-up link.

use std::{os::unix::process::CommandExt, process::Command};

use anyhow::Result;

use crate::{
    shell::{root, run, target},
    web,
};

/// Builds the pages and the program, then becomes the program.
pub(crate) fn run_server(args: &[String]) -> Result<()> {
    web::build()?;
    let binary = target()?.join("release/switchbell");
    if !binary.exists() {
        println!("server: first build, about 5 minutes on two cores");
    }
    run("cargo", &["build", "--quiet", "--locked", "--release", "--package", "server"])?;
    println!("server: starting; Ctrl+C stops it, the data stays in ./data");
    let mut command = Command::new(binary);
    command.arg("serve").args(args).current_dir(root());
    // Only returns when the program could not be started.
    Err(command.exec().into())
}
