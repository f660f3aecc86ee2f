//! One server process with its data, and what a check sets up in it.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    net::{TcpListener, UdpSocket},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        atomic::{AtomicU16, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Database, client::Client, postgres};

/// A TCP port that nobody holds now.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// A UDP port that nobody holds now, below the ephemeral range. Never the same twice.
pub(crate) fn free_udp_port() -> Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = 20_000 + (std::process::id() % 8_000) as u16;
    (0..2_000)
        .map(|_| start + NEXT.fetch_add(1, Ordering::Relaxed))
        .find(|port| UdpSocket::bind(("127.0.0.1", *port)).is_ok())
        .context("no free UDP port")
}

/// Waits until `ready` gives a value; the error says what was waited for.
#[expect(clippy::disallowed_methods, reason = "another process is waited for, by the real clock")]
pub(crate) fn wait_for<T>(
    what: &str,
    limit: Duration,
    mut ready: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let start = Instant::now();
    loop {
        if let Some(value) = ready()? {
            return Ok(value);
        }
        if start.elapsed() > limit {
            bail!("waited {} s in vain for {what}", limit.as_secs());
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// A server under test.
pub(crate) struct World {
    dir: TempDir,
    database: Database,
    name: String,
    url: Option<String>,
    port: u16,
    sip_port: u16,
    binary: Option<PathBuf>,
    server: Option<Child>,
    /// The signed-in owner.
    pub(crate) client: Client,
    /// Lines that the server printed on its standard output at its last start.
    pub(crate) printed: Vec<String>,
}

impl World {
    /// Data and ports, no process yet.
    pub(crate) fn new(check: &str, database: Database) -> Result<Self> {
        let name = format!("switchbell_{}_{}", check.replace('-', "_"), std::process::id());
        let url = match database {
            Database::Sqlite => None,
            Database::Postgres => Some(postgres::fresh(&name)?),
        };
        let port = free_port()?;
        Ok(Self {
            dir: tempfile::tempdir()?,
            database,
            name,
            url,
            port,
            sip_port: free_udp_port()?,
            binary: None,
            server: None,
            client: Client::new(port),
            printed: Vec::new(),
        })
    }

    /// A second server on the same PostgreSQL database, with its own folder and ports.
    pub(crate) fn beside(&self) -> Result<Self> {
        let port = free_port()?;
        Ok(Self {
            dir: tempfile::tempdir()?,
            // The first one removes the database.
            database: Database::Sqlite,
            name: self.name.clone(),
            url: Some(self.database_url()?.to_owned()),
            port,
            sip_port: free_udp_port()?,
            binary: self.binary.clone(),
            server: None,
            client: Client::new(port),
            printed: Vec::new(),
        })
    }

    /// Where its PostgreSQL database is.
    pub(crate) fn database_url(&self) -> Result<&str> {
        self.url.as_deref().context("the world is not on PostgreSQL")
    }

    /// Runs this binary instead of one built for development.
    pub(crate) fn use_binary(&mut self, binary: PathBuf) {
        self.binary = Some(binary);
    }

    /// The process id of the running server.
    pub(crate) fn process(&self) -> Result<u32> {
        Ok(self.server.as_ref().context("the server does not run")?.id())
    }

    /// The TCP port of the pages.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// The folder that holds everything of this run.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The server's data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Starts the server with more variables in its environment and waits until it is ready.
    pub(crate) fn start(&mut self, more: &[(&str, &str)]) -> Result<()> {
        self.start_under(&[], more)
    }

    /// As [`World::start`], below another program such as strace.
    pub(crate) fn start_under(&mut self, under: &[&str], more: &[(&str, &str)]) -> Result<()> {
        let binary = match &self.binary {
            Some(binary) => binary.clone(),
            None => crate::shell::server_binary()?,
        };
        let mut command = match under.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(&binary);
                command
            }
            None => Command::new(&binary),
        };
        command
            .arg("serve")
            .env("SWITCHBELL_DATA", self.data())
            .env("SWITCHBELL_LISTEN", format!("127.0.0.1:{}", self.port))
            .env("SWITCHBELL_SIP_PORT", self.sip_port.to_string())
            // A check holds on a computer whose disk is nearly full, too.
            .env("SWITCHBELL_MIN_FREE_DISK", "0")
            .envs(more.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::options().create(true).append(true).open(self.log())?);
        if let Some(url) = &self.url {
            command.env("SWITCHBELL_DATABASE", url);
        }
        let mut child = command.spawn().with_context(|| format!("start {}", binary.display()))?;
        let output = child.stdout.take().context("no standard output")?;
        self.server = Some(child);
        self.await_first_line(output)
    }

    fn await_first_line(&mut self, output: std::process::ChildStdout) -> Result<()> {
        let (send, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        let first = lines
            .recv_timeout(Duration::from_mins(1))
            .with_context(|| format!("the server said nothing; its log:\n{}", self.log_tail()))?;
        self.printed = vec![first];
        let (client, server) = (&self.client, &mut self.server);
        wait_for("/readyz", Duration::from_mins(1), || {
            if let Some(child) = server
                && let Some(status) = child.try_wait()?
            {
                bail!("the server has ended: {status}");
            }
            Ok((client.status("/readyz").ok() == Some(200)).then_some(()))
        })
        .with_context(|| format!("the server's log:\n{}", self.log_tail()))?;
        self.printed.extend(lines.try_iter());
        Ok(())
    }

    /// First start: makes the owner through the printed link.
    pub(crate) fn start_and_set_up(&mut self, more: &[(&str, &str)]) -> Result<()> {
        self.start(more)?;
        let link = self.printed.first().cloned().unwrap_or_default();
        self.client.set_up(&link)
    }

    /// Whether the process has ended by itself.
    pub(crate) fn has_died(&mut self) -> Result<bool> {
        match &mut self.server {
            Some(child) => Ok(child.try_wait()?.is_some()),
            None => Ok(true),
        }
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.server.take() {
            // Already dead is as good.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// SIGTERM, without waiting.
    pub(crate) fn tell_to_stop(&self) -> Result<()> {
        Command::new("kill").args(["-TERM", &self.process()?.to_string()]).status()?;
        Ok(())
    }

    /// SIGTERM, and the wait for a proper end.
    pub(crate) fn stop(&mut self) -> Result<()> {
        self.tell_to_stop()?;
        if let Some(mut child) = self.server.take() {
            wait_for("the server's end", Duration::from_mins(1), || Ok(child.try_wait()?))?;
        }
        Ok(())
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("server.log")
    }

    /// The last lines of the server's log.
    pub(crate) fn log_tail(&self) -> String {
        let text = std::fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    /// A line by address to a peer on loopback.
    pub(crate) fn line(&self, port: u16, channels: u32, per_second: u32) -> Result<String> {
        let made = self.client.post(
            "/lines",
            &json!({
                "name": "Peer", "mode": "address", "host": "127.0.0.1", "port": port,
                "channels": channels, "calls_per_second": per_second, "enabled": true,
                "caller_id": "+380441234567",
            }),
        )?;
        id_of(&made)
    }

    /// A prompt in the library.
    pub(crate) fn audio(&self, wav: &[u8]) -> Result<String> {
        id_of(&self.client.upload("/audio?name=Prompt", "audio/wav", wav)?)
    }

    /// A list with these rows of `id,phone,name`, imported through the file's own path.
    pub(crate) fn list(&self, rows: &[(String, String)]) -> Result<String> {
        self.list_named("People", rows)
    }

    /// As [`World::list`], for worlds with several.
    pub(crate) fn list_named(&self, name: &str, rows: &[(String, String)]) -> Result<String> {
        let list = id_of(&self.client.post("/lists", &json!({"name": name}))?)?;
        let mut csv = "id,phone,name\n".to_owned();
        for (id, phone) in rows {
            csv += &format!("{id},{phone},Person {id}\n");
        }
        let path = format!("/lists/{list}/imports?filename=people.csv");
        let import = self.client.upload(&path, "text/csv", csv.as_bytes())?;
        let import = id_of(&import)?;
        let ready = wait_for("the preview", Duration::from_secs(30), || {
            let seen = self.client.get(&format!("/imports/{import}"))?;
            Ok((seen["state"] == "ready").then_some(seen))
        })?;
        self.client.post(
            &format!("/imports/{import}/start"),
            &json!({"mapping": ready["mapping"], "region": "UA"}),
        )?;
        let done = wait_for("the import", Duration::from_mins(1), || {
            let seen = self.client.get(&format!("/imports/{import}"))?;
            Ok((seen["state"] == "done").then_some(seen))
        })?;
        if done["counts"]["added"].as_u64() != Some(rows.len() as u64) {
            bail!("{} rows were to be added: {}", rows.len(), done["counts"]);
        }
        Ok(list)
    }

    /// A campaign that may call at any hour, with `more` laid over the defaults of the checks.
    pub(crate) fn campaign(
        &self,
        line: &str,
        audio: &str,
        list: &str,
        more: &Value,
    ) -> Result<String> {
        let day = json!([["00:00", "24:00"]]);
        let mut body = json!({
            "name": "Check", "line_id": line, "on_answer": {"kind": "audio", "audio_id": audio},
            "lists": [list], "time_zone": "UTC", "use_contact_zone": false,
            "hours": {"mon": day, "tue": day, "wed": day, "thu": day, "fri": day, "sat": day, "sun": day},
            "max_attempts": 2, "concurrency": 100, "calls_per_second": 100, "ring_s": 15,
            "min_talk_s": 0, "record": false, "retry_short_talk": true,
            "delays_s": {"busy": 5, "no_answer": 5, "failed": 5, "short_talk": 5, "machine": 5},
            "caps": {"per_day": 20, "per_week": 100},
        });
        for (key, value) in more.as_object().into_iter().flatten() {
            body[key] = value.clone();
        }
        id_of(&self.client.post("/campaigns", &body)?)
    }

    /// Waits until the campaign is in `state`.
    pub(crate) fn until(&self, campaign: &str, state: &str, limit: Duration) -> Result<Value> {
        let mut last = Value::Null;
        wait_for(&format!("the campaign to be {state}"), limit, || {
            last = self.client.get(&format!("/campaigns/{campaign}"))?;
            Ok((last["state"] == state).then(|| last.clone()))
        })
        .with_context(|| format!("campaign: {last}\nlog:\n{}", self.log_tail()))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.kill();
        if self.database == Database::Postgres {
            postgres::remove(&self.name);
        }
        if std::env::var_os("SWITCHBELL_KEEP").is_some() {
            // For whoever looks into a failure: the folder stays.
            self.dir.disable_cleanup(true);
            println!("kept: {}", self.dir.path().display());
        }
    }
}

/// The `id` of an answer.
pub(crate) fn id_of(value: &Value) -> Result<String> {
    Ok(value["id"].as_str().with_context(|| format!("no id in {value}"))?.to_owned())
}
