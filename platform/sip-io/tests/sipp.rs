//! Real sockets against SIPp: what a carrier's side sees.

use std::{
    net::UdpSocket,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use clock::Clock;
use sip::{
    Branches, CallFact, CallKey, Credentials, EndedBy, HealthState, Invite, LineFact, LineKey, sdp,
};
use sip_io::{Config, Fact, LineSetup, SipIo};
use tokio::sync::mpsc;

const LINE: LineKey = LineKey(1);
const CALL: CallKey = CallKey(2);

/// SIPp with one of the scenarios beside this file; killed when dropped.
struct Sipp {
    child: Child,
    port: u16,
    file: PathBuf,
}

impl Sipp {
    fn start(scenario: &str, keys: &[(&str, &str)]) -> Self {
        let free = || UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (port, media) = (free(), free());
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/sipp");
        let text = std::fs::read_to_string(folder.join(format!("{scenario}.xml"))).unwrap();
        let text = keys.iter().fold(text, |text, (name, value)| text.replace(name, value));
        let file =
            std::env::temp_dir().join(format!("{scenario}-{}-{port}.xml", std::process::id()));
        std::fs::write(&file, text).unwrap();
        let log = file.with_extension("log");
        let mut command = Command::new("sipp");
        command.arg("-sf").arg(&file);
        command.args(["-i", "127.0.0.1", "-p", &port.to_string(), "-nostdin", "-aa"]);
        command.args(["-mp", &media.to_string(), "-trace_logs", "-log_file"]).arg(&log);
        let child = command
            .current_dir(std::env::temp_dir())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sipp is not installed: `apt-get install sip-tester`");
        let mut sipp = Self { child, port, file };
        while !is_bound(port) {
            assert!(sipp.child.try_wait().unwrap().is_none(), "SIPp ended at once");
            std::thread::yield_now();
        }
        sipp
    }

    /// Waits until SIPp has seen a call through to the end of its scenario.
    async fn sees_it_through(&self) {
        let log = self.file.with_extension("log");
        let seen = async {
            while !std::fs::read_to_string(&log).is_ok_and(|text| text.contains("done")) {
                Clock::system().sleep(Duration::from_millis(20)).await;
            }
        };
        let seen = Clock::system().timeout(Duration::from_secs(20), seen).await;
        seen.expect("SIPp does not reach the end of its scenario");
    }
}

/// Whether somebody holds the UDP port, by the kernel's own table: trying to bind it would take it
/// from SIPp.
fn is_bound(port: u16) -> bool {
    let table = std::fs::read_to_string("/proc/net/udp").unwrap();
    table.contains(&format!("0100007F:{port:04X} "))
}

impl Drop for Sipp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.file);
        let _ = std::fs::remove_file(self.file.with_extension("log"));
    }
}

struct Desk {
    io: SipIo,
    facts: mpsc::Receiver<Fact>,
}

impl Desk {
    async fn towards(sipp: &Sipp, register: Option<Duration>) -> Self {
        let (facts, heard) = mpsc::channel(1_000);
        let config = Config {
            port: 0,
            public_address: None,
            user_agent: "Test".into(),
            seed: [9; 32],
            tap: None,
        };
        let io = SipIo::start(config, Clock::system(), facts);
        let setup = LineSetup {
            host: "127.0.0.1".into(),
            port: Some(sipp.port),
            user: Some("alice".into()),
            caller_id: None,
            credentials: Some(Credentials { user: "alice".into(), password: "secret".into() }),
            realm: None,
            register,
        };
        io.line(LINE, setup).unwrap();
        let mut desk = Self { io, facts: heard };
        let Fact::Route(_, route) = desk.next().await else { panic!("no route") };
        assert_eq!(route.local, std::net::Ipv4Addr::LOCALHOST);
        desk
    }

    async fn next(&mut self) -> Fact {
        let fact = Clock::system().timeout(Duration::from_secs(40), self.facts.recv()).await;
        fact.expect("nothing happened for 40 s").unwrap()
    }

    async fn call_fact(&mut self) -> CallFact {
        loop {
            if let Fact::Call(CALL, fact) = self.next().await {
                return fact;
            }
        }
    }

    async fn line_is(&mut self, state: HealthState) {
        loop {
            if let Fact::Line(LINE, LineFact::Health(health)) = self.next().await
                && health.state == state
            {
                return;
            }
        }
    }

    fn invite(&self) {
        let invite = Invite {
            line: LINE,
            to: "+380931234567".into(),
            caller_id: None,
            call_id: "a-call-of-the-test".into(),
            from_tag: "ours".into(),
            branches: Branches::new(|n| format!("z9hG4bKtest{n}")),
            media: sdp::Local {
                address: "127.0.0.1:10000".parse().unwrap(),
                codings: vec![sdp::Coding::Pcma, sdp::Coding::Pcmu],
                session: 5,
            },
        };
        self.io.invite(CALL, invite).unwrap();
    }

    async fn end(&mut self) -> sip::End {
        loop {
            if let CallFact::Ended(end) = self.call_fact().await {
                return end;
            }
        }
    }
}

#[tokio::test]
async fn a_call_is_answered_and_ended_by_us() {
    let sipp = Sipp::start("answer", &[]);
    let mut desk = Desk::towards(&sipp, None).await;
    desk.invite();
    assert_eq!(desk.call_fact().await, CallFact::Sent);
    assert_eq!(desk.call_fact().await, CallFact::Ringing(180));
    let CallFact::Answered { remote, .. } = desk.call_fact().await else { panic!("no answer") };
    assert_eq!(remote.coding, sdp::Coding::Pcmu);
    desk.io.hang_up(CALL).unwrap();
    assert_eq!(desk.end().await.by, EndedBy::Us);
    sipp.sees_it_through().await;
}

#[tokio::test]
async fn refusals_are_told_with_their_status() {
    for (line, status) in
        [("486 Busy Here", 486), ("603 Decline", 603), ("488 Not Acceptable Here", 488)]
    {
        let sipp = Sipp::start("refuse", &[("@status@", line)]);
        let mut desk = Desk::towards(&sipp, None).await;
        desk.invite();
        let end = desk.end().await;
        assert_eq!((end.status, end.by), (Some(status), EndedBy::Them));
        sipp.sees_it_through().await;
    }
}

#[tokio::test]
async fn a_call_that_rings_out_is_cancelled() {
    let sipp = Sipp::start("ring_out", &[]);
    let mut desk = Desk::towards(&sipp, None).await;
    desk.invite();
    assert_eq!(desk.call_fact().await, CallFact::Sent);
    assert_eq!(desk.call_fact().await, CallFact::Ringing(180));
    desk.io.hang_up(CALL).unwrap();
    assert_eq!(desk.end().await.status, Some(487));
    sipp.sees_it_through().await;
}

#[tokio::test]
async fn credentials_satisfy_who_checks_them() {
    // SIPp verifies Authorization alone; of the proxy's header it can tell that it is there.
    let verified = r#"<verifyauth assign_to="right" username="alice" password="secret"/>"#;
    let present = r#"<ereg regexp="Proxy-Authorization: Digest username=.alice., realm=.switch."
        search_in="msg" assign_to="right"/>"#;
    for (status, header, check) in [
        ("401 Unauthorized", "WWW-Authenticate", verified),
        ("407 Proxy Authentication Required", "Proxy-Authenticate", present),
    ] {
        let keys = [("@status@", status), ("@challenge@", header), ("@check@", check)];
        let sipp = Sipp::start("challenge", &keys);
        let mut desk = Desk::towards(&sipp, None).await;
        desk.invite();
        assert_eq!(desk.end().await.status, Some(486), "{status}: 403 means wrong credentials");
        sipp.sees_it_through().await;
    }
}

#[tokio::test]
async fn a_line_registers_and_takes_its_registration_back() {
    let sipp = Sipp::start("register", &[]);
    let mut desk = Desk::towards(&sipp, Some(Duration::from_mins(5))).await;
    desk.line_is(HealthState::Ok).await;
    desk.io.line_gone(LINE).unwrap();
    sipp.sees_it_through().await;
}

#[tokio::test]
async fn strangers_get_no_answer() {
    let sipp = Sipp::start("answer", &[]);
    let (facts, mut heard) = mpsc::channel(1_000);
    let (taps, tapped) = std::sync::mpsc::channel();
    let config = Config {
        port: 0,
        public_address: None,
        user_agent: "Test".into(),
        seed: [9; 32],
        tap: Some(std::sync::Arc::new(move |seen: &sip_io::Tapped<'_>| {
            let _ = taps.send((seen.flow, seen.outgoing));
        })),
    };
    let io = SipIo::start(config, Clock::system(), facts);
    let setup = LineSetup {
        host: "127.0.0.1".into(),
        port: Some(sipp.port),
        user: None,
        caller_id: None,
        credentials: None,
        realm: None,
        register: None,
    };
    io.line(LINE, setup).unwrap();
    assert!(matches!(heard.recv().await, Some(Fact::Route(..))));
    let (flow, outgoing) = tapped.recv().unwrap();
    assert!(outgoing, "the probe leaves first");
    let stranger = UdpSocket::bind("127.0.0.2:0").unwrap();
    stranger.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let knock = b"OPTIONS sip:x@y SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.2;branch=z9hG4bKx;rport\r\n\
        From: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\
        Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n";
    stranger.send_to(knock, flow.local).unwrap();
    let friend = UdpSocket::bind("127.0.0.1:0").unwrap();
    friend.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    friend.send_to(knock, flow.local).unwrap();
    let mut buffer = [0; 2_000];
    let answer = tokio::task::spawn_blocking(move || {
        let (length, _) = friend.recv_from(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    });
    assert!(answer.await.unwrap().starts_with("SIP/2.0 200 OK"), "the line's own address is heard");
    // The friend came later and was answered: the stranger would have been, too.
    assert!(stranger.recv_from(&mut buffer).is_err());
}
