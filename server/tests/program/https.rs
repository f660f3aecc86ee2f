//! The whole program behind TLS: what other machines see, and what this one goes on to see.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderMap, Request, StatusCode, header},
};
use db::Db;
use futures::{SinkExt as _, StreamExt as _};
use host::testing::World;
use http_kit::Peer;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName},
};
use serde_json::{Value, json};
use server::{
    assemble::{Assembled, assemble},
    boot::{Boot, Given},
};
use tempfile::TempDir;
use tls::Tls;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest as _};
use tower::ServiceExt as _;

use crate::house::PASSWORD;

/// A program that serves other machines at 10.0.0.5.
struct Site {
    /// It has the clock that certificates are dated by.
    world: World,
    folder: TempDir,
    router: Router,
    tls: Tls,
    link: String,
}

struct Told {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Told {
    fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

impl Site {
    async fn new(db: Db, tls: tls::Given) -> Self {
        let (world, folder) = (World::new(db), tempfile::tempdir().unwrap());
        let listen = "10.0.0.5:8443".parse().unwrap();
        let given = Given { listen, data: folder.path().to_owned(), ..Given::default() };
        let boot = Boot::with_tls(given, &tls).unwrap();
        let Assembled { app, people, tls, .. } =
            assemble(world.handles.clone(), &boot).await.unwrap();
        let link = people.setup_path().await.unwrap().unwrap();
        Self { world, folder, router: app.router, tls, link }
    }

    /// Asks from another machine.
    async fn ask(&self, secure: bool, request: Request<Body>) -> Told {
        let local = "10.0.0.5:8443".parse().ok();
        self.ask_at(Peer { remote: ([10, 0, 0, 9], 40_000).into(), local, secure }, request).await
    }

    async fn ask_at(&self, peer: Peer, mut request: Request<Body>) -> Told {
        let host = peer.local.unwrap().to_string();
        request.headers_mut().insert(header::HOST, host.parse().unwrap());
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Told { status: parts.status, headers: parts.headers, body }
    }

    /// Makes the owner; gives the cookie as it was set.
    async fn set_up(&self) -> String {
        let body = json!({
            "token": self.link.split_once("#token=").unwrap().1, "language": "en",
            "time_zone": "Europe/Kyiv", "country": "UA", "account_name": "One", "name": "Owner",
            "email": "owner@example.com", "password": PASSWORD,
        });
        let made = self.ask(true, post("/api/v1/setup", &body)).await;
        assert!(made.status.is_success(), "{}", made.text());
        made.header(header::SET_COOKIE).to_owned()
    }
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

fn post(path: &str, body: &Value) -> Request<Body> {
    Request::post(path)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()))
        .unwrap()
}

fn with(mut request: Request<Body>, name: header::HeaderName, value: &str) -> Request<Body> {
    request.headers_mut().insert(name, value.parse().unwrap());
    request
}

#[tokio::test]
async fn other_machines_are_led_to_tls_and_this_one_is_served_as_before() {
    db::testing::each(&[], |db| async move {
        let site = Site::new(db, tls::Given::default()).await;
        let led = site.ask(false, get("/campaigns?status=running")).await;
        assert_eq!(led.status, StatusCode::TEMPORARY_REDIRECT);
        let to = "https://10.0.0.5:8443/campaigns?status=running";
        assert_eq!(led.header(header::LOCATION), to);
        let wish = json!({ "email": "owner@example.com", "password": PASSWORD, "stay": false });
        let refused = site.ask(false, post("/api/v1/session", &wish)).await;
        assert_eq!(refused.json()["code"], "https_required");
        let here: SocketAddr = "127.0.0.1:8443".parse().unwrap();
        let peer = Peer { remote: here, local: Some(here), secure: false };
        assert_eq!(site.ask_at(peer, get("/healthz")).await.status, StatusCode::OK);
        let secure = site.ask(true, get("/healthz")).await;
        assert_eq!(secure.status, StatusCode::OK);
        // A browser that does not trust the authority yet must stay able to come.
        assert_eq!(secure.header(header::STRICT_TRANSPORT_SECURITY), "");
    })
    .await;
}

#[tokio::test]
async fn the_cookie_of_an_encrypted_session_never_travels_otherwise() {
    db::testing::each(&[], |db| async move {
        let site = Site::new(db, tls::Given::default()).await;
        let cookie = site.set_up().await;
        assert!(cookie.starts_with("__Host-sb_session="), "{cookie}");
        assert!(cookie.contains("; Secure"), "{cookie}");
        let pair = cookie.split(';').next().unwrap().to_owned();
        let session = |pair: &str| with(get("/api/v1/session"), header::COOKIE, pair);
        let me = site.ask(true, session(&pair)).await;
        assert_eq!(me.json()["insecure_http"], false);
        let plain = pair.replace("__Host-sb_session", "sb_session");
        assert_eq!(site.ask(true, session(&plain)).await.status, StatusCode::UNAUTHORIZED);
        let shown = with(get("/api/v1/https"), header::COOKIE, &pair);
        let shown = site.ask(true, shown).await.json();
        assert_eq!((&shown["mode"], &shown["fault"]), (&json!("local"), &Value::Null));
        assert!(shown["names"].as_array().unwrap().contains(&json!("10.0.0.5")), "{shown}");
        let card = site.tls.status().authority.unwrap();
        assert_eq!(shown["authority"]["fingerprint"], card.fingerprint);
    })
    .await;
}

#[tokio::test]
async fn a_device_can_come_to_trust_before_it_can_sign_in() {
    db::testing::each(&[], |db| async move {
        let site = Site::new(db, tls::Given::default()).await;
        let card = site.tls.status().authority.unwrap();
        for (accepted, title) in [
            ("de", "Trust this server"),
            ("uk-UA,en;q=0.5", "Довіртеся цьому серверу"),
            ("ru", "Доверьтесь этому серверу"),
            ("uz", "Bu serverga ishonch bildiring"),
            ("vi", "Tin cậy máy chủ này"),
        ] {
            let page = with(get("/trust"), header::ACCEPT_LANGUAGE, accepted);
            let page = site.ask(false, page).await;
            assert_eq!(page.status, StatusCode::OK);
            assert!(page.text().contains(title), "{accepted}");
            assert!(page.text().contains(&card.fingerprint));
            assert!(!page.text().contains("<script"));
        }
        let chosen = with(get("/trust?lang=vi"), header::ACCEPT_LANGUAGE, "uk");
        assert!(site.ask(false, chosen).await.text().contains("<html lang=\"vi\">"));
        let der = site.ask(false, get("/trust/switchbell-ca.crt")).await;
        assert_eq!(der.header(header::CONTENT_TYPE), "application/x-x509-ca-cert");
        assert_eq!(der.body, card.der);
        let pem = site.ask(false, get("/trust/switchbell-ca.pem")).await;
        let named = "attachment; filename=\"switchbell-ca.pem\"";
        assert_eq!(pem.header(header::CONTENT_DISPOSITION), named);
        assert_eq!(pem.text(), card.pem);
        let unknown = site.ask(false, get("/.well-known/acme-challenge/none")).await;
        assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test]
async fn with_own_files_browsers_are_held_to_https_and_nobody_is_told_to_trust() {
    db::testing::each(&[], |db| async move {
        let folder = tempfile::tempdir().unwrap();
        let own = Site::new(db.clone(), tls::Given::default()).await;
        // A certificate with its key in one file will do.
        let pair = own.folder.path().join("tls/local.pem");
        let kept = folder.path().join("pair.pem");
        std::fs::copy(pair, &kept).unwrap();
        let path = kept.to_str().unwrap().to_owned();
        let files = tls::Given { cert: path.clone(), key: path, ..tls::Given::default() };
        let site = Site::new(db, files).await;
        let secure = site.ask(true, get("/healthz")).await;
        let held = secure.header(header::STRICT_TRANSPORT_SECURITY);
        assert_eq!(held, "max-age=31536000");
        assert_eq!(
            site.ask(false, get("/healthz")).await.header(header::STRICT_TRANSPORT_SECURITY),
            ""
        );
        let page = site.ask(true, get("/trust")).await;
        assert_eq!(page.header(header::LOCATION), "/");
        let none = site.ask(true, get("/trust/switchbell-ca.pem")).await;
        assert_eq!(none.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test]
async fn pages_and_the_live_connection_work_over_real_tls() {
    db::testing::each(&[], |db| async move {
        let site = Site::new(db, tls::Given::default()).await;
        let cookie = site.set_up().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let door = site.tls.door(listener).unwrap();
        let service = site.router.clone().into_make_service_with_connect_info::<Peer>();
        telemetry::spawn("test.https", async move { axum::serve(door, service).await });
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(site.tls.status().authority.unwrap().der)).unwrap();
        let config = ClientConfig::builder_with_details(
            Arc::new(ring::default_provider()),
            Arc::new(At(site.world.handles.clock.now().seconds() as u64)),
        )
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
        let connector = TlsConnector::from(Arc::new(config));
        let stream = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let stream = connector.connect(name, stream).await.unwrap();
        let mut request = format!("wss://{address}/api/v1/live").into_client_request().unwrap();
        let headers = request.headers_mut();
        headers.insert("cookie", cookie.split(';').next().unwrap().parse().unwrap());
        headers.insert("origin", format!("https://{address}").parse().unwrap());
        let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();
        let wish = json!({ "subscribe": "campaigns" }).to_string();
        socket.send(Message::text(wish)).await.unwrap();
        let told = loop {
            if let Message::Text(told) = socket.next().await.unwrap().unwrap() {
                break told;
            }
        };
        assert_eq!(serde_json::from_str::<Value>(&told).unwrap()["seq"], 1, "{told}");
    })
    .await;
}

/// Certificates are dated by the clock of the world.
#[derive(Debug)]
struct At(u64);

impl rustls::time_provider::TimeProvider for At {
    fn current_time(&self) -> Option<rustls::pki_types::UnixTime> {
        Some(rustls::pki_types::UnixTime::since_unix_epoch(std::time::Duration::from_secs(self.0)))
    }
}
