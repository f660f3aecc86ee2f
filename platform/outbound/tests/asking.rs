//! What the guarded client asks, against a server of our own on the loopback.

use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use clock::Clock;
use futures::future::BoxFuture;
use outbound::{Ask, Fault, Lookup, Network, Outbound};
use parking_lot::Mutex;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

const LIMIT: Duration = Duration::from_secs(5);
const MOST: u64 = 1_000_000;

/// A server that answers each request with what `answer` makes of it.
struct Peer {
    at: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
}

impl Peer {
    async fn new(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let at = listener.local_addr().unwrap();
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let connections: Arc<AtomicUsize> = Arc::default();
        let (heard_here, count) = (Arc::clone(&heard), Arc::clone(&connections));
        telemetry::spawn("test.peer", async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let mut request = Vec::new();
                let mut piece = [0; 4096];
                while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                    match stream.read(&mut piece).await {
                        Ok(n) if n > 0 => request.extend_from_slice(&piece[..n]),
                        _ => break,
                    }
                }
                let request = String::from_utf8_lossy(&request).into_owned();
                let bytes = answer(&request);
                heard_here.lock().push(request);
                // The client may have gone.
                let _ = stream.write_all(&bytes).await;
            }
        });
        Self { at, heard, connections }
    }

    fn url(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{path}", self.at.port())
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn page(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
        .into_bytes()
}

fn sent_to(location: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )
    .into_bytes()
}

/// Tells the addresses of names from a list, one answer after the other.
struct Names(Mutex<VecDeque<Vec<IpAddr>>>);

impl Lookup for Names {
    fn lookup<'a>(&'a self, _: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        let mut answers = self.0.lock();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        Box::pin(async move { answer.ok_or_else(|| io::Error::other("no such name")) })
    }
}

fn client(allowed: &str) -> Outbound {
    Outbound::new(allowed.parse().unwrap(), Clock::system())
}

fn naming(allowed: &str, answers: &[&[&str]]) -> Outbound {
    let answers =
        answers.iter().map(|list| list.iter().map(|ip| ip.parse().unwrap()).collect()).collect();
    let names = Arc::new(Names(Mutex::new(answers)));
    Outbound::with_lookup(allowed.parse().unwrap(), Clock::system(), names)
}

async fn text(client: &Outbound, url: &str) -> Result<String, Fault> {
    let bytes = client.ask(Ask::get(url, LIMIT, MOST)).await?.all().await?;
    Ok(String::from_utf8(bytes).unwrap())
}

#[tokio::test]
async fn this_computer_is_refused_in_every_notation_and_never_touched() {
    let peer = Peer::new(|_| page("reached")).await;
    let port = peer.at.port();
    for (host, network) in [
        ("127.0.0.1", Network::Loopback),
        ("2130706433", Network::Loopback),
        ("0x7f000001", Network::Loopback),
        ("0x7f.1", Network::Loopback),
        ("0177.0.0.1", Network::Loopback),
        ("017700000001", Network::Loopback),
        ("127.1", Network::Loopback),
        ("127.0.0.1.", Network::Loopback),
        ("%31%32%37.0.0.1", Network::Loopback),
        ("①②⑦.⓪.⓪.①", Network::Loopback),
        ("localhost", Network::Loopback),
        ("LOCALHOST", Network::Loopback),
        ("0", Network::Unspecified),
        ("0.0.0.0", Network::Unspecified),
        ("[::1]", Network::Loopback),
        ("[0:0:0:0:0:0:0:1]", Network::Loopback),
        ("[::]", Network::Unspecified),
        ("[::ffff:127.0.0.1]", Network::Translated),
        ("[::ffff:7f00:1]", Network::Translated),
        ("[::127.0.0.1]", Network::Translated),
        ("[64:ff9b::7f00:1]", Network::Translated),
        ("[2002:7f00:1::]", Network::Translated),
        ("169.254.169.254", Network::LinkLocal),
        ("10.0.0.1", Network::Private),
        ("100.64.0.1", Network::CarrierNat),
        ("[fd00::1]", Network::Private),
    ] {
        let url = format!("http://{host}:{port}/");
        match text(&client(""), &url).await {
            Err(Fault::Address { network: told, .. }) => assert_eq!(told, network, "{url}"),
            other => panic!("{url}: {other:?}"),
        }
    }
    assert_eq!(peer.connections(), 0);
}

#[tokio::test]
async fn tricks_with_the_url_are_refused_by_name() {
    for (url, code) in [
        ("ftp://1.1.1.1/", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("gopher://1.1.1.1/", "scheme"),
        ("http://example.com@127.0.0.1/", "user_info"),
        ("http://user:secret@1.1.1.1/", "user_info"),
        ("http://", "not_a_url"),
        ("1.1.1.1", "not_a_url"),
        ("", "not_a_url"),
    ] {
        let told = text(&client(""), url).await.unwrap_err();
        assert_eq!(told.code(), code, "{url}: {told:?}");
    }
}

#[tokio::test]
async fn an_allowed_host_is_served_and_only_it() {
    let peer = Peer::new(|_| page("hello")).await;
    let allowed = client("127.0.0.1");
    assert_eq!(text(&allowed, &peer.url("127.0.0.1", "/")).await.unwrap(), "hello");
    assert_eq!(text(&allowed, &peer.url("0x7f.1", "/")).await.unwrap(), "hello");
    let by_name = naming("crm.lan", &[&["127.0.0.1"]]);
    assert_eq!(text(&by_name, &peer.url("crm.lan", "/")).await.unwrap(), "hello");
    let told = text(&by_name, &peer.url("other.lan", "/")).await.unwrap_err();
    assert_eq!(told.code(), "address");
}

#[tokio::test]
async fn a_name_is_judged_by_every_address_it_has_now() {
    let peer = Peer::new(|_| page("reached")).await;
    // Judged good once, bad the next time: the connection is never made to the second answer of a
    // name whose first one was judged, nor to a bad address beside a good one.
    let rebinding = naming("", &[&["192.0.2.1"], &["127.0.0.1"]]);
    for network in [Network::Documentation, Network::Loopback] {
        match text(&rebinding, &peer.url("evil.example", "/")).await {
            Err(Fault::Address { network: told, .. }) => assert_eq!(told, network),
            other => panic!("{other:?}"),
        }
    }
    let mapped = naming("", &[&["::ffff:127.0.0.1", "::1", "10.0.0.1"]]);
    let told = text(&mapped, &peer.url("evil.example", "/")).await.unwrap_err();
    assert_eq!(told.code(), "address");
    assert_eq!(peer.connections(), 0);
    let none = naming("", &[&[]]);
    assert_eq!(text(&none, "http://empty.example/").await.unwrap_err().code(), "name");
}

#[tokio::test]
async fn the_connection_goes_to_the_address_that_was_judged() {
    let peer = Peer::new(|_| page("judged")).await;
    // What the name says from the second answer on is nobody: it is asked once for one connection.
    let client = naming("crm.lan", &[&["127.0.0.1"], &["192.0.2.1"]]);
    assert_eq!(text(&client, &peer.url("crm.lan", "/")).await.unwrap(), "judged");
}

#[tokio::test]
async fn redirects_are_judged_like_the_first_address() {
    let trap = Peer::new(|_| page("reached")).await;
    for target in [
        trap.url("[::ffff:127.0.0.1]", "/"),
        trap.url("localhost", "/"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "http://a:b@127.0.0.1/".to_owned(),
    ] {
        let to = target.clone();
        let peer = Peer::new(move |_| sent_to(&to)).await;
        let told = text(
            &naming("front.lan", &[&["127.0.0.1"], &["127.0.0.1"]]),
            &peer.url("front.lan", "/"),
        )
        .await
        .unwrap_err();
        assert!(matches!(told, Fault::Redirected { .. }), "{target}: {told:?}");
        assert!(["address", "scheme", "user_info"].contains(&told.code()), "{target}: {told:?}");
    }
    assert_eq!(trap.connections(), 0);
}

#[tokio::test]
async fn redirects_are_followed_five_times_and_lose_the_secret_elsewhere() {
    let peer = Peer::new(|_| page("there")).await;
    let to = peer.url("127.0.0.1", "/there");
    let front =
        Peer::new(
            move |request| {
                if request.starts_with("GET /loop") { sent_to("/loop") } else { sent_to(&to) }
            },
        )
        .await;
    let client = client("127.0.0.1");
    let told = text(&client, &front.url("127.0.0.1", "/loop")).await.unwrap_err();
    assert_eq!(told, Fault::Redirects { most: 5 });
    assert_eq!(front.connections(), 6);
    let mut ask = Ask::get(front.url("127.0.0.1", "/"), LIMIT, MOST);
    ask.headers.push(("Authorization".to_owned(), "Bearer tell-nobody".to_owned()));
    assert_eq!(client.ask(ask).await.unwrap().all().await.unwrap(), b"there");
    assert!(front.heard.lock().last().unwrap().contains("tell-nobody"));
    assert!(!peer.heard.lock()[0].contains("tell-nobody"));
}

#[tokio::test]
async fn size_and_time_are_capped() {
    let long = Peer::new(|_| page(&"x".repeat(10_000))).await;
    let client = client("127.0.0.1");
    let ask = Ask::get(long.url("127.0.0.1", "/"), LIMIT, 9_999);
    let told = client.ask(ask).await.unwrap().all().await.unwrap_err();
    assert_eq!(told, Fault::TooLarge { most: 9_999 });
    let ask = Ask::get(long.url("127.0.0.1", "/"), LIMIT, 10_000);
    assert_eq!(client.ask(ask).await.unwrap().all().await.unwrap().len(), 10_000);
    // Promises more than it sends, and keeps the connection.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let held = telemetry::spawn("test.slow", async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        assert!(stream.read(&mut request).await.unwrap() > 0);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome").await.unwrap();
        std::future::pending::<()>().await;
    });
    let ask = Ask::get(url, Duration::from_millis(300), MOST);
    let told = client.ask(ask).await.unwrap().all().await.unwrap_err();
    assert_eq!(told, Fault::TooSlow { limit_s: 0 });
    held.abort();
}

#[tokio::test]
async fn a_bomb_is_counted_unpacked() {
    // 10,000 zeros, packed by gzip.
    let packed: Vec<u8> =
        [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3][..], &deflated_zeros(), &[0; 8]].concat();
    let peer = Peer::new(move |_| {
        let mut answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            packed.len()
        )
        .into_bytes();
        answer.extend_from_slice(&packed);
        answer
    })
    .await;
    let ask = Ask::get(peer.url("127.0.0.1", "/"), LIMIT, 5_000);
    let told = client("127.0.0.1").ask(ask).await.unwrap().all().await.unwrap_err();
    assert_eq!(told, Fault::TooLarge { most: 5_000 });
}

/// A stored block of 10,000 zeros would be as long as what it holds; this is one of fixed codes:
/// a zero, then copies of 258 bytes from one byte back.
fn deflated_zeros() -> Vec<u8> {
    let mut bits: Vec<bool> = vec![true, true, false];
    let mut code = |value: u32, length: u32| {
        for at in (0..length).rev() {
            bits.push(value >> at & 1 == 1);
        }
    };
    code(0b0011_0000, 8);
    for _ in 0..39 {
        // Length 258 is symbol 285, and distance 1 is symbol 0.
        code(0b1100_0101, 8);
        code(0, 5);
    }
    code(0, 7);
    bits.chunks(8)
        .map(|byte| byte.iter().enumerate().map(|(at, bit)| u8::from(*bit) << at).sum())
        .collect()
}

#[tokio::test]
async fn what_cannot_be_reached_is_told_apart() {
    let client = client("127.0.0.1");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    drop(listener);
    assert_eq!(text(&client, &format!("http://{at}/")).await.unwrap_err().code(), "connect");
    let peer = Peer::new(|_| page("plain")).await;
    // Answers a greeting of TLS in plain text.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let plain = listener.local_addr().unwrap();
    telemetry::spawn("test.plain", async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut hello = [0; 4096];
        assert!(stream.read(&mut hello).await.unwrap() > 0);
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    });
    let told = text(&client, &format!("https://{plain}/")).await.unwrap_err();
    assert_eq!(told.code(), "tls", "{told:?}");
    let garbage = Peer::new(|_| b"SSH-2.0-none\r\n".to_vec()).await;
    let told = text(&client, &garbage.url("127.0.0.1", "/")).await.unwrap_err();
    assert_eq!(told.code(), "broken", "{told:?}");
    let mut ask = Ask::get(peer.url("127.0.0.1", "/"), LIMIT, MOST);
    ask.headers.push(("X-Key".to_owned(), "line\nbreak".to_owned()));
    assert_eq!(client.ask(ask).await.unwrap_err().code(), "header");
}
