//! Other machines are served over TLS, as a program that trusts the server's authority sees it.

use std::{
    net::{IpAddr, UdpSocket},
    path::Path,
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};

use super::{Database, known_plant, world::World};

pub(super) fn run(plant: Option<&str>) -> Result<()> {
    known_plant(plant, &["wrong-name"])?;
    let here = address()?;
    let mut world = World::new("https", Database::Sqlite)?;
    let port = world.port();
    let listen = format!("0.0.0.0:{port}");
    world.start(&[("SWITCHBELL_LISTEN", &listen)])?;
    let site = format!("{here}:{port}");
    let link = world.printed.first().cloned().unwrap_or_default();
    ensure!(
        link.starts_with(&format!("https://{site}/setup#token=")),
        "the printed line does not lead other machines to {site}: {link}"
    );
    // A phone before it trusts anybody.
    let authority = world.dir().join("authority.pem");
    let get = curl(&[&format!("http://{site}/trust/switchbell-ca.pem")], None)?;
    std::fs::write(&authority, &get.body)?;
    ensure!(get.body.starts_with("-----BEGIN CERTIFICATE-----"), "no authority: {}", get.body);
    let name = match plant {
        Some(_) => "elsewhere.example",
        None => &here.to_string(),
    };
    let asked = format!("https://{name}:{port}/healthz");
    let route = format!("{name}:{port}:{here}:{port}");
    let told = curl(&["--connect-to", &route, &asked], Some(&authority))?;
    ensure!(told.status == 200, "{asked} answers {}", told.status);
    let plain = curl(&[&format!("http://{site}/campaigns")], None)?;
    let wanted = format!("https://{site}/campaigns");
    ensure!(plain.status == 307 && plain.location == wanted, "plain HTTP: {plain:?}");
    let sent = curl(&["--data", "{}", &format!("http://{site}/api/v1/session")], None)?;
    ensure!(sent.status == 403, "what is sent unencrypted is not refused: {}", sent.status);
    let stranger = curl(&[&format!("https://{site}/healthz")], None);
    ensure!(stranger.is_err(), "who does not trust the authority was let in");
    let first = std::fs::read(world.data().join("tls/ca.pem"))?;
    world.stop()?;
    world.start(&[("SWITCHBELL_LISTEN", &listen)])?;
    let second = std::fs::read(world.data().join("tls/ca.pem"))?;
    ensure!(first == second, "a restart made another authority");
    curl(&[&format!("https://{site}/healthz")], Some(&authority))?;
    println!(
        "https: {here} served with the server's own authority, again after a restart; plain HTTP \
         led there, refused where it sends; strangers warned"
    );
    world.stop()
}

/// The address of this machine that others see.
fn address() -> Result<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    // Nothing is sent: the system only looks for the way.
    socket.connect("192.0.2.1:9").context("this machine has no address beyond the loopback")?;
    Ok(socket.local_addr()?.ip())
}

#[derive(Debug)]
struct Answer {
    status: u16,
    location: String,
    body: String,
}

/// Asks by curl, which knows nothing of ours but the authority that it is told to trust.
fn curl(args: &[&str], trusted: Option<&Path>) -> Result<Answer> {
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--max-time", "20", "--noproxy", "*"]);
    command.args(["--write-out", "\n%{http_code} %{redirect_url}"]);
    if let Some(trusted) = trusted {
        command.arg("--cacert").arg(trusted);
    }
    let out = command.args(args).output().context("curl is missing")?;
    if !out.status.success() {
        bail!("curl {}: {}", args.join(" "), String::from_utf8_lossy(&out.stderr).trim());
    }
    let text = String::from_utf8(out.stdout)?;
    let (body, told) = text.rsplit_once('\n').context("curl says no status")?;
    let (status, location) = told.split_once(' ').unwrap_or((told, ""));
    Ok(Answer { status: status.parse()?, location: location.to_owned(), body: body.to_owned() })
}
