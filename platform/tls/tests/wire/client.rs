//! A server of ours with its clock in the hand, and browsers that trust what they are told to.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    extract::{ConnectInfo, Path},
    http::StatusCode,
    routing::get,
};
use base::Timestamp;
use clock::{Clock, ManualClock};
use http_kit::Peer;
use rustls::{
    ClientConfig, RootCertStore, SupportedProtocolVersion,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
    time_provider::TimeProvider,
};
use telemetry::Held;
use tempfile::TempDir;
use tls::{Config, Mode, Tls};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpSocket, TcpStream},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// A Friday.
pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_795_161_600);

/// A server that listens.
pub(crate) struct Served {
    pub(crate) tls: Tls,
    pub(crate) hand: ManualClock,
    pub(crate) clock: Clock,
    pub(crate) address: SocketAddr,
    pub(crate) folder: TempDir,
    _http: Held<io::Result<()>>,
}

/// The settings of a test that listens at `address`.
pub(crate) fn config(mode: Mode, folder: &TempDir, address: SocketAddr) -> Config {
    Config {
        mode,
        folder: folder.path().join("tls"),
        listen: SocketAddr::from(([0, 0, 0, 0], address.port())),
        http: None,
        names: vec!["pbx.lan".to_owned()],
        addresses: || vec!["10.0.0.5".parse().unwrap(), "2001:db8::5".parse().unwrap()],
    }
}

/// What the tests ask for.
pub(crate) fn router(tls: &Tls) -> Router {
    let tls = tls.clone();
    Router::new()
        .route(
            "/",
            get(|ConnectInfo(peer): ConnectInfo<Peer>| async move {
                if peer.secure { "secure" } else { "plain" }
            }),
        )
        .route(
            "/.well-known/acme-challenge/{token}",
            get(move |Path(token): Path<String>| {
                let proof = tls.proof(&token);
                async move { proof.ok_or(StatusCode::NOT_FOUND) }
            }),
        )
}

impl Served {
    /// With these settings, changed by `change`.
    pub(crate) async fn new(mode: Mode, change: impl FnOnce(&mut Config)) -> Self {
        Self::over(tempfile::tempdir().unwrap(), mode, change).await
    }

    /// As [`Served::new`] over what an earlier server left.
    pub(crate) async fn over(
        folder: TempDir,
        mode: Mode,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        Self::at(folder, Clock::manual(NOW), mode, change).await
    }

    /// As [`Served::over`] with a clock that others look at, too.
    pub(crate) async fn at(
        folder: TempDir,
        (clock, hand): (Clock, ManualClock),
        mode: Mode,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut config = config(mode, &folder, address);
        change(&mut config);
        let tls = Tls::open(config, clock.clone()).unwrap();
        let door = tls.door(listener).unwrap();
        let service = router(&tls).into_make_service_with_connect_info::<Peer>();
        let http =
            telemetry::spawn_held("test.http", async move { axum::serve(door, service).await });
        Self { tls, hand, clock, address, folder, _http: http }
    }

    /// A browser that trusts the local authority.
    pub(crate) fn browser(&self) -> Browser {
        let card = self.tls.status().authority.unwrap();
        Browser::new(&card.pem, self.clock.now())
    }

    /// Ends the server; its folder is given back.
    pub(crate) fn end(self) -> TempDir {
        self.folder
    }
}

#[derive(Debug)]
struct At(Timestamp);

impl TimeProvider for At {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(self.0.seconds() as u64)))
    }
}

/// Somebody who connects.
#[derive(Clone)]
pub(crate) struct Browser(Arc<ClientConfig>);

impl Browser {
    /// Trusts the certificates in `roots`, at a moment.
    pub(crate) fn new(roots: &str, at: Timestamp) -> Self {
        Self::speaking(roots, at, rustls::ALL_VERSIONS)
    }

    /// As [`Browser::new`], with these versions of TLS only.
    pub(crate) fn speaking(
        roots: &str,
        at: Timestamp,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Self {
        let mut trusted = RootCertStore::empty();
        for root in CertificateDer::pem_slice_iter(roots.as_bytes()) {
            trusted.add(root.unwrap()).unwrap();
        }
        let provider = Arc::new(ring::default_provider());
        let config = ClientConfig::builder_with_details(provider, Arc::new(At(at)))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(trusted)
            .with_no_client_auth();
        Self(Arc::new(config))
    }

    /// Connects to `address`, where `name` is expected.
    pub(crate) async fn open(&self, address: SocketAddr, name: &str) -> io::Result<Open> {
        self.open_over(TcpStream::connect(address).await?, name).await
    }

    /// As [`Browser::open`], from another address of the loopback.
    pub(crate) async fn open_from(
        &self,
        from: IpAddr,
        address: SocketAddr,
        name: &str,
    ) -> io::Result<Open> {
        self.open_over(connect_from(from, address).await, name).await
    }

    async fn open_over(&self, stream: TcpStream, name: &str) -> io::Result<Open> {
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let stream = TlsConnector::from(Arc::clone(&self.0)).connect(name, stream).await?;
        Ok(Open(BufReader::new(stream)))
    }

    /// Why the connection does not come about.
    pub(crate) async fn refusal(&self, address: SocketAddr, name: &str) -> String {
        match self.open(address, name).await {
            Ok(_) => panic!("{name} was trusted"),
            Err(error) => error.to_string(),
        }
    }
}

/// A connection from an address of the loopback.
pub(crate) async fn connect_from(from: IpAddr, address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(from, 0)).unwrap();
    socket.connect(address).await.unwrap()
}

/// A connection that stays open between requests.
pub(crate) struct Open(BufReader<TlsStream<TcpStream>>);

impl Open {
    /// The body of an answer.
    pub(crate) async fn get(&mut self, path: &str) -> String {
        get_over(&mut self.0, path).await
    }

    /// The certificate that was shown.
    pub(crate) fn certificate(&self) -> CertificateDer<'static> {
        let (_, session) = self.0.get_ref().get_ref();
        session.peer_certificates().unwrap()[0].clone()
    }
}

/// The body of an answer to a request over any stream.
pub(crate) async fn get_over<S>(stream: &mut BufReader<S>, path: &str) -> String
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    let mut length = 0;
    loop {
        let mut line = String::new();
        assert_ne!(stream.read_line(&mut line).await.unwrap(), 0, "the connection ended");
        let line = line.trim().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    String::from_utf8(body).unwrap()
}
