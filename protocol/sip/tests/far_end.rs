//! What far ends ask within a call, and what strangers and torturers send.

mod world;

use std::time::Duration;

use proptest::prelude::*;
use sip::{CallFact, EndedBy, Event, Lack};
use world::{CALL, SDP, T1, World, carrier};

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[test]
fn a_bye_of_the_far_end_is_answered_and_ends_the_call() {
    let mut world = World::new();
    world.up();
    world.ask("BYE", 1, "Reason: Q.850;cause=16\r\n", "");
    let sent = world.taken();
    assert_eq!((sent.len(), sent[0].status()), (1, 200));
    assert!(sent[0].one("Via").contains(";received=203.0.113.9;rport=5060"), "{}", sent[0].text);
    let end = world.end();
    assert_eq!((end.by, end.q850), (EndedBy::Them, Some(16)));
    world.ask("BYE", 1, "", "");
    assert_eq!(world.taken()[0].status(), 200, "a repeat is answered by its transaction");
    world.tell(Event::HangUp(CALL));
    assert_eq!(world.taken(), []);
}

#[test]
fn a_request_outside_the_dialog_is_told_so() {
    let mut world = World::new();
    world.up();
    let mut wrong = |extra: &str, from: &str| {
        world.receive(&format!(
            "BYE sip:alice@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.9;branch=z9hG4bKx{extra}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:x@y>;tag={from}\r\nTo: <sip:alice@z>;tag=ourtag{extra}\r\n\
             Call-ID: call-id-of-the-test\r\nCSeq: 9 BYE\r\nContent-Length: 0\r\n\r\n"
        ));
        world.taken()[0].status()
    };
    assert_eq!(wrong("no", "theirtag"), 481);
    assert_eq!(wrong("", "othertag"), 481);
    assert!(world.facts.is_empty());
}

#[test]
fn questions_within_a_call_are_answered() {
    let mut world = World::new();
    world.up();
    for (cseq, method, extra, status) in [
        (1, "OPTIONS", "", 200),
        (2, "INFO", "", 200),
        (3, "UPDATE", "", 200),
        (4, "MESSAGE", "", 405),
        (5, "NOTIFY", "", 405),
        (6, "FROBNICATE", "", 501),
        (7, "UPDATE", "Require: timer, frob\r\n", 420),
    ] {
        world.ask(method, cseq, extra, "");
        let sent = world.taken();
        assert_eq!((sent.len(), sent[0].status()), (1, status), "{method}");
        if status == 405 || status == 501 {
            assert!(sent[0].one("Allow").contains("INVITE"));
        }
        if status == 420 {
            assert_eq!(sent[0].one("Unsupported"), "frob");
        }
    }
    world.ask("INFO", 3, "", "");
    assert_eq!(world.taken()[0].status(), 500, "out of order");
}

#[test]
fn a_request_without_hops_left_is_refused_but_a_bye_is_not() {
    let mut world = World::new();
    world.up();
    let spent = |method: &str, cseq: u32| {
        format!(
            "{method} sip:alice@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.9;branch=z9hG4bKs{cseq}\r\n\
             Max-Forwards: 0\r\nFrom: <sip:x@y>;tag=theirtag\r\nTo: <sip:alice@z>;tag=ourtag\r\n\
             Call-ID: call-id-of-the-test\r\nCSeq: {cseq} {method}\r\nContent-Length: 0\r\n\r\n"
        )
    };
    world.receive(&spent("OPTIONS", 1));
    assert_eq!(world.taken()[0].status(), 483);
    world.receive(&spent("BYE", 2));
    assert_eq!(world.taken()[0].status(), 200);
}

#[test]
fn questions_without_a_call_are_answered_and_calls_to_us_are_not_taken() {
    let mut world = World::new();
    let ask = |method: &str| {
        format!(
            "{method} sip:alice@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.9:5999;branch=z9hG4bKo{method}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:x@y>;tag=1\r\nTo: <sip:alice@z>\r\nCall-ID: other\r\n\
             CSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n"
        )
    };
    for (method, status) in
        [("OPTIONS", 200), ("INVITE", 480), ("BYE", 481), ("CANCEL", 481), ("REGISTER", 405)]
    {
        world.receive(&ask(method));
        let sent = std::mem::take(&mut world.sent);
        let answer = sent.iter().find(|sent| sent.start().starts_with("SIP/2.0")).unwrap();
        assert_eq!(answer.status(), status, "{method}");
        assert_eq!(answer.to.port(), 5999, "without rport the answer goes to the Via's port");
        assert!(answer.one("To").contains("tag="));
    }
    world.receive(&ask("ACK"));
    assert_eq!(world.taken(), []);
}

#[test]
fn a_reinvite_that_holds_and_moves_is_answered_and_its_200_repeated_until_the_ack() {
    let mut world = World::new();
    world.up();
    let held = SDP.replace("4000", "4002") + "a=sendonly\r\n";
    world.ask("INVITE", 1, "Contact: <sip:gw2@203.0.113.9:5070>\r\n", &held);
    let answer = world.taken();
    assert_eq!((answer.len(), answer[0].status()), (1, 200));
    assert!(answer[0].body().contains("a=recvonly"), "{}", answer[0].text);
    let Some((CALL, CallFact::Moved(remote))) = world.facts.pop() else { panic!() };
    assert_eq!((remote.address.port(), remote.listens), (4002, false));
    world.after(seconds(4));
    let repeats = world.taken();
    assert_eq!(repeats.len(), 3, "after 0.5, 1.5 and 3.5 s");
    assert!(repeats.iter().all(|sent| sent.text == answer[0].text));
    world.ask("INVITE", 2, "", SDP);
    let busy = world.taken().into_iter().find(|sent| sent.status() != 100).unwrap();
    assert_eq!(busy.status(), 500, "one at a time");
    world.ask("ACK", 1, "", "");
    world.after(seconds(20));
    assert!(world.taken().iter().all(|sent| sent.text != answer[0].text));
    world.tell(Event::HangUp(CALL));
    assert_eq!(world.only("BYE").start(), "BYE sip:gw2@203.0.113.9:5070 SIP/2.0");
}

#[test]
fn a_200_to_a_reinvite_that_is_never_acknowledged_ends_the_call() {
    let mut world = World::new();
    world.up();
    world.ask("INVITE", 1, "", SDP);
    world.after(T1 * 64 + seconds(4));
    assert!(world.taken().iter().any(|sent| sent.is("BYE")));
    assert_eq!(world.end().lack, Some(Lack::Session));
}

#[test]
fn a_reinvite_without_an_offer_gets_ours_and_its_ack_the_answer() {
    let mut world = World::new();
    world.up();
    world.ask("INVITE", 1, "", "");
    let answer = world.taken().remove(0);
    assert!(answer.body().contains("m=audio 10000 RTP/AVP 8 0 101"), "{}", answer.text);
    world.ask("ACK", 1, "", &SDP.replace("4000", "4010"));
    assert!(
        matches!(&world.facts[..], [(CALL, CallFact::Moved(remote))] if remote.address.port() == 4010)
    );
}

#[test]
fn a_reinvite_without_common_sound_is_refused_and_the_call_goes_on() {
    let mut world = World::new();
    world.up();
    world.ask("INVITE", 1, "", &SDP.replace("RTP/AVP 8 101", "RTP/AVP 18"));
    assert_eq!(world.taken()[0].status(), 488);
    assert!(world.facts.is_empty());
}

#[test]
fn a_session_that_we_refresh_is_refreshed_at_half_its_time() {
    for (allow, method) in [("Allow: INVITE, UPDATE\r\n", "UPDATE"), ("", "INVITE")] {
        let mut world = World::new();
        world.up_with(&format!("{allow}Require: timer\r\nSession-Expires: 120;refresher=uac\r\n"));
        world.after(seconds(60));
        let refresh = world.only(method);
        assert!(refresh.one("Session-Expires").starts_with("120;refresher=uac"));
        let body = if method == "INVITE" { SDP } else { "" };
        world.respond(&refresh, "200 OK", "Session-Expires: 120;refresher=uac\r\n", body);
        if method == "INVITE" {
            let ack = world.only("ACK");
            world.respond(&refresh, "200 OK", "Session-Expires: 120;refresher=uac\r\n", body);
            assert_eq!(world.only("ACK").text, ack.text);
        }
        assert!(world.facts.is_empty(), "nothing moved");
        world.after(seconds(60));
        let again = world.only(method);
        world.respond(&again, "481 Call/Transaction Does Not Exist", "", "");
        assert_eq!(world.end().lack, Some(Lack::Session));
    }
}

#[test]
fn glare_is_waited_out() {
    let mut world = World::new();
    world.up_with("Session-Expires: 120;refresher=uac\r\n");
    world.after(seconds(60));
    let refresh = world.only("INVITE");
    world.ask("INVITE", 1, "", SDP);
    assert_eq!(world.taken()[0].status(), 491);
    world.respond(&refresh, "491 Request Pending", "", "");
    world.only("ACK");
    world.after(seconds(2));
    assert!(!world.taken().iter().any(|sent| sent.is("INVITE")));
    world.after(seconds(2));
    assert!(world.taken().iter().any(|sent| sent.is("INVITE")));
}

#[test]
fn a_session_that_they_do_not_refresh_is_ended() {
    let mut world = World::new();
    world.up_with("Session-Expires: 120;refresher=uas\r\n");
    world.after(seconds(60));
    assert_eq!(world.taken(), []);
    world.ask("UPDATE", 1, "Supported: timer\r\nSession-Expires: 120;refresher=uac\r\n", "");
    let answer = world.taken().remove(0);
    assert_eq!((answer.status(), answer.one("Session-Expires")), (200, "120;refresher=uac"));
    world.after(seconds(70));
    assert!(world.facts.is_empty(), "it was refreshed");
    world.after(seconds(30));
    assert!(world.taken().iter().any(|sent| sent.is("BYE")));
    assert_eq!(world.end().lack, Some(Lack::Session));
}

#[test]
fn a_session_timer_that_is_too_short_is_refused() {
    let mut world = World::new();
    world.up();
    world.ask("UPDATE", 1, "Supported: timer\r\nSession-Expires: 30\r\n", "");
    let answer = world.taken().remove(0);
    assert_eq!((answer.status(), answer.one("Min-SE")), (422, "90"));
}

// RFC 4475.

const ALIVE: &str = "OPTIONS sip:a@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.9;branch=z9hG4bKalive\r\n\
    From: <sip:x@y>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: alive\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n\
    Content-Length: 0\r\n\r\n";

fn alive(world: &mut World) {
    world.sent.clear();
    world.receive(ALIVE);
    let sent = std::mem::take(&mut world.sent);
    assert!(sent.iter().any(|sent| sent.start().starts_with("SIP/2.0 200")), "{sent:#?}");
}

/// What we answer to a lone message; `None` for silence.
fn answer_to(message: &str) -> Option<u16> {
    let mut world = World::new();
    world.sent.clear();
    world.receive(&message.replace('\n', "\r\n"));
    let answer = world.sent.first().map(world::Sent::status);
    alive(&mut world);
    answer
}

#[test]
fn torture_3_1_1_1_a_short_tortuous_invite_is_understood() {
    let message = "INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\n\
        TO :\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\n\
        from   : \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>\n  ;\n  tag = 98asjd8\n\
        MaX-fOrWaRdS: 0068\nCall-ID: wsinv.ndaksdj@192.0.2.1\nContent-Length   : 150\n\
        cseq: 0009\n  INVITE\nVia  : SIP  /   2.0\n /UDP\n    192.0.2.2;branch=390skdjuw\ns :\n\
        NewFangledHeader:   newfangled value\n continued newfangled value\n\
        UnknownHeaderWithUnusualValue: ;;,,;;,;\nContent-Type: application/sdp\n\
        Route:\n <sip:services.example.com;lr;unknownwith=value;unknown-no-value>\n\
        v:  SIP  / 2.0  / TCP     spindle.example.com   ;\n  branch  =   z9hG4bK9ikj8  ,\n \
        SIP  /    2.0   / UDP  192.168.255.111   ; branch=\n z9hG4bK30239\n\
        m:\"Quoted string \\\"\\\"\" <sip:jdrosen@example.com> ; newparam =\n      newvalue ;\n  secondparam ; q = 0.33\n\n\
        v=0\no=mhandley 29739 7272939 IN IP4 192.0.2.3\ns=-\nc=IN IP4 192.0.2.4\nt=0 0\n\
        m=audio 49217 RTP/AVP 0 12\nm=video 3227 RTP/AVP 31\na=rtpmap:31 LPC\n";
    // It has a To tag, and no call of ours has it.
    assert_eq!(answer_to(message), Some(481));
}

#[test]
fn torture_broken_requests_are_refused_and_unreadable_ones_dropped() {
    let with = |change: &dyn Fn(&str) -> String| answer_to(&change(&ALIVE.replace("\r\n", "\n")));
    // 3.1.2.16: an unknown protocol version.
    assert_eq!(with(&|m| m.replacen("SIP/2.0\n", "SIP/7.0\n", 1)), Some(505));
    // 3.1.2.17: start line and CSeq method mismatch.
    assert_eq!(with(&|m| m.replace("1 OPTIONS", "8 INVITE")), Some(400));
    // 3.1.2.4: request scalar fields with overlarge values.
    assert_eq!(with(&|m| m.replace("CSeq: 1", "CSeq: 36893488147419103232")), Some(400));
    // 3.1.2.11: headers in the request line's URI.
    assert_eq!(with(&|m| m.replacen("192.0.2.1 ", "192.0.2.1?Route=%3Csip:x%3E ", 1)), Some(400));
    // 3.3.8: several values in single value fields.
    assert_eq!(with(&|m| m.replace("Call-ID: alive\n", "Call-ID: a\nCall-ID: b\n")), Some(400));
    // 3.1.2.3: negative Content-Length; 3.1.2.2: larger than the message.
    assert_eq!(with(&|m| m.replace("Length: 0", "Length: -999")), None);
    assert_eq!(with(&|m| m.replace("Length: 0", "Length: 9999")), None);
    // 3.1.2.8: spaces within the request line's URI.
    assert_eq!(with(&|m| m.replacen("sip:a@", "sip:a; lr@", 1)), None);
    // 3.3.1: missing required header fields cannot even be answered.
    assert_eq!(with(&|m| m.replace("Call-ID: alive\n", "")), None);
    // 3.1.1.8: another message behind this one is noise.
    assert_eq!(with(&|m| format!("{m}BYE sip:x SIP/2.0\n\n")), Some(200));
}

#[test]
fn keep_alives_are_no_messages() {
    let mut world = World::new();
    world.receive("\r\n\r\n");
    world.receive("");
    assert!(world.dropped.is_empty() && world.taken().is_empty());
}

proptest! {
    #[test]
    fn no_bytes_whatever_stop_the_agent(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let mut world = World::new();
        world.receive_from(carrier(), &bytes);
        alive(&mut world);
    }

    #[test]
    fn no_damage_to_an_answer_stops_a_call(
        at in 0_usize..400,
        with in proptest::collection::vec(any::<u8>(), 0..8),
        cut in 0_usize..40,
        status in 100_u16..800,
    ) {
        let mut world = World::new();
        let invite = world.invite();
        let line = format!("{status} Whatever");
        let mut bytes = world::response(&invite, &line, "t", world::CONTACT, SDP).into_bytes();
        let at = at.min(bytes.len());
        let end = (at + cut).min(bytes.len());
        bytes.splice(at..end, with);
        world.receive_from(carrier(), &bytes);
        world.tell(Event::HangUp(CALL));
        world.after(Duration::from_secs(150));
        let ends = world.facts.iter().filter(|(_, fact)| matches!(fact, CallFact::Ended(_))).count();
        prop_assert_eq!(ends, 1, "every call ends once");
        prop_assert_eq!(world.agent.calls(), 0);
    }
}
