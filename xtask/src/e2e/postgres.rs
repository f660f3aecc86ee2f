//! A PostgreSQL server for tests: one that answers, or one of our own on a free port.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, OnceLock, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use super::world::{free_port, wait_for};
use crate::shell;

/// The environment variable that names the server for tests, without a database.
pub(crate) const VARIABLE: &str = "SWITCHBELL_TEST_POSTGRES";

/// Base URL of a usable server, started when none answers.
///
/// Programs that are run from now on by [`crate::shell`] find it in [`VARIABLE`]. A server that was
/// started here ends with [`stop`], or when this process is killed.
pub(crate) fn base_url() -> Result<String> {
    static FOUND: OnceLock<String> = OnceLock::new();
    if let Some(url) = FOUND.get() {
        return Ok(url.clone());
    }
    let url = find()?;
    shell::export(VARIABLE, &url);
    Ok(FOUND.get_or_init(|| url).clone())
}

fn find() -> Result<String> {
    if let Ok(url) = std::env::var(VARIABLE) {
        let url = url.trim_end_matches('/').to_owned();
        return if answers(&url) {
            Ok(url)
        } else {
            bail!("{VARIABLE} names {url}, which does not answer")
        };
    }
    let usual = "postgres://postgres@127.0.0.1:5432".to_owned();
    if answers(&usual) {
        return Ok(usual);
    }
    println!("postgres: none answers at {usual}, starting one for the tests");
    start()
}

fn answers(url: &str) -> bool {
    sql(url, "select 1").is_ok()
}

/// Runs one statement on the server's `postgres` database.
fn sql(url: &str, text: &str) -> Result<()> {
    let out = Command::new("psql")
        .args([&format!("{url}/postgres"), "-XqAtc", text])
        .stdin(Stdio::null())
        .output()
        .context("psql is missing: install postgresql")?;
    if out.status.success() { Ok(()) } else { bail!("{}", String::from_utf8_lossy(&out.stderr)) }
}

/// A fresh database and its URL.
pub(crate) fn fresh(name: &str) -> Result<String> {
    let base = base_url()?;
    sql(&base, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))?;
    sql(&base, &format!("CREATE DATABASE {name}"))?;
    Ok(format!("{base}/{name}"))
}

/// Removes a database made by [`fresh`].
pub(crate) fn remove(name: &str) {
    // A leftover test database harms nobody; the next run of that name replaces it.
    let _ = base_url()
        .and_then(|base| sql(&base, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")));
}

/// A server that this process started.
struct Server {
    process: Child,
    dir: TempDir,
}

static STARTED: Mutex<Option<Server>> = Mutex::new(None);

/// Ends the server if this process started one, and removes its data.
pub(crate) fn stop() {
    let started = STARTED.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(Server { mut process, dir }) = started else { return };
    // Fast shutdown; a server that is gone already is as good. The data are thrown away.
    let _ = Command::new("kill").args(["-INT", &process.id().to_string()]).status();
    let _ = process.wait();
    drop(dir);
}

/// `program` as the user that PostgreSQL's package brings when we are root, as which it refuses to
/// run, and told to end when we do.
fn as_postgres(program: &Path) -> Result<Command> {
    let mut command = Command::new("setpriv");
    if Command::new("id").arg("-u").output()?.stdout == b"0\n" {
        command.args(["--reuid", "postgres", "--regid", "postgres", "--init-groups"]);
    }
    command.args(["--pdeathsig", "INT", "--"]).arg(program).stdin(Stdio::null());
    Ok(command)
}

fn start() -> Result<String> {
    let tools = newest_tools()?;
    let dir = tempfile::Builder::new().prefix("switchbell-postgres-").tempdir()?;
    // The other user must reach it. Of no effect when we are not root, and not needed then.
    Command::new("chown").arg("postgres").arg(dir.path()).stderr(Stdio::null()).status()?;
    let data = dir.path().join("data");
    let made = as_postgres(&tools.join("initdb"))?
        .args([
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
            "-D",
        ])
        .arg(&data)
        .current_dir(dir.path())
        .output()
        .context("setpriv is missing: install util-linux")?;
    if !made.status.success() {
        bail!("initdb: {}", String::from_utf8_lossy(&made.stderr));
    }
    let port = free_port()?;
    let log = dir.path().join("log");
    let mut process = as_postgres(&tools.join("postgres"))?
        .args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1", "-k"])
        .arg(dir.path())
        .arg("-D")
        .arg(&data)
        .current_dir(dir.path())
        .stdout(Stdio::null())
        .stderr(File::create(&log)?)
        .spawn()?;
    let url = format!("postgres://postgres@127.0.0.1:{port}");
    let ready = wait_for("PostgreSQL", Duration::from_secs(30), || {
        if let Some(status) = process.try_wait()? {
            bail!("postgres: {status}\n{}", std::fs::read_to_string(&log)?);
        }
        Ok(answers(&url).then_some(()))
    });
    *STARTED.lock().unwrap_or_else(PoisonError::into_inner) = Some(Server { process, dir });
    ready?;
    Ok(url)
}

fn newest_tools() -> Result<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .context("no PostgreSQL server: install postgresql")?
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let version = path.file_name()?.to_str()?.parse().ok()?;
            Path::exists(&path.join("bin/initdb")).then(|| (version, path.join("bin")))
        })
        .collect();
    found.sort();
    let (version, path) = found.pop().context("no PostgreSQL server: install postgresql")?;
    if version < 15 {
        bail!("PostgreSQL {version} is too old: 15 is the floor")
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_started_server_takes_databases_and_is_gone_after_stop() {
        let url = start().unwrap();
        assert!(answers(&url));
        sql(&url, "CREATE DATABASE kettle").unwrap();
        assert!(sql(&url, "SELECT nothing").unwrap_err().to_string().contains("nothing"));
        let place = STARTED.lock().unwrap().as_ref().unwrap().dir.path().to_owned();
        stop();
        assert!(!answers(&url));
        assert!(!place.exists());
    }
}
