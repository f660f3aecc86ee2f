//! SIPp as the far end: starts it, reads its own log.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::UdpSocket,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};

use super::world::{free_udp_port, wait_for};

/// A running callee.
pub(crate) struct Callee {
    process: Child,
    log: PathBuf,
    /// Its SIP port on loopback.
    pub(crate) port: u16,
}

impl Callee {
    /// Starts SIPp with the scenario of `callee.xml` and waits until it answers.
    pub(crate) fn start(dir: &Path) -> Result<Self> {
        let scenario = dir.join("callee.xml");
        std::fs::write(&scenario, include_str!("callee.xml"))?;
        let (log, port) = (dir.join("callee.log"), free_udp_port()?);
        // The media port lies apart from the signalling port, and both below the ephemeral range.
        let media = if port < 24_000 { port + 4_000 } else { port - 4_000 };
        let process = Command::new("sipp")
            .arg("-sf")
            .arg(&scenario)
            .args(["-i", "127.0.0.1", "-p", &port.to_string(), "-mi", "127.0.0.1"])
            .args([
                "-mp",
                &media.to_string(),
                "-trace_logs",
                "-nostdin",
                "-nd",
                "-deadcall_wait",
                "0",
                "-default_behaviors",
                "bye",
            ])
            .arg("-log_file")
            .arg(&log)
            .args(["-trace_err", "-error_file"])
            .arg(dir.join("callee.err"))
            .current_dir(dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("sipp is missing: install sip-tester")?;
        let mut callee = Self { process, log, port };
        callee.wait_until_up()?;
        Ok(callee)
    }

    fn wait_until_up(&mut self) -> Result<()> {
        let port = self.port;
        wait_for("SIPp's socket", Duration::from_secs(10), || {
            if let Some(status) = self.process.try_wait()? {
                bail!("SIPp ended at once: {status}");
            }
            // Once SIPp holds the port, nobody else can.
            Ok(UdpSocket::bind(("127.0.0.1", port)).is_err().then_some(()))
        })
    }

    /// Distinct Call-IDs by what the callee did, from its own log.
    pub(crate) fn calls(&self) -> Result<BTreeMap<String, BTreeSet<String>>> {
        let mut calls = BTreeMap::<String, BTreeSet<String>>::new();
        for line in std::fs::read_to_string(&self.log).unwrap_or_default().lines() {
            let mut words = line.split_whitespace();
            let (Some(deed), Some(call_id)) = (words.next(), words.next()) else {
                bail!("SIPp's log has a line without a Call-ID: {line:?}");
            };
            calls.entry(deed.to_owned()).or_default().insert(call_id.to_owned());
        }
        Ok(calls)
    }
}

impl Drop for Callee {
    fn drop(&mut self) {
        // SIPp writes its log line by line: nothing is lost by a kill.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
