//! What the settings ask for.

use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

use url::Url;

use crate::{Result, TlsError, names};

settings::settings! {
    /// As given.
    pub struct Given in "tls" {
        /// Who vouches for this server: `local`, its own authority; `acme`, Let's Encrypt or another
        /// directory; `files`, those of `cert` and `key`; `off`, nobody. `auto`: `files` when `cert`
        /// is given, else `local` beyond this machine and `off` on it.
        mode: String = "auto".to_owned(),
        /// Further host names and addresses that the certificate is for, with commas between. With
        /// `acme`, the public names, or `public_address` when this is empty.
        names: String = String::new(),
        /// PEM file of a certificate and its chain, read again when it changes.
        cert: String = String::new(),
        /// PEM file of its key.
        key: String = String::new(),
        /// Address and port of plain HTTP that leads to the encrypted port, such as `0.0.0.0:80`;
        /// with `acme`, the directory looks there for its proof.
        http: String = String::new(),
        /// Directory of the ACME server. Its terms of service count as read and agreed to.
        directory: String = "https://acme-v02.api.letsencrypt.org/directory".to_owned(),
        /// E-mail address that the ACME server may write to; none is needed.
        contact: String = String::new(),
        /// PEM file of an authority that vouches for the ACME server itself, when it is one of
        /// one's own.
        directory_root: String = String::new(),
    }
}

/// Who vouches, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nobody: there is no TLS.
    Off,
    /// The local authority.
    Local,
    /// A directory.
    Acme,
    /// Files of somebody else.
    Files,
}

/// Who vouches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// Nobody: there is no TLS.
    Off,
    /// The local authority.
    Local,
    /// A directory.
    Acme(Acme),
    /// Files of somebody else.
    Files {
        /// Certificate and chain.
        cert: PathBuf,
        /// Key.
        key: PathBuf,
    },
}

/// What a directory is asked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acme {
    /// Where it is.
    pub directory: String,
    /// Whom it may write to.
    pub contact: Option<String>,
    /// Who vouches for the directory.
    pub root: Option<PathBuf>,
}

/// What is to be served.
#[derive(Debug, Clone)]
pub struct Config {
    /// Who vouches.
    pub mode: Mode,
    /// Where keys and certificates are kept.
    pub folder: PathBuf,
    /// What is listened on.
    pub listen: SocketAddr,
    /// Where plain HTTP leads to it.
    pub http: Option<SocketAddr>,
    /// Names of the settings, in small letters.
    pub names: Vec<String>,
    /// The addresses of this machine; a test has its own.
    pub addresses: fn() -> Vec<IpAddr>,
}

impl Config {
    /// No TLS.
    pub fn off(listen: SocketAddr) -> Self {
        Self {
            mode: Mode::Off,
            folder: PathBuf::new(),
            listen,
            http: None,
            names: Vec::new(),
            addresses: names::addresses,
        }
    }

    /// Who vouches, in one word.
    pub fn kind(&self) -> Kind {
        match self.mode {
            Mode::Off => Kind::Off,
            Mode::Local => Kind::Local,
            Mode::Acme(_) => Kind::Acme,
            Mode::Files { .. } => Kind::Files,
        }
    }
}

fn wrong<T>(text: String) -> Result<T> {
    Err(TlsError::Setting(text))
}

impl Given {
    /// What is to be served on `listen` with keys under the folder `data`. `plain`: whether the
    /// owner asked to do without encryption.
    pub fn config(
        &self,
        listen: SocketAddr,
        data: &Path,
        public_address: Option<&str>,
        plain: bool,
    ) -> Result<Config> {
        let beyond = !listen.ip().to_canonical().is_loopback();
        let mode = match self.mode.as_str() {
            "local" => Mode::Local,
            "acme" => Mode::Acme(self.acme()?),
            "files" => self.files()?,
            "auto" if !self.cert.is_empty() || !self.key.is_empty() => self.files()?,
            "auto" if beyond && !plain => Mode::Local,
            "auto" | "off" => Mode::Off,
            other => {
                return wrong(format!(
                    "tls.mode is {other:?}; it can be auto, local, acme, files or off"
                ));
            }
        };
        let mut names = self.names()?;
        if let Some(address) = public_address
            && (!matches!(mode, Mode::Acme(_)) || names.is_empty())
        {
            names.push(address.to_ascii_lowercase());
        }
        if matches!(mode, Mode::Acme(_)) {
            let public = |name: &String| names::is_name(name) && name.contains('.');
            if names.is_empty() || !names.iter().all(public) {
                return wrong(format!(
                    "tls.mode is acme, which needs public host names in tls.names: {names:?}"
                ));
            }
        }
        let http = match self.http.as_str() {
            "" => None,
            text => match text.parse::<SocketAddr>() {
                Ok(http) if http.port() != listen.port() || http.port() == 0 => Some(http),
                _ => return wrong(format!("tls.http is {text:?}; it is another address and port")),
            },
        };
        if http.is_some() && mode == Mode::Off {
            return wrong("tls.http leads to an encrypted port, and TLS is off".to_owned());
        }
        let folder = data.join("tls");
        Ok(Config { mode, folder, listen, http, names, addresses: names::addresses })
    }

    fn names(&self) -> Result<Vec<String>> {
        let names = self.names.split([',', ' ']).filter(|name| !name.is_empty());
        let one = |name: &str| match name.parse::<IpAddr>() {
            Ok(ip) => ip.to_string(),
            Err(_) => name.to_ascii_lowercase(),
        };
        let names: Vec<String> = names.map(one).collect();
        match names.iter().find(|name| !names::is_name(name) && name.parse::<IpAddr>().is_err()) {
            Some(name) => {
                wrong(format!("tls.names has {name:?}, which is no host name or address"))
            }
            None => Ok(names),
        }
    }

    fn files(&self) -> Result<Mode> {
        if self.cert.is_empty() || self.key.is_empty() {
            return wrong("own certificates need both tls.cert and tls.key".to_owned());
        }
        Ok(Mode::Files { cert: self.cert.clone().into(), key: self.key.clone().into() })
    }

    fn acme(&self) -> Result<Acme> {
        let right = |url: &Url| {
            let here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
            url.scheme() == "https" || url.scheme() == "http" && here
        };
        if !Url::parse(&self.directory).is_ok_and(|url| right(&url)) {
            return wrong(format!("tls.directory is {:?}; it is an https address", self.directory));
        }
        let contact = Some(self.contact.trim()).filter(|contact| !contact.is_empty());
        if contact.is_some_and(|contact| !contact.contains('@') || contact.contains([' ', ','])) {
            return wrong(format!("tls.contact is {:?}; it is one e-mail address", self.contact));
        }
        let root = Some(&self.directory_root).filter(|root| !root.is_empty()).map(PathBuf::from);
        let directory = self.directory.clone();
        Ok(Acme { directory, contact: contact.map(str::to_owned), root })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(given: &Given, listen: &str, plain: bool) -> Kind {
        given.config(listen.parse().unwrap(), Path::new("data"), None, plain).unwrap().kind()
    }

    #[test]
    fn beyond_this_machine_there_is_tls_unless_its_owner_says_otherwise() {
        let auto = Given::default();
        for listen in ["127.0.0.1:80", "[::1]:80", "[::ffff:127.0.0.1]:80"] {
            assert_eq!(kind(&auto, listen, false), Kind::Off, "{listen}");
        }
        for listen in ["0.0.0.0:80", "[::]:80", "192.168.1.5:80"] {
            assert_eq!(kind(&auto, listen, false), Kind::Local, "{listen}");
            assert_eq!(kind(&auto, listen, true), Kind::Off, "{listen}");
        }
        let own = Given { cert: "c.pem".into(), key: "k.pem".into(), ..Given::default() };
        assert_eq!(kind(&own, "127.0.0.1:80", false), Kind::Files);
        let local = Given { mode: "local".into(), ..Given::default() };
        assert_eq!(kind(&local, "127.0.0.1:80", false), Kind::Local);
    }

    #[test]
    fn what_cannot_be_meant_is_refused_in_words() {
        let refused = |given: &Given, word: &str| {
            let listen = "0.0.0.0:443".parse().unwrap();
            let error = given.config(listen, Path::new("data"), None, false).unwrap_err();
            assert!(error.to_string().contains(word), "{error}");
        };
        let text = str::to_owned;
        refused(&Given { mode: text("on"), ..Given::default() }, "tls.mode");
        refused(&Given { mode: text("acme"), ..Given::default() }, "tls.names");
        for names in ["10.0.0.1", "pbx", "*.example.com"] {
            let given = Given { mode: text("acme"), names: text(names), ..Given::default() };
            refused(&given, "tls.names");
        }
        refused(&Given { names: text("a b_c"), ..Given::default() }, "tls.names");
        refused(&Given { cert: text("c.pem"), ..Given::default() }, "tls.key");
        refused(&Given { http: text("80"), ..Given::default() }, "tls.http");
        refused(&Given { http: text("0.0.0.0:443"), ..Given::default() }, "tls.http");
        let off = Given { mode: text("off"), http: text("0.0.0.0:80"), ..Given::default() };
        refused(&off, "TLS is off");
        let acme = Given { mode: text("acme"), names: text("a.example"), ..Given::default() };
        let far = "http://ca.example/directory";
        refused(&Given { directory: text(far), ..acme.clone() }, "tls.directory");
        refused(&Given { contact: text("nobody"), ..acme }, "tls.contact");
    }

    #[test]
    fn public_names_come_from_the_settings() {
        let acme = Given { mode: "acme".into(), ..Given::default() };
        let names = |names: &str| {
            let given = Given { names: names.into(), ..acme.clone() };
            let listen = "0.0.0.0:443".parse().unwrap();
            given.config(listen, Path::new("data"), Some("Calls.Example.com"), false).unwrap().names
        };
        assert_eq!(names(""), ["calls.example.com"]);
        assert_eq!(names("a.example, B.example"), ["a.example", "b.example"]);
    }
}
