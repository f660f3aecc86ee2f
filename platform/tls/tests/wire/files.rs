//! Certificates that somebody else looks after.

use std::path::Path;

use tls::{Config, FaultCode, Mode, Tls};

use crate::client::{Browser, NOW, Served};

fn as_it_is(_: &mut Config) {}

/// A self-signed certificate and its key.
fn pair(name: &str) -> (String, String) {
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

fn put(folder: &Path, pair: &(String, String)) -> Mode {
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    std::fs::write(&cert, &pair.0).unwrap();
    std::fs::write(&key, &pair.1).unwrap();
    Mode::Files { cert, key }
}

#[tokio::test]
async fn files_are_read_again_when_they_change_and_kept_when_they_break() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (pair("calls.example"), pair("calls.example"));
    let served = Served::new(put(folder.path(), &one), as_it_is).await;
    let trusts_one = Browser::new(&one.0, NOW);
    let trusts_two = Browser::new(&two.0, NOW);
    let mut open = trusts_one.open(served.address, "calls.example").await.unwrap();
    // Certificate first, its key a moment later: in between, the old pair serves.
    std::fs::write(folder.path().join("cert.pem"), &two.0).unwrap();
    served.tls.look().await;
    let fault = served.tls.status().fault.unwrap();
    assert_eq!(fault.code, FaultCode::Files);
    assert!(fault.detail.contains("does not belong"), "{}", fault.detail);
    trusts_one.open(served.address, "calls.example").await.unwrap();
    put(folder.path(), &two);
    served.tls.look().await;
    assert_eq!(served.tls.status().fault, None);
    trusts_two.open(served.address, "calls.example").await.unwrap();
    trusts_one.refusal(served.address, "calls.example").await;
    assert_eq!(open.get("/").await, "secure", "the open connection goes on");
    std::fs::remove_file(folder.path().join("key.pem")).unwrap();
    served.tls.look().await;
    assert!(served.tls.status().fault.unwrap().detail.contains("key.pem"));
    trusts_two.open(served.address, "calls.example").await.unwrap();
}

#[tokio::test]
async fn files_that_cannot_be_used_are_told_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (pair("calls.example"), pair("calls.example"));
    let refused = |mode: Mode| {
        let config = Config { mode, ..Config::off("127.0.0.1:1".parse().unwrap()) };
        let (clock, _hand) = clock::Clock::manual(NOW);
        Tls::open(config, clock).unwrap_err().to_string()
    };
    let mixed = put(folder.path(), &(one.0.clone(), two.1));
    assert!(refused(mixed).contains("the key does not belong to the certificate"));
    assert!(
        refused(put(folder.path(), &(String::new(), one.1.clone()))).contains("no certificate")
    );
    assert!(
        refused(put(folder.path(), &(one.0, "x".to_owned()))).contains("the key cannot be read")
    );
    let away = Mode::Files { cert: folder.path().join("none"), key: folder.path().join("none") };
    assert!(refused(away).contains("none"));
}
