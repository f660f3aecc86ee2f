//! Which addresses this server answers for, and which pages may ask it for changes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::{
    extract::{ConnectInfo, Request, connect_info::Connected},
    http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse as _, Response},
    serve::{IncomingStream, Listener},
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
    /// Whether the connection itself is encrypted and ends here.
    pub secure: bool,
}

impl Connected<IncomingStream<'_, TcpListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
        let local = stream.io().local_addr().ok();
        Self { remote: *stream.remote_addr(), local, secure: false }
    }
}

/// A listener that itself knows both ends of its connections.
#[derive(Debug)]
pub struct Knowing<L>(pub L);

impl<L: Listener<Addr = Peer>> Listener for Knowing<L> {
    type Io = L::Io;
    type Addr = Peer;

    async fn accept(&mut self) -> (L::Io, Peer) {
        self.0.accept().await
    }

    fn local_addr(&self) -> std::io::Result<Peer> {
        self.0.local_addr()
    }
}

impl<L: Listener<Addr = Self>> Connected<IncomingStream<'_, Knowing<L>>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Knowing<L>>) -> Self {
        *stream.remote_addr()
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
    /// Host names and IP addresses, without a port.
    names: Vec<String>,
    /// The port that is listened on.
    port: u16,
    /// What a reverse proxy answers for, such as `https://calls.example.com`.
    public: Option<(String, bool)>,
    /// What holds when the port is served with TLS.
    tls: Option<Encrypted>,
}

/// How a server with TLS is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Encrypted {
    /// Host names and IP addresses beside those of a plain server.
    pub names: Vec<String>,
    /// A second port, whose plain HTTP leads to the encrypted one.
    pub http_port: Option<u16>,
    /// Whether the certificate is one that every browser trusts, so that it may be told to never
    /// come unencrypted again.
    pub strict: bool,
    /// Paths that are served without TLS, since they are needed before there is trust: these and
    /// what lies below them.
    pub open: &'static [&'static str],
}

impl Origins {
    /// For a socket at `listen`. `public_address` is the host name or IP address under which the
    /// machine is known to others; `public_url` is scheme and authority in front of a reverse
    /// proxy. Besides these, the address of our end of the connection is answered for.
    pub fn new(listen: SocketAddr, public_address: Option<&str>, public_url: Option<&str>) -> Self {
        let mut names = vec!["localhost".to_owned()];
        if !listen.ip().is_unspecified() {
            names.push(listen.ip().to_string());
        }
        if listen.ip().is_loopback() {
            names.extend(["127.0.0.1".to_owned(), "::1".to_owned()]);
        }
        names.extend(public_address.map(str::to_ascii_lowercase));
        let public = public_url.map(|url| {
            let url = url.trim_end_matches('/').to_ascii_lowercase();
            let secure = url.starts_with("https://");
            (url, secure)
        });
        Self { names, port: listen.port(), public, tls: None }
    }

    /// The same, where the port is served with TLS. Plain HTTP is then for this machine alone; from
    /// others it leads to the encrypted address.
    pub fn encrypted(mut self, tls: Encrypted) -> Self {
        self.names.extend(tls.names.iter().map(|name| name.to_ascii_lowercase()));
        self.names.extend(self.public.as_ref().map(|(url, _)| name_and_port(url).0.to_owned()));
        Self { tls: Some(tls), ..self }
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
        let secure = peer.is_some_and(|peer| peer.secure);
        if let Some((url, safe)) = &self.public
            && url.split_once("://").is_some_and(|(_, authority)| authority == host)
        {
            // With TLS of our own, plain HTTP from elsewhere is no proxy's, whatever it calls itself.
            let proxy = |peer: Peer| peer.remote.ip().to_canonical().is_loopback();
            let believed = self.tls.is_none() || peer.is_none_or(proxy);
            let secure = secure || (*safe && believed);
            let scheme = if secure { "https" } else { "http" };
            return Some((format!("{scheme}://{host}"), secure));
        }
        let local = peer.and_then(|peer| peer.local);
        let mine = |local: SocketAddr| {
            authority(&local.ip().to_canonical().to_string(), local.port(), secure)
        };
        let known = self
            .ports(secure)
            .any(|port| self.names.iter().any(|name| authority(name, port, secure) == host));
        let scheme = if secure { "https" } else { "http" };
        let known = known || local.map(mine).as_deref() == Some(host);
        known.then(|| (format!("{scheme}://{host}"), secure))
    }

    /// The ports that a browser may have written. Beside our own, a router in front may lead the
    /// usual ones here.
    fn ports(&self, secure: bool) -> impl Iterator<Item = u16> {
        let usual = self.tls.as_ref().map(|_| if secure { 443 } else { 80 });
        let second = self.tls.as_ref().and_then(|tls| tls.http_port);
        [Some(self.port), usual, second].into_iter().flatten()
    }

    /// What is answered instead, where this request has to come encrypted: the way there for who
    /// only reads, a refusal for who sends something, since it was readable on its way already.
    pub(crate) fn demand(&self, request: &Request, site: &Site) -> Option<Response> {
        let tls = self.tls.as_ref()?;
        let path = request.uri().path();
        let open = tls.open.iter().any(|open| {
            path.strip_prefix(open).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        if site.secure || open {
            return None;
        }
        let peer = request.extensions().get::<ConnectInfo<Peer>>().map(|info| info.0);
        let local = peer.and_then(|peer| peer.local);
        let second = local.is_some_and(|local| local.port() != self.port);
        let here = local.is_some_and(|local| local.ip().to_canonical().is_loopback());
        if here && !second {
            return None;
        }
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        if !reads || request.headers().contains_key(header::UPGRADE) {
            return Some(Problem::from(CommonProblem::HttpsRequired).into_response());
        }
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let to = format!("{}{target}", self.secured(site));
        let location = HeaderValue::try_from(to).ok()?;
        Some((StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, location)]).into_response())
    }

    /// Where the same host is reached encrypted.
    fn secured(&self, site: &Site) -> String {
        let (name, port) = name_and_port(&site.origin);
        if let Some((url, true)) = &self.public
            && name_and_port(url).0 == name
        {
            return url.clone();
        }
        let second = self.tls.as_ref().and_then(|tls| tls.http_port);
        // Where a router leads the usual port of HTTP here, it leads that of HTTPS here, too.
        let port = port.unwrap_or(80);
        let port = if second == Some(port) || port == self.port { self.port } else { 443 };
        if port == 443 { format!("https://{name}") } else { format!("https://{name}:{port}") }
    }

    /// Tells a browser that came encrypted to never come otherwise, where that may be told.
    pub(crate) fn strict(&self, site: &Site) -> bool {
        site.secure && self.tls.as_ref().is_some_and(|tls| tls.strict)
    }
}

/// The host of an origin, and the port when there is one.
fn name_and_port(origin: &str) -> (&str, Option<u16>) {
    let host = origin.split_once("://").map_or(origin, |(_, host)| host);
    let split = host.rsplit_once(':');
    let split = split.and_then(|(name, port)| Some((name, Some(port.parse::<u16>().ok()?))));
    split.unwrap_or((host, None))
}

/// `host:port` as browsers write it: IPv6 in brackets, the usual port of the scheme left out.
fn authority(host: &str, port: u16, secure: bool) -> String {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    if port == if secure { 443 } else { 80 } { host } else { format!("{host}:{port}") }
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
            secure: false,
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
            let peer = Peer { remote: remote.parse().unwrap(), local: None, secure: false };
            let headers = [("host", host), ("x-forwarded-for", "1.1.1.1, 203.0.113.7")];
            loopback().check(&request("GET", &headers, Some(peer))).unwrap().client().to_string()
        };
        assert_eq!(ask("calls.example.com", "127.0.0.1:1"), "203.0.113.7");
        assert_eq!(ask("calls.example.com", "10.0.0.9:1"), "10.0.0.9");
        assert_eq!(ask("127.0.0.1:8080", "127.0.0.1:1"), "127.0.0.1");
    }

    /// A request at our end `local`, encrypted or not.
    fn at(method: &str, host: &str, local: &str, secure: bool) -> Request {
        let remote = "10.0.0.9:50000".parse().unwrap();
        let peer = Peer { remote, local: Some(local.parse().unwrap()), secure };
        request(method, &[("host", host)], Some(peer))
    }

    fn encrypted() -> Origins {
        Origins::new("0.0.0.0:8443".parse().unwrap(), None, None).encrypted(Encrypted {
            names: vec!["PBX.lan".to_owned()],
            http_port: Some(8080),
            strict: true,
            open: &["/trust"],
        })
    }

    #[test]
    fn over_tls_the_origin_is_https_and_the_names_are_those_of_the_certificate() {
        let ask = |host: &str, local: &str| {
            let site = encrypted().check(&at("GET", host, local, true));
            site.map(|site| (site.origin, site.secure))
        };
        let told = |origin: &str| (origin.to_owned(), true);
        assert_eq!(ask("pbx.lan:8443", "10.0.0.5:8443").unwrap(), told("https://pbx.lan:8443"));
        assert_eq!(ask("10.0.0.5:8443", "10.0.0.5:8443").unwrap(), told("https://10.0.0.5:8443"));
        assert_eq!(ask("pbx.lan", "10.0.0.5:8443").unwrap(), told("https://pbx.lan"));
        assert!(ask("10.0.0.6:8443", "10.0.0.5:8443").is_err());
        assert!(ask("rebound.example:8443", "10.0.0.5:8443").is_err());
        assert!(
            encrypted()
                .strict(&encrypted().check(&at("GET", "pbx.lan", "10.0.0.5:8443", true)).unwrap())
        );
    }

    #[test]
    fn unencrypted_requests_of_others_are_led_to_tls_and_never_carried_out() {
        let ask = |method: &str, host: &str, local: &str, path: &str| {
            let mut request = at(method, host, local, false);
            *request.uri_mut() = path.parse().unwrap();
            let site = encrypted().check(&request).unwrap();
            assert!(!encrypted().strict(&site));
            let answer = encrypted().demand(&request, &site)?;
            let to = answer.headers().get(header::LOCATION);
            let to = to.map(|to| to.to_str().unwrap().to_owned()).unwrap_or_default();
            Some((answer.status().as_u16(), to))
        };
        let led = |to: &str| Some((307, to.to_owned()));
        let (lan, second) = ("10.0.0.5:8443", "10.0.0.5:8080");
        assert_eq!(ask("GET", "pbx.lan:8443", lan, "/a?b=c"), led("https://pbx.lan:8443/a?b=c"));
        assert_eq!(ask("GET", "pbx.lan:8080", second, "/"), led("https://pbx.lan:8443/"));
        assert_eq!(ask("HEAD", "10.0.0.5:8080", second, "/"), led("https://10.0.0.5:8443/"));
        assert_eq!(ask("GET", "pbx.lan", second, "/"), led("https://pbx.lan/"));
        assert_eq!(ask("POST", "pbx.lan:8443", lan, "/"), Some((403, String::new())));
        assert_eq!(ask("GET", "pbx.lan:8443", lan, "/trust"), None);
        assert_eq!(ask("GET", "pbx.lan:8443", lan, "/trust/ca.pem"), None);
        assert_eq!(ask("GET", "pbx.lan:8443", lan, "/trusted").unwrap().0, 307);
        // This machine speaks with itself as before; its second port only leads on.
        assert_eq!(ask("POST", "127.0.0.1:8443", "127.0.0.1:8443", "/"), None);
        let local = ask("GET", "127.0.0.1:8080", "127.0.0.1:8080", "/");
        assert_eq!(local, led("https://127.0.0.1:8443/"));
    }

    #[test]
    fn a_name_in_front_of_a_proxy_is_no_way_round_tls() {
        let public = Some("https://calls.example.com");
        let listen = "0.0.0.0:8443".parse().unwrap();
        let tls = Encrypted { http_port: Some(80), ..Encrypted::default() };
        let origins = Origins::new(listen, None, public).encrypted(tls);
        let ask = |remote: &str, local: &str, secure: bool| {
            let peer = Peer {
                remote: remote.parse().unwrap(),
                local: Some(local.parse().unwrap()),
                secure,
            };
            let request = request("GET", &[("host", "calls.example.com")], Some(peer));
            let site = origins.check(&request).unwrap();
            let led = origins.demand(&request, &site);
            let led = led.map(|led| led.headers()[header::LOCATION].to_str().unwrap().to_owned());
            (site.origin, site.secure, led)
        };
        let https = "https://calls.example.com".to_owned();
        let served = (https.clone(), true, None);
        assert_eq!(ask("127.0.0.1:1", "127.0.0.1:8443", false), served, "the proxy");
        assert_eq!(ask("10.0.0.9:1", "10.0.0.5:8443", true), served, "without the proxy");
        let plain = ("http://calls.example.com".to_owned(), false, Some(https + "/x"));
        assert_eq!(ask("10.0.0.9:1", "10.0.0.5:80", false), plain);
    }
}
