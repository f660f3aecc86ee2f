//! Which addresses this server answers for, and which pages may ask it for changes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::{
    extract::{ConnectInfo, Request, connect_info::Connected},
    http::{Extensions, HeaderMap, Method, header},
    serve::IncomingStream,
};
use tokio::net::TcpListener;

use crate::{CommonProblem, Problem, Result};

/// The ends of a connection, for [`axum::Router::into_make_service_with_connect_info`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The client's end.
    pub remote: SocketAddr,
    /// Our end.
    pub local: Option<SocketAddr>,
}

impl Connected<IncomingStream<'_, TcpListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
        Self { remote: *stream.remote_addr(), local: stream.io().local_addr().ok() }
    }
}

/// The address under which the client reached us, found by [`Origins::check`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Scheme and authority, as a browser writes them in `Origin`.
    pub origin: String,
    /// Whether the scheme is `https`.
    pub secure: bool,
    /// Who is asking, as far as known.
    pub peer: Option<IpAddr>,
}

impl Site {
    /// The site of a request.
    pub fn of(extensions: &Extensions) -> Result<Self> {
        let missing = || Problem::unexpected("the site is missing from the request");
        extensions.get::<Self>().cloned().ok_or_else(missing)
    }

    /// The address of the client; one for all whose address is not known.
    pub fn client(&self) -> IpAddr {
        self.peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
    }

    /// What tells clients apart for throttling: the address, and of an IPv6 address the network,
    /// since one client has many within it.
    pub fn network(&self) -> IpAddr {
        match self.client() {
            IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from(u128::from(ip) & (u128::MAX << 64))),
            ip @ IpAddr::V4(_) => ip,
        }
    }

    /// Whether the client is a program on this machine.
    pub fn is_local(&self) -> bool {
        self.peer.is_some_and(|peer| peer.is_loopback())
    }
}

/// The addresses that this server answers for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origins {
    /// Authorities reached over plain HTTP, such as `127.0.0.1:8080`.
    plain: Vec<String>,
    /// What a reverse proxy or a certificate answers for, such as `https://calls.example.com`.
    public: Option<(String, bool)>,
}

impl Origins {
    /// For a socket at `listen`. `public_address` is the host name or IP address under which the
    /// machine is known to others; `public_url` is scheme and authority in front of a reverse
    /// proxy. Besides these, the address of our end of the connection is answered for.
    pub fn new(listen: SocketAddr, public_address: Option<&str>, public_url: Option<&str>) -> Self {
        let port = listen.port();
        let mut plain = vec![authority("localhost", port)];
        if !listen.ip().is_unspecified() {
            plain.push(authority(&listen.ip().to_string(), port));
        }
        if listen.ip().is_loopback() {
            plain.push(authority("127.0.0.1", port));
            plain.push(authority("::1", port));
        }
        if let Some(address) = public_address {
            plain.push(authority(&address.to_ascii_lowercase(), port));
        }
        let public = public_url.map(|url| {
            let url = url.trim_end_matches('/').to_ascii_lowercase();
            let secure = url.starts_with("https://");
            (url, secure)
        });
        Self { plain, public }
    }

    /// Checks `Host` exactly and, where the request may change something, `Origin` and
    /// `Sec-Fetch-Site`; gives the site that was addressed.
    ///
    /// A request with neither of the two comes from no browser and carries its cookie on purpose;
    /// only a WebSocket must name its origin, since browsers always do.
    pub(crate) fn check(&self, request: &Request) -> Result<Site> {
        let peer = request.extensions().get::<ConnectInfo<Peer>>().map(|info| info.0);
        let headers = request.headers();
        let host = host(request).ok_or(CommonProblem::WrongHost { host: String::new() })?;
        let (origin, secure) =
            self.addressed(&host, peer).ok_or(CommonProblem::WrongHost { host })?;
        let behind_proxy = self.public.as_ref().is_some_and(|(url, _)| *url == origin);
        let site = Site { origin, secure, peer: client(headers, peer, behind_proxy) };
        let websocket = headers.contains_key(header::UPGRADE);
        let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
        if websocket || !safe {
            same_origin(headers, &site, websocket)?;
        }
        Ok(site)
    }

    fn addressed(&self, host: &str, peer: Option<Peer>) -> Option<(String, bool)> {
        if let Some((url, secure)) = &self.public
            && url.split_once("://").is_some_and(|(_, authority)| authority == host)
        {
            return Some((url.clone(), *secure));
        }
        let local = peer.and_then(|peer| peer.local);
        let ours =
            |local: SocketAddr| authority(&local.ip().to_canonical().to_string(), local.port());
        let known = self.plain.iter().any(|known| known == host)
            || local.map(ours).as_deref() == Some(host);
        known.then(|| (format!("http://{host}"), false))
    }
}

/// `host:port` as browsers write it: IPv6 in brackets, port 80 left out.
fn authority(host: &str, port: u16) -> String {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    if port == 80 { host } else { format!("{host}:{port}") }
}

fn host(request: &Request) -> Option<String> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().ok().map(str::to_ascii_lowercase),
        (None, _) => request.uri().authority().map(|a| a.as_str().to_ascii_lowercase()),
        (Some(_), Some(_)) => None,
    }
}

/// The client's address. A proxy is believed only when it runs on this machine and is the one that
/// was addressed; its own entry is the last of the list.
fn client(headers: &HeaderMap, peer: Option<Peer>, behind_proxy: bool) -> Option<IpAddr> {
    let remote = peer?.remote.ip().to_canonical();
    if !behind_proxy || !remote.is_loopback() {
        return Some(remote);
    }
    let forwarded = headers.get_all("x-forwarded-for").iter().next_back();
    let last =
        forwarded.and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
    Some(last.unwrap_or(remote))
}

fn same_origin(headers: &HeaderMap, site: &Site, websocket: bool) -> Result<()> {
    let right = match headers.get(header::ORIGIN) {
        Some(origin) => origin.as_bytes() == site.origin.as_bytes(),
        None if websocket => false,
        None => {
            headers.get("sec-fetch-site").is_none_or(|from| from == "same-origin" || from == "none")
        }
    };
    if right { Ok(()) } else { Err(CommonProblem::WrongOrigin.into()) }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn request(method: &str, headers: &[(&str, &str)], peer: Option<Peer>) -> Request {
        let mut request =
            axum::http::Request::builder().method(method).uri("/x").body(Body::empty()).unwrap();
        for (name, value) in headers {
            let name: header::HeaderName = name.parse().unwrap();
            request.headers_mut().append(name, value.parse().unwrap());
        }
        if let Some(peer) = peer {
            request.extensions_mut().insert(ConnectInfo(peer));
        }
        request
    }

    fn loopback() -> Origins {
        Origins::new("127.0.0.1:8080".parse().unwrap(), None, Some("https://Calls.example.com/"))
    }

    #[test]
    fn only_our_own_addresses_are_answered_for() {
        let ask = |host: &str| {
            loopback().check(&request("GET", &[("host", host)], None)).map(|site| site.origin)
        };
        assert_eq!(ask("127.0.0.1:8080").unwrap(), "http://127.0.0.1:8080");
        assert_eq!(ask("LOCALHOST:8080").unwrap(), "http://localhost:8080");
        assert_eq!(ask("[::1]:8080").unwrap(), "http://[::1]:8080");
        assert_eq!(ask("calls.example.com").unwrap(), "https://calls.example.com");
        for wrong in [
            "",
            "127.0.0.1",
            "127.0.0.1:80",
            "evil.example:8080",
            "localhost.:8080",
            "calls.example.com:8080",
            "127.0.0.1:8080.evil.example",
        ] {
            assert_eq!(ask(wrong).unwrap_err().code(), "wrong_host", "{wrong}");
        }
        let twice = [("host", "127.0.0.1:8080"), ("host", "evil.example")];
        assert!(loopback().check(&request("GET", &twice, None)).is_err());
    }

    #[test]
    fn on_every_address_the_local_end_of_the_connection_is_ours_and_no_name_is() {
        let origins = Origins::new("0.0.0.0:8080".parse().unwrap(), Some("pbx.lan"), None);
        let peer = Peer {
            remote: "10.0.0.9:50000".parse().unwrap(),
            local: Some("10.0.0.5:8080".parse().unwrap()),
        };
        let ask = |host: &str| origins.check(&request("GET", &[("host", host)], Some(peer)));
        assert!(ask("10.0.0.5:8080").is_ok());
        assert!(ask("pbx.lan:8080").is_ok());
        assert!(ask("10.0.0.6:8080").is_err());
        assert!(ask("rebound.example:8080").is_err());
    }

    #[test]
    fn another_site_cannot_change_anything_nor_open_a_websocket() {
        let ask = |method: &str, more: &[(&str, &str)]| {
            let headers: Vec<_> =
                [("host", "127.0.0.1:8080")].into_iter().chain(more.iter().copied()).collect();
            loopback().check(&request(method, &headers, None)).is_ok()
        };
        let own = ("origin", "http://127.0.0.1:8080");
        assert!(ask("POST", &[own]));
        assert!(ask("POST", &[]));
        assert!(ask("POST", &[("sec-fetch-site", "same-origin")]));
        assert!(!ask("POST", &[("sec-fetch-site", "cross-site")]));
        assert!(!ask("DELETE", &[("sec-fetch-site", "same-site")]));
        for wrong in
            ["null", "http://evil.example", "https://127.0.0.1:8080", "http://localhost:8080"]
        {
            assert!(!ask("POST", &[("origin", wrong)]), "{wrong}");
            assert!(!ask("GET", &[("upgrade", "websocket"), ("origin", wrong)]), "{wrong}");
        }
        assert!(ask("GET", &[("upgrade", "websocket"), own]));
        assert!(!ask("GET", &[("upgrade", "websocket")]));
        assert!(ask("GET", &[("sec-fetch-site", "cross-site")]), "a link may lead here");
    }

    #[test]
    fn a_proxy_is_believed_only_on_this_machine_and_for_its_own_address() {
        let ask = |host: &str, remote: &str| {
            let peer = Peer { remote: remote.parse().unwrap(), local: None };
            let headers = [("host", host), ("x-forwarded-for", "1.1.1.1, 203.0.113.7")];
            loopback().check(&request("GET", &headers, Some(peer))).unwrap().client().to_string()
        };
        assert_eq!(ask("calls.example.com", "127.0.0.1:1"), "203.0.113.7");
        assert_eq!(ask("calls.example.com", "10.0.0.9:1"), "10.0.0.9");
        assert_eq!(ask("127.0.0.1:8080", "127.0.0.1:1"), "127.0.0.1");
    }
}
