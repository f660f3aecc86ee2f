//! The local authority: whom it makes trusted, and for how long.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use rustls::version::{TLS12, TLS13};
use tls::{Config, Mode};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};

use crate::client::{Browser, NOW, Served, get_over};

const DAY: Duration = Duration::from_hours(24);

fn as_it_is(_: &mut Config) {}

#[tokio::test]
async fn who_trusts_the_authority_trusts_the_machine_under_all_its_names() {
    let served = Served::new(Mode::Local, as_it_is).await;
    let browser = served.browser();
    for name in ["localhost", "127.0.0.1", "::1", "pbx.lan", "10.0.0.5"] {
        let mut open = browser.open(served.address, name).await.unwrap();
        assert_eq!(open.get("/").await, "secure", "{name}");
    }
    for name in ["pbx.example", "a.pbx.lan", "10.0.0.6", "2001:db8::5"] {
        let why = browser.refusal(served.address, name).await;
        assert!(why.contains("not valid for name"), "{name}: {why}");
    }
    let other = Served::new(Mode::Local, as_it_is).await;
    let why = other.browser().refusal(served.address, "pbx.lan").await;
    assert!(why.contains("UnknownIssuer"), "{why}");
}

#[tokio::test]
async fn the_authority_cannot_vouch_for_the_rest_of_the_world() {
    let served = Served::new(Mode::Local, as_it_is).await;
    let folder = served.end();
    // The name is wished for after the authority was made.
    let served = Served::over(folder, Mode::Local, |config| {
        config.names.push("bank.example".to_owned());
    })
    .await;
    let status = served.tls.status();
    assert_eq!(status.left_out, ["bank.example"]);
    assert!(!status.facts.unwrap().names.contains(&"bank.example".to_owned()));
    // Had somebody stolen its key, browsers would see the same.
    let card = status.authority.unwrap();
    let key = std::fs::read_to_string(served.folder.path().join("tls/ca.key")).unwrap();
    let key = rcgen::KeyPair::from_pem(&key).unwrap();
    let thief = rcgen::Issuer::from_ca_cert_pem(&card.pem, key).unwrap();
    let own = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["bank.example".to_owned()]).unwrap();
    let stolen = params.signed_by(&own, &thief).unwrap();
    let (cert, key) = (served.folder.path().join("c.pem"), served.folder.path().join("k.pem"));
    std::fs::write(&cert, stolen.pem()).unwrap();
    std::fs::write(&key, own.serialize_pem()).unwrap();
    let phishing = Served::new(Mode::Files { cert, key }, as_it_is).await;
    let why = Browser::new(&card.pem, NOW).refusal(phishing.address, "bank.example").await;
    assert!(why.contains("NameConstraintViolation"), "{why}");
}

#[tokio::test]
async fn only_tls_1_2_and_1_3_are_spoken() {
    let served = Served::new(Mode::Local, as_it_is).await;
    let card = served.tls.status().authority.unwrap();
    for version in [&TLS12, &TLS13] {
        let browser = Browser::speaking(&card.pem, NOW, &[version]);
        let mut open = browser.open(served.address, "pbx.lan").await.unwrap();
        assert_eq!(open.get("/").await, "secure");
    }
    // A hello of TLS 1.1 with one cipher suite.
    let mut hello = vec![0x03, 0x02];
    hello.extend([7; 32]);
    hello.extend([0, 0, 2, 0x00, 0x2f, 1, 0]);
    // Signature algorithms, so that nothing but the version is amiss.
    hello.extend([0, 8, 0x00, 0x0d, 0, 4, 0, 2, 0x04, 0x03]);
    let length = hello.len() as u8;
    let mut record = vec![0x16, 0x03, 0x01, 0, length + 4, 0x01, 0, 0, length];
    record.extend(hello);
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream.write_all(&record).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    // A fatal alert: protocol_version (RFC 8446, 6.2).
    assert_eq!((answer[0], &answer[5..]), (0x15, &[2, 70][..]), "{answer:?}");
}

#[tokio::test]
async fn plain_http_on_the_same_port_is_known_as_such() {
    let served = Served::new(Mode::Local, as_it_is).await;
    let stream = TcpStream::connect(served.address).await.unwrap();
    assert_eq!(get_over(&mut BufReader::new(stream), "/").await, "plain");
}

#[tokio::test]
async fn a_certificate_is_renewed_in_time_and_open_connections_go_on() {
    let served = Served::new(Mode::Local, as_it_is).await;
    let mut before = served.browser().open(served.address, "pbx.lan").await.unwrap();
    assert_eq!(before.get("/").await, "secure");
    served.hand.advance(DAY * 59);
    served.tls.look().await;
    let still = served.browser().open(served.address, "pbx.lan").await.unwrap();
    assert_eq!(still.certificate(), before.certificate());
    served.hand.advance(DAY);
    served.tls.look().await;
    let mut after = served.browser().open(served.address, "pbx.lan").await.unwrap();
    assert_ne!(after.certificate(), before.certificate());
    assert_eq!(before.get("/").await, "secure");
    assert_eq!(after.get("/").await, "secure");
    // Who trusted the authority once need not do it again.
    let card = served.tls.status().authority.unwrap();
    let years = served.clock.now().plus(DAY * 20);
    Browser::new(&card.pem, years).open(served.address, "pbx.lan").await.unwrap();
}

#[tokio::test]
async fn the_same_certificate_is_served_after_a_restart() {
    let served = Served::new(Mode::Local, as_it_is).await;
    let first = served.browser().open(served.address, "pbx.lan").await.unwrap().certificate();
    let port = served.address.port();
    let folder = served.end();
    let served = Served::over(folder, Mode::Local, as_it_is).await;
    assert_ne!(served.address.port(), port);
    let second = served.browser().open(served.address, "pbx.lan").await.unwrap().certificate();
    assert_eq!(first, second);
}

#[tokio::test]
async fn another_address_of_the_machine_is_covered_as_soon_as_it_is_seen() {
    static MOVED: AtomicBool = AtomicBool::new(false);
    let served = Served::new(Mode::Local, |config| {
        config.addresses = || {
            let last = if MOVED.load(Ordering::SeqCst) { "192.168.7.7" } else { "192.168.1.1" };
            vec![last.parse().unwrap()]
        };
    })
    .await;
    let browser = served.browser();
    browser.open(served.address, "192.168.1.1").await.unwrap();
    browser.refusal(served.address, "192.168.7.7").await;
    MOVED.store(true, Ordering::SeqCst);
    served.tls.look().await;
    browser.open(served.address, "192.168.7.7").await.unwrap();
    browser.refusal(served.address, "192.168.1.1").await;
}

#[tokio::test]
async fn the_keeper_looks_by_itself() {
    let served = Served::new(Mode::Local, as_it_is).await;
    let before = served.tls.status().facts.unwrap();
    let tls = served.tls.clone();
    let _keeper = telemetry::spawn_held("test.keeper", async move { tls.keep().await });
    served.hand.until_asleep(1).await;
    served.hand.advance(DAY * 61);
    // It sleeps again only when it has looked.
    while served.hand.next_sleeper().is_none_or(|next| next <= served.clock.now()) {
        tokio::task::yield_now().await;
    }
    assert!(served.tls.status().facts.unwrap().not_after > before.not_after);
}
