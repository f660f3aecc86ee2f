//! Certificates from a directory: had, kept, renewed, and refused in words.

use std::time::Duration;

use clock::{Clock, ManualClock};
use tempfile::TempDir;
use tls::{Acme, Config, Fault, FaultCode, Mode, Status};

use crate::{
    client::{Browser, NOW, Served},
    directory::{Directory, Faults},
};

const DAY: Duration = Duration::from_hours(24);
const NAME: &str = "calls.example.com";

/// A server, and a directory for which its names lead to it.
struct Town {
    served: Served,
    directory: Directory,
    time: (Clock, ManualClock),
}

fn as_it_is(_: &mut Config) {}

impl Town {
    async fn new(change: impl FnOnce(&mut Config)) -> Self {
        let time = Clock::manual(NOW);
        let directory = Directory::new(time.0.clone()).await;
        let folder = tempfile::tempdir().unwrap();
        let served = serve(folder, &time, &directory, change).await;
        Self { served, directory, time }
    }

    /// The same server, started again.
    async fn again(self, change: impl FnOnce(&mut Config)) -> Self {
        let Self { served, directory, time } = self;
        let served = serve(served.end(), &time, &directory, change).await;
        Self { served, directory, time }
    }

    async fn look(&self) -> Status {
        self.served.tls.look().await;
        self.served.tls.status()
    }

    /// The fault after the next look.
    async fn fault(&self) -> Fault {
        self.look().await.fault.unwrap()
    }

    /// Who trusts the directory is served under the name.
    async fn is_trusted(&self) {
        let browser = Browser::new(&self.directory.root, self.time.0.now());
        let mut open = browser.open(self.served.address, NAME).await.unwrap();
        assert_eq!(open.get("/").await, "secure");
    }

    fn advance(&self, span: Duration) {
        self.time.1.advance(span);
    }
}

async fn serve(
    folder: TempDir,
    time: &(Clock, ManualClock),
    directory: &Directory,
    change: impl FnOnce(&mut Config),
) -> Served {
    let acme = Acme { directory: directory.url(), contact: None, root: None };
    let served = Served::at(folder, time.clone(), Mode::Acme(acme), |config| {
        config.names = vec![NAME.to_owned(), "pbx.example.com".to_owned()];
        change(config);
    })
    .await;
    directory.lead_to(served.address);
    served
}

#[tokio::test]
async fn until_the_first_certificate_the_local_authority_stands_in() {
    let town = Town::new(as_it_is).await;
    let before = town.served.tls.status();
    assert!(before.stand_in && before.authority.is_none(), "nobody is told to trust it");
    let browser = Browser::new(&town.directory.root, NOW);
    browser.refusal(town.served.address, NAME).await;
    let after = town.look().await;
    assert_eq!((after.stand_in, after.fault), (false, None));
    let facts = after.facts.unwrap();
    assert_eq!(facts.names, [NAME, "pbx.example.com"]);
    assert_eq!(after.renewal, Some(NOW.plus(DAY * 60)));
    town.is_trusted().await;
    assert_eq!(town.directory.book.lock().proved, ["tls-alpn-01"; 2]);
}

#[tokio::test]
async fn names_are_proved_over_http_where_that_is_served_or_nothing_else_is_offered() {
    let second = |config: &mut Config| config.http = Some("0.0.0.0:80".parse().unwrap());
    let town = Town::new(second).await;
    assert_eq!(town.look().await.fault, None);
    assert_eq!(town.directory.book.lock().proved, ["http-01"; 2]);

    let town = Town::new(as_it_is).await;
    town.directory.set(Faults { only: Some("http-01"), ..Faults::default() });
    assert_eq!(town.look().await.fault, None);
    assert_eq!(town.directory.book.lock().proved, ["http-01"; 2]);

    let town = Town::new(as_it_is).await;
    town.directory.set(Faults { only: Some("dns-01"), ..Faults::default() });
    let fault = town.fault().await;
    assert_eq!((fault.code, fault.name.as_deref()), (FaultCode::Refused, Some(NAME)));
}

#[tokio::test]
async fn proofs_are_gone_once_they_were_looked_for() {
    let town = Town::new(as_it_is).await;
    town.directory.set(Faults { only: Some("http-01"), ..Faults::default() });
    town.look().await;
    assert_eq!(town.served.tls.proof("token_0_0_aaaaaaaaaaaaaaaaaaaaaaaaa"), None);
}

#[tokio::test]
async fn a_restart_asks_nothing_and_a_renewal_uses_the_same_account() {
    let contact = |config: &mut Config| {
        if let Mode::Acme(acme) = &mut config.mode {
            acme.contact = Some("owner@example.com".to_owned());
        }
    };
    let town = Town::new(contact).await;
    let first = town.look().await.facts.unwrap();
    let town = town.again(contact).await;
    let status = town.look().await;
    assert_eq!((status.stand_in, status.facts.as_ref()), (false, Some(&first)));
    assert_eq!(
        (town.directory.count("POST /order"), town.directory.count("POST /account")),
        (3, 1)
    );
    town.is_trusted().await;
    town.advance(DAY * 59);
    assert_eq!(town.look().await.facts.unwrap(), first);
    town.advance(DAY);
    let second = town.look().await.facts.unwrap();
    assert_eq!(second.not_before, NOW.plus(DAY * 60));
    town.is_trusted().await;
    let book = town.directory.book.lock();
    assert_eq!(book.accounts.len(), 1);
    assert_eq!(book.accounts[0].1, serde_json::json!(["mailto:owner@example.com"]));
}

#[tokio::test]
async fn other_names_or_another_directory_need_another_certificate() {
    let town = Town::new(as_it_is).await;
    town.look().await;
    let more = |config: &mut Config| config.names.push("third.example.com".to_owned());
    let town = town.again(more).await;
    assert!(town.served.tls.status().stand_in);
    assert_eq!(town.look().await.facts.unwrap().names.len(), 3);
    // Fewer names are covered by what is there.
    let town = town.again(as_it_is).await;
    assert!(!town.served.tls.status().stand_in);
    let other = Directory::new(town.time.0.clone()).await;
    let Town { served, time, .. } = town;
    let served = serve(served.end(), &time, &other, as_it_is).await;
    assert!(served.tls.status().stand_in);
    served.tls.look().await;
    assert_eq!(other.count("POST /account"), 1);
    Browser::new(&other.root, NOW).open(served.address, NAME).await.unwrap();
}

#[tokio::test]
async fn a_nonce_that_has_gone_bad_is_no_failure() {
    let town = Town::new(as_it_is).await;
    town.directory.set(Faults { bad_nonces: 2, ..Faults::default() });
    assert_eq!(town.look().await.fault, None);
    town.is_trusted().await;
    town.directory.set(Faults { bad_nonces: 1_000, ..Faults::default() });
    town.advance(DAY * 61);
    assert_eq!(town.fault().await.code, FaultCode::Directory);
}

#[tokio::test]
async fn a_directory_that_has_had_enough_is_left_alone_for_as_long_as_it_says() {
    let town = Town::new(as_it_is).await;
    town.directory.set(Faults { rate_limited: Some(7 * 3_600), ..Faults::default() });
    let fault = town.fault().await;
    assert_eq!(fault.code, FaultCode::RateLimited);
    assert_eq!(fault.detail, "too many certificates already issued");
    assert_eq!(fault.next_try, Some(NOW.plus(Duration::from_hours(7))));
    town.directory.set(Faults::default());
    town.advance(Duration::from_hours(7) - Duration::from_secs(1));
    town.look().await;
    assert_eq!(town.directory.count("POST /order"), 1);
    town.advance(Duration::from_secs(1));
    assert_eq!(town.look().await.fault, None);
}

#[tokio::test]
async fn without_a_span_of_its_own_the_pauses_grow_and_have_chance_in_them() {
    let town = Town::new(as_it_is).await;
    town.directory.set(Faults { proof: Some("connection"), ..Faults::default() });
    let mut minutes = 5.0;
    for _ in 0..10 {
        let fault = town.fault().await;
        let pause = fault.next_try.unwrap().since(fault.at);
        let share = pause.as_secs_f64() / (minutes * 60.0);
        assert!((0.9..=1.1).contains(&share), "{pause:?} of {minutes}");
        minutes = f64::min(minutes * 2.0, 720.0);
        town.advance(pause);
    }
    // Success begins anew.
    town.directory.set(Faults::default());
    assert_eq!(town.look().await.fault, None);
    town.directory.set(Faults { proof: Some("connection"), ..Faults::default() });
    town.advance(DAY * 61);
    let fault = town.fault().await;
    assert!(fault.next_try.unwrap().since(fault.at) < Duration::from_mins(6));
    town.is_trusted().await;
}

#[tokio::test]
async fn what_was_found_instead_of_a_proof_is_told_by_name() {
    for (kind, code) in [
        ("dns", FaultCode::Dns),
        ("connection", FaultCode::Connection),
        ("tls", FaultCode::Connection),
        ("unauthorized", FaultCode::Proof),
        ("caa", FaultCode::Caa),
        ("malformed", FaultCode::Other),
    ] {
        let town = Town::new(as_it_is).await;
        town.directory.set(Faults { proof: Some(kind), ..Faults::default() });
        let fault = town.fault().await;
        assert_eq!((fault.code, fault.name.as_deref()), (code, Some(NAME)), "{kind}");
        assert_eq!(fault.detail, format!("{kind} trouble with {NAME}"));
        assert!(town.served.tls.status().stand_in);
    }
    // Nothing is planted here: the names lead to somebody else.
    let (town, other) = (Town::new(as_it_is).await, Town::new(as_it_is).await);
    town.directory.lead_to(other.served.address);
    assert_eq!(town.fault().await.code, FaultCode::Proof);
}

#[tokio::test]
async fn a_person_may_ask_again_without_waiting_but_not_all_the_time() {
    let town = Town::new(as_it_is).await;
    town.directory.set(Faults { proof: Some("dns"), ..Faults::default() });
    town.fault().await;
    let soon = town.served.tls.try_now().unwrap_err();
    assert_eq!(soon.wait, Duration::from_mins(1));
    town.advance(Duration::from_mins(1));
    town.directory.set(Faults::default());
    town.served.tls.try_now().unwrap();
    assert_eq!(town.look().await.fault, None);
    assert!(town.served.tls.try_now().is_err());
}

#[tokio::test]
async fn a_directory_that_forgot_the_account_gets_another_one() {
    let town = Town::new(as_it_is).await;
    town.look().await;
    town.directory.set(Faults { forget_accounts: true, ..Faults::default() });
    town.advance(DAY * 61);
    assert_eq!(town.look().await.fault, None);
    assert_eq!(town.directory.count("POST /account"), 2);
    town.advance(DAY * 61);
    assert_eq!(town.look().await.fault, None);
    assert_eq!(town.directory.count("POST /account"), 2, "the new one is kept");
}

#[tokio::test]
async fn a_directory_that_is_not_there_is_told() {
    let away = |config: &mut Config| {
        if let Mode::Acme(acme) = &mut config.mode {
            // Nobody listens on the port of discarded words.
            acme.directory = "http://127.0.0.1:9/directory".to_owned();
        }
    };
    let town = Town::new(away).await;
    let fault = town.fault().await;
    assert_eq!(fault.code, FaultCode::Directory);
    assert!(fault.detail.to_lowercase().contains("refused"), "{}", fault.detail);
}

#[tokio::test]
async fn keys_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let town = Town::new(as_it_is).await;
    town.look().await;
    let folder = town.served.folder.path().join("tls");
    let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(Result::unwrap).collect();
    let mut names: Vec<_> = files.iter().map(std::fs::DirEntry::file_name).collect();
    names.sort();
    assert_eq!(names, ["account.json", "acme.pem", "ca.key", "ca.pem", "local.pem"]);
    for file in files {
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", file.file_name());
    }
}
