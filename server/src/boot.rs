//! Boot settings: what must be known before the database is open.

use std::{
    io,
    net::SocketAddr,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail, ensure};
use outbound::Allowed;
use settings::{Field, Source};

settings::settings! {
    /// As given: file, environment and command line together.
    pub struct Given {
        /// Address and port that the pages are served on; beyond this machine with TLS (`tls.mode`).
        listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 8080)),
        /// Folder of the database, recordings, audio and the installation's key.
        data: PathBuf = PathBuf::from("./data"),
        /// `sqlite:PATH` or `postgres://USER@HOST/NAME`. Empty: `switchbell.db` in the data folder.
        database: String = String::new(),
        /// Host name or IP address under which others reach this machine, without a port.
        public_address: String = String::new(),
        /// Scheme and host in front of a reverse proxy on this machine, such as
        /// `https://calls.example.com`.
        public_url: String = String::new(),
        /// Serve beyond this machine without TLS. Passwords and calls can then be read on the way,
        /// and every page says so.
        insecure_http: bool = false,
        /// Hosts, addresses and networks beside the open internet that feeds and sheets may be loaded
        /// from, with commas between: `crm.lan, *.corp.example, 10.1.0.0/16`.
        allowed_hosts: String = String::new(),
        /// UDP port that SIP is spoken on, once there is a line.
        sip_port: u16 = 5060,
        /// UDP ports of calls, first and last: even ones carry sound, odd ones its reports.
        rtp_ports: String = "10000-32766".to_owned(),
        /// Percent of the disk that has to stay free, 0 to 50: with less, campaigns that record
        /// call nobody.
        min_free_disk: f64 = 5.0,
        /// Which log lines are written: `info`, or `info,campaigns=debug`.
        log: String = "info".to_owned(),
        /// `text` or `json`.
        log_format: String = "text".to_owned(),
    }
}

/// The boot settings in force.
#[derive(Debug, Clone)]
pub struct Boot {
    /// Where the pages are served.
    pub listen: SocketAddr,
    /// The folder of everything.
    pub data: PathBuf,
    /// The database's address.
    pub database: String,
    /// Under what others know this machine.
    pub public_address: Option<String>,
    /// What stands in front of a reverse proxy, without a slash at the end.
    pub public_url: Option<String>,
    /// Whether the pages are reached from other machines without encryption.
    pub insecure_http: bool,
    /// Who vouches for this server.
    pub tls: tls::Config,
    /// What may be asked beside the open internet.
    pub allowed_hosts: Allowed,
    /// The UDP port of SIP.
    pub sip_port: u16,
    /// The UDP ports of calls.
    pub rtp_ports: RangeInclusive<u16>,
    /// How much of the disk has to stay free, in percent.
    pub min_free_disk: f64,
    /// Log lines and their looks.
    pub log: telemetry::Options,
}

/// Without `--config`, this file is read if it is there.
const FILE: &str = "switchbell.toml";

/// Everything that is given: the command line (`flags`, as variables) wins over the environment,
/// the environment over the file.
pub fn source(file: Option<&Path>, flags: Vec<(String, String)>) -> Result<Source> {
    let path = file.unwrap_or(Path::new(FILE));
    let text = match std::fs::read_to_string(path) {
        Err(error) if file.is_none() && error.kind() == io::ErrorKind::NotFound => String::new(),
        read => read.with_context(|| format!("{}", path.display()))?,
    };
    // A variable that is no text cannot be one of ours.
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Source::new(&text, variables.chain(flags)).with_context(|| format!("{}", path.display()))
}

impl Boot {
    /// The settings in force, of those given.
    pub fn read(source: &Source) -> Result<Self> {
        Self::with_tls(Given::read(source)?, &tls::Given::read(source)?)
    }

    /// The settings in force when this is given, and nothing about TLS.
    pub fn with(given: Given) -> Result<Self> {
        Self::with_tls(given, &tls::Given::default())
    }

    /// The settings in force when this is given.
    pub fn with_tls(given: Given, tls: &tls::Given) -> Result<Self> {
        let Given { listen, data, .. } = given;
        let public_address = some(given.public_address).map(address).transpose()?;
        let tls = tls.config(listen, &data, public_address.as_deref(), given.insecure_http)?;
        let beyond = !listen.ip().to_canonical().is_loopback() && tls.mode == tls::Mode::Off;
        ensure!(
            !beyond || given.insecure_http,
            "{listen} is reached from other machines and TLS is off: listen on 127.0.0.1, or say \
             --insecure-http"
        );
        let database = some(given.database)
            .unwrap_or_else(|| format!("sqlite:{}", data.join("switchbell.db").display()));
        let format = match given.log_format.as_str() {
            "text" => telemetry::Format::Text,
            "json" => telemetry::Format::Json,
            other => bail!("log_format is {other:?}; it can be text or json"),
        };
        ensure!(
            (0.0..=50.0).contains(&given.min_free_disk),
            "min_free_disk is {}; it is a percentage from 0 to 50",
            given.min_free_disk
        );
        Ok(Self {
            listen,
            data,
            database,
            public_address,
            public_url: some(given.public_url).as_deref().map(url).transpose()?,
            insecure_http: beyond,
            tls,
            allowed_hosts: given.allowed_hosts.parse().context("allowed_hosts")?,
            sip_port: given.sip_port,
            rtp_ports: ports(&given.rtp_ports)?,
            min_free_disk: given.min_free_disk,
            log: telemetry::Options { filter: given.log, format },
        })
    }

    /// Where a device that does not trust this server yet finds how to, when that is needed.
    pub fn trust_link(&self) -> Option<String> {
        if self.tls.mode != tls::Mode::Local {
            return None;
        }
        let plain = self.origin().replacen("https://", "http://", 1);
        let second = self.tls.http.map(|http| http.port());
        // A browser goes to port 80 by itself; the encrypted port answers plain HTTP as well.
        let port = if self.listen.port() == 443 && second != Some(80) { ":443" } else { "" };
        Some(format!("{plain}{port}/trust"))
    }

    /// Where a browser finds the pages, without a slash at the end.
    pub fn origin(&self) -> String {
        if let Some(url) = &self.public_url {
            return url.clone();
        }
        let secure = self.tls.mode != tls::Mode::Off;
        let named = match &self.tls.mode {
            tls::Mode::Acme(_) | tls::Mode::Files { .. } => self.tls.names.first().cloned(),
            tls::Mode::Off | tls::Mode::Local => None,
        };
        let named = named.or_else(|| self.public_address.clone());
        let host = match (named, self.listen.ip()) {
            (Some(name), ip) if !ip.is_loopback() => name,
            // Whoever reads the line may sit at another machine, which TLS is for.
            (_, ip) if ip.is_unspecified() => {
                let main = secure.then(tls::main_address).flatten();
                main.map_or_else(|| "127.0.0.1".to_owned(), |ip| ip.to_string())
            }
            (_, ip) => ip.to_string(),
        };
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        let (scheme, usual) = if secure { ("https", 443) } else { ("http", 80) };
        match self.listen.port() {
            port if port == usual => format!("{scheme}://{host}"),
            port => format!("{scheme}://{host}:{port}"),
        }
    }
}

fn ports(text: &str) -> Result<RangeInclusive<u16>> {
    let parsed = text.split_once('-').and_then(|(first, last)| {
        Some((first.trim().parse::<u16>().ok()?, last.trim().parse::<u16>().ok()?))
    });
    match parsed {
        Some((first, last)) if first >= 1_024 && first < last => Ok(first..=last),
        _ => bail!("rtp_ports is {text:?}; it is two ports above 1023, such as 10000-32766"),
    }
}

fn address(text: String) -> Result<String> {
    let ip = text.parse::<std::net::IpAddr>().is_ok();
    let name = !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
    ensure!(ip || name, "public_address is {text:?}; it is a host name or an IP address");
    Ok(text)
}

fn url(text: &str) -> Result<String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = rest.map(|rest| rest.trim_end_matches('/'));
    let right = host.is_some_and(|host| {
        !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:[]".contains(&b))
    });
    ensure!(right, "public_url is {text:?}; it is https:// and a host, with no path");
    Ok(text.trim_end_matches('/').to_ascii_lowercase())
}

/// Nothing when it is empty.
fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// The manual page of settings.
pub fn manual(fields: &[Field]) -> String {
    let mut page = "# Settings\n\nGiven on the command line, in the environment, or in \
                    `switchbell.toml` (another file with `--config`); the first of these wins. \
                    On the command line the name has dashes: `--insecure-http`.\n\n\
                    | setting | environment | default | |\n|---|---|---|---|\n"
        .to_owned();
    for field in fields {
        let section = if field.section.is_empty() { "" } else { "." };
        let (name, variable) = (field.name, field.variable());
        let about = field.about.split_whitespace().collect::<Vec<_>>().join(" ");
        page += &format!(
            "| `{}{section}{name}` | `{variable}` | `{}` | {about} |\n",
            field.section, field.default
        );
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(listen: &str) -> Given {
        Given { listen: listen.parse().unwrap(), ..Given::default() }
    }

    #[test]
    fn without_tls_only_this_machine_is_served_unless_said_otherwise() {
        let off = tls::Given { mode: "off".to_owned(), ..tls::Given::default() };
        for listen in ["127.0.0.1:8080", "[::1]:8080", "127.9.9.9:1"] {
            assert!(!Boot::with_tls(given(listen), &off).unwrap().insecure_http, "{listen}");
        }
        for listen in ["0.0.0.0:8080", "[::]:8080", "192.168.1.5:8080"] {
            let error = Boot::with_tls(given(listen), &off).unwrap_err().to_string();
            assert!(error.contains("--insecure-http"), "{error}");
            let said = Given { insecure_http: true, ..given(listen) };
            let boot = Boot::with(said).unwrap();
            assert!(boot.insecure_http && boot.origin().starts_with("http://"), "{listen}");
            // By itself there is TLS beyond this machine.
            let boot = Boot::with(given(listen)).unwrap();
            assert!(!boot.insecure_http && boot.origin().starts_with("https://"), "{listen}");
        }
        let here = Boot::with(given("127.0.0.1:8080")).unwrap();
        assert_eq!(here.tls.mode, tls::Mode::Off);
    }

    #[test]
    fn the_link_names_what_the_certificate_is_for() {
        let origin = |mode: &str, names: &str, listen: &str, address: &str| {
            let tls =
                tls::Given { mode: mode.into(), names: names.into(), ..tls::Given::default() };
            let given = Given { public_address: address.to_owned(), ..given(listen) };
            Boot::with_tls(given, &tls).unwrap().origin()
        };
        assert_eq!(origin("auto", "", "192.168.1.5:443", ""), "https://192.168.1.5");
        assert_eq!(origin("auto", "", "0.0.0.0:8443", "pbx.lan"), "https://pbx.lan:8443");
        assert_eq!(
            origin("acme", "a.example,b.example", "0.0.0.0:443", "10.0.0.5"),
            "https://a.example"
        );
        assert_eq!(origin("local", "", "127.0.0.1:8443", ""), "https://127.0.0.1:8443");
        let trust = |listen: &str, http: &str| {
            let tls = tls::Given { http: http.into(), ..tls::Given::default() };
            Boot::with_tls(given(listen), &tls).unwrap().trust_link()
        };
        let told = |link: &str| Some(link.to_owned());
        assert_eq!(trust("10.0.0.5:8443", ""), told("http://10.0.0.5:8443/trust"));
        assert_eq!(trust("10.0.0.5:443", ""), told("http://10.0.0.5:443/trust"));
        assert_eq!(trust("10.0.0.5:443", "0.0.0.0:80"), told("http://10.0.0.5/trust"));
        assert_eq!(trust("127.0.0.1:443", ""), None);
    }

    #[test]
    fn the_command_line_wins_over_the_file_and_the_file_over_the_defaults() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("s.toml");
        std::fs::write(&file, "listen = \"127.0.0.1:9000\"\ndata = \"/srv/x\"\n").unwrap();
        let flags = vec![("SWITCHBELL_LISTEN".to_owned(), "127.0.0.1:9001".to_owned())];
        let boot = Boot::read(&source(Some(&file), flags).unwrap()).unwrap();
        assert_eq!(boot.listen.port(), 9001);
        assert_eq!(boot.database, "sqlite:/srv/x/switchbell.db");
        assert!(source(Some(&dir.path().join("none")), Vec::new()).is_err());
    }

    #[test]
    fn the_link_leads_where_the_server_answers() {
        let origin = |listen: &str, address: &str, url: &str| {
            let given = Given {
                insecure_http: true,
                public_address: address.to_owned(),
                public_url: url.to_owned(),
                ..given(listen)
            };
            Boot::with(given).unwrap().origin()
        };
        assert_eq!(origin("127.0.0.1:8080", "", ""), "http://127.0.0.1:8080");
        assert_eq!(origin("0.0.0.0:80", "", ""), "http://127.0.0.1");
        assert_eq!(origin("0.0.0.0:8080", "pbx.lan", ""), "http://pbx.lan:8080");
        assert_eq!(origin("[::1]:8080", "pbx.lan", ""), "http://[::1]:8080");
        assert_eq!(origin("127.0.0.1:1", "", "https://A.example/"), "https://a.example");
    }

    #[test]
    fn addresses_that_are_none_are_refused() {
        for wrong in ["", "a b", "host:80", "http://x"] {
            assert!(address(wrong.to_owned()).is_err(), "{wrong}");
        }
        for wrong in ["", "x", "ftp://x", "https://", "https://x/path", "https://u@x"] {
            assert!(url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_ports_of_calls_are_a_range_above_1023() {
        assert_eq!(ports("20000 - 20100").unwrap(), 20_000..=20_100);
        for wrong in ["", "20000", "20100-20000", "80-90", "1024-70000"] {
            assert!(ports(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_manual_names_every_setting() {
        let page = manual(&Given::fields());
        assert!(page.contains("| `listen` | `SWITCHBELL_LISTEN` | `127.0.0.1:8080` |"), "{page}");
        assert_eq!(page.lines().filter(|line| line.starts_with("| `")).count(), 12);
    }

    #[test]
    fn the_free_disk_is_a_percentage_that_leaves_room_to_work() {
        let with = |min_free_disk| Boot::with(Given { min_free_disk, ..Given::default() });
        for right in [0.0, 5.0, 50.0] {
            assert!(with(right).is_ok(), "{right}");
        }
        for wrong in [-1.0, 50.1, f64::NAN] {
            assert!(with(wrong).is_err(), "{wrong}");
        }
    }
}
