//! Calls that we make, in virtual time, against a far end in hand.

mod world;

use std::time::Duration;

use sip::{CallFact, CallKey, EndedBy, Event, Lack, sdp::Rtcp};
use world::{CALL, CONTACT, SDP, T1, World, carrier, invite, recovery, response};

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[test]
fn a_call_is_made_answered_and_ended_and_nothing_is_left_of_it() {
    let mut world = World::new();
    let invite = world.invite();
    assert_eq!(invite.start(), "INVITE sip:+380931234567@203.0.113.9 SIP/2.0");
    assert_eq!(invite.one("From"), "<sip:alice@203.0.113.9>;tag=ourtag");
    assert_eq!(invite.one("Call-ID"), "call-id-of-the-test");
    assert_eq!(invite.one("Via"), "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKbranch1;rport");
    assert!(!invite.text.contains("100rel"));
    world.respond(&invite, "100 Trying", "", "");
    world.respond(&invite, "180 Ringing", CONTACT, "");
    world.respond(&invite, "200 OK", CONTACT, SDP);
    let ack = world.only("ACK");
    assert_eq!(ack.start(), "ACK sip:gw@203.0.113.9:5060 SIP/2.0");
    assert_eq!(ack.one("CSeq"), "1 ACK");
    assert_ne!(ack.one("Via"), invite.one("Via"), "a 2xx is acknowledged under another branch");
    let CallFact::Answered { dialog, remote } = world.facts.pop().unwrap().1 else { panic!() };
    assert_eq!(remote.address, "203.0.113.20:4000".parse().unwrap());
    assert_eq!((remote.rtcp, remote.digits), (Rtcp::NextPort, Some(101)));
    assert_eq!(dialog.remote, "<sip:+380931234567@203.0.113.9>;tag=theirtag");
    assert_eq!(world.facts.pop().unwrap().1, CallFact::Ringing(180));
    world.tell(Event::HangUp(CALL));
    let bye = world.only("BYE");
    assert_eq!((bye.one("CSeq"), bye.to), ("2 BYE", carrier()));
    assert_eq!(world.end().by, EndedBy::Us);
    world.respond(&bye, "200 OK", "", "");
    world.after(seconds(31));
    let probe = world.sent.pop().unwrap();
    world.respond(&probe, "200 OK", "", "");
    world.after(seconds(11));
    assert_eq!(world.agent.calls(), 0);
    assert_eq!(world.agent.open().0, 0, "no transaction is left");
}

#[test]
fn timer_b_ends_a_call_that_nobody_answers_after_64_t1() {
    let mut world = World::new();
    world.invite();
    world.after(Duration::from_millis(31_999));
    let repeats = world.taken();
    let at: Vec<_> = repeats.iter().map(|sent| sent.at.since(world::START).as_millis()).collect();
    assert_eq!(at, [500, 1_500, 3_500, 7_500, 15_500, 31_500]);
    assert!(world.facts.is_empty());
    world.after(Duration::from_millis(1));
    let end = world.end();
    assert_eq!((end.lack, end.by), (Some(Lack::TimedOut), EndedBy::Nobody));
}

#[test]
fn a_socket_that_refuses_ends_the_call_at_once() {
    let mut world = World::bare();
    world.tell(Event::Invite(CALL, Box::new(invite())));
    assert_eq!(world.end().lack, Some(Lack::Transport), "a line that nobody knows");
}

#[test]
fn cancel_waits_for_the_first_provisional_response() {
    let mut world = World::new();
    let invite = world.invite();
    world.tell(Event::HangUp(CALL));
    assert_eq!(world.taken(), []);
    world.respond(&invite, "100 Trying", "", "");
    let cancel = world.only("CANCEL");
    assert_eq!(cancel.one("Via"), invite.one("Via"));
    assert_eq!(cancel.one("CSeq"), "1 CANCEL");
    assert_eq!(cancel.one("To"), invite.one("To"));
    world.respond(&cancel, "200 OK", "", "");
    world.respond(&invite, "487 Request Terminated", "", "");
    assert!(world.only("ACK").one("Via").contains("branch1"), "a 487 is acknowledged in place");
    assert_eq!(world.end().status, Some(487));
}

#[test]
fn a_cancel_that_nobody_answers_is_over_after_64_t1() {
    let mut world = World::new();
    let invite = world.invite();
    world.respond(&invite, "180 Ringing", "", "");
    world.tell(Event::HangUp(CALL));
    world.after(T1 * 64);
    assert_eq!(world.end().by, EndedBy::Us);
    world.after(seconds(40));
    assert_eq!(world.agent.calls(), 0);
}

#[test]
fn a_200_that_crosses_the_cancel_gets_ack_and_bye() {
    for heard in [true, false] {
        let mut world = World::new();
        let invite = world.invite();
        if heard {
            world.respond(&invite, "180 Ringing", "", "");
        }
        world.tell(Event::HangUp(CALL));
        world.taken();
        world.respond(&invite, "200 OK", CONTACT, SDP);
        let sent = world.taken();
        assert!(sent[0].is("ACK") && sent[1].is("BYE") && sent.len() == 2, "{sent:#?}");
        assert_eq!(world.end().by, EndedBy::Us);
    }
}

#[test]
fn every_further_200_of_a_fork_is_acknowledged_and_ended() {
    let mut world = World::new();
    let invite = world.up();
    world.respond_tagged(&invite, "200 OK", "othertag", CONTACT, SDP);
    let sent = world.taken();
    assert!(sent[0].is("ACK") && sent[0].one("To").ends_with(";tag=othertag"), "{sent:#?}");
    assert!(sent[1].is("BYE") && sent[1].one("To").ends_with(";tag=othertag"));
    assert!(world.facts.is_empty(), "the call itself goes on");
}

#[test]
fn a_repeated_200_gets_the_same_ack_byte_for_byte() {
    let mut world = World::new();
    let invite = world.invite();
    world.respond(&invite, "200 OK", CONTACT, SDP);
    let first = world.only("ACK");
    for _ in 0..3 {
        world.respond(&invite, "200 OK", CONTACT, SDP);
        assert_eq!(world.only("ACK").text, first.text);
    }
}

#[test]
fn a_200_within_64_t1_after_the_end_is_put_right_and_none_after() {
    let mut world = World::new();
    let invite = world.invite();
    world.respond(&invite, "486 Busy Here", "", "");
    assert_eq!(world.end().status, Some(486));
    world.taken();
    // By then the transaction would swallow it; another branch answers under a fork's tag.
    let late = response(&invite, "200 OK", "forktag", CONTACT, SDP).replace("branch1", "branchX");
    world.receive(&late);
    let sent = world.taken();
    assert!(sent[0].is("ACK") && sent[1].is("BYE"), "{sent:#?}");
    world.after(seconds(33));
    world.taken();
    world.receive(&late);
    assert_eq!(world.taken(), []);
}

#[test]
fn an_answer_without_common_sound_is_ended_and_has_failed() {
    let mut world = World::new();
    let invite = world.invite();
    world.respond(&invite, "200 OK", CONTACT, &SDP.replace("RTP/AVP 8 101", "RTP/AVP 18"));
    let sent = world.taken();
    assert!(sent[0].is("ACK") && sent[1].is("BYE"));
    assert!(matches!(world.end().lack, Some(Lack::Media(_))));
}

#[test]
fn a_200_without_a_description_takes_that_of_the_183() {
    let mut world = World::new();
    let invite = world.invite();
    world.respond(&invite, "183 Session Progress", CONTACT, SDP);
    world.respond(&invite, "200 OK", CONTACT, "");
    assert!(matches!(world.facts.last(), Some((CALL, CallFact::Answered { .. }))));
}

#[test]
fn reason_and_retry_after_are_read() {
    let mut world = World::new();
    let invite = world.invite();
    let extra = "Reason: SIP;cause=503, Q.850;cause=34;text=\"No circuit\"\r\n\
         Retry-After: 120 (maintenance);duration=60\r\n";
    world.respond(&invite, "503 Service Unavailable", extra, "");
    let end = world.end();
    assert_eq!((end.status, end.q850, end.retry_after), (Some(503), Some(34), Some(seconds(120))));
    assert_eq!(end.phrase.as_deref(), Some("Service Unavailable"));
}

// The traps of UDP that other stacks fell into.

#[test]
fn trap_a_200_without_contact_is_acknowledged_and_can_be_ended() {
    let mut world = World::new();
    let invite = world.invite();
    world.respond(&invite, "200 OK", "", SDP);
    assert_eq!(world.only("ACK").start(), "ACK sip:+380931234567@203.0.113.9 SIP/2.0");
    world.tell(Event::HangUp(CALL));
    assert_eq!(world.only("BYE").to, carrier());
}

#[test]
fn trap_an_ack_does_not_go_to_a_private_contact() {
    let mut world = World::new();
    let invite = world.invite();
    world.respond(&invite, "200 OK", "Contact: <sip:gw@10.0.0.5:5062>\r\n", SDP);
    let ack = world.only("ACK");
    assert_eq!((ack.start(), ack.to), ("ACK sip:gw@10.0.0.5:5062 SIP/2.0", carrier()));
}

#[test]
fn trap_the_route_set_is_reversed_for_the_caller() {
    let mut world = World::new();
    let invite = world.invite();
    let extra = "Record-Route: <sip:198.51.100.2;lr>, <sip:198.51.100.1;lr>;x=\"y\"\r\n\
         Record-Route: <sip:203.0.113.9;lr>\r\nContact: <sip:gw@10.9.9.9>\r\n";
    world.respond(&invite, "200 OK", extra, SDP);
    let ack = world.only("ACK");
    assert_eq!(
        ack.all("Route"),
        ["<sip:203.0.113.9;lr>", "<sip:198.51.100.1;lr>;x=y", "<sip:198.51.100.2;lr>"]
    );
    assert_eq!((ack.start(), ack.to), ("ACK sip:gw@10.9.9.9 SIP/2.0", carrier()));
    world.tell(Event::HangUp(CALL));
    assert_eq!(world.only("BYE").all("Route").len(), 3);
}

#[test]
fn trap_users_stay_byte_exact() {
    let mut world = World::new();
    let mut asked = invite();
    asked.to = "user%40x+1".into();
    world.tell(Event::Invite(CALL, Box::new(asked)));
    let sent = world.only("INVITE");
    assert_eq!(sent.start(), "INVITE sip:user%40x+1@203.0.113.9 SIP/2.0");
    world.respond(&sent, "200 OK", "Contact: <sip:a%40b+2;x=%41@203.0.113.9>\r\n", SDP);
    assert_eq!(world.only("ACK").start(), "ACK sip:a%40b+2;x=%41@203.0.113.9 SIP/2.0");
}

#[test]
fn trap_a_latin_1_byte_cuts_nothing_off() {
    let mut world = World::new();
    let sent = world.invite();
    let mut bytes = response(&sent, "200 OK", "t", "Subject: caf?\r\n", SDP).into_bytes();
    let at = bytes.windows(4).position(|window| window == b"caf?").unwrap();
    bytes[at + 3] = 0xE9;
    let contact = CONTACT.as_bytes();
    let head = bytes.windows(2).position(|window| window == b"\r\n").unwrap() + 2;
    bytes.splice(head..head, contact.iter().copied());
    world.receive_from(carrier(), &bytes);
    assert!(matches!(world.facts.last(), Some((CALL, CallFact::Answered { .. }))));
}

#[test]
fn trap_lying_lengths_do_not_stop_the_next_message() {
    let mut world = World::new();
    let sent = world.invite();
    let good = response(&sent, "180 Ringing", "t", "", "");
    for lie in ["18446744073709551615", "99999999999999999999999", "-1", "70000", "x"] {
        world.receive(&good.replace("Content-Length: 0", &format!("Content-Length: {lie}")));
    }
    assert!(world.facts.is_empty());
    assert!(world.dropped.len() >= 4, "{:?}", world.dropped);
    world.receive(&good.replace("Content-Length: 0", "Content-Length : 0"));
    assert_eq!(world.facts, [(CALL, CallFact::Ringing(180))]);
}

#[test]
fn trap_only_the_lines_own_addresses_are_heard() {
    let mut world = World::new();
    let sent = world.invite();
    let ringing = response(&sent, "180 Ringing", "t", "", "");
    world.receive_from("198.51.100.66:5060".parse().unwrap(), ringing.as_bytes());
    assert!(world.facts.is_empty());
    assert_eq!(world.dropped, [sip::Dropped::UnknownSource]);
    // Another port of the same machine may answer.
    world.receive_from("203.0.113.9:6000".parse().unwrap(), ringing.as_bytes());
    assert_eq!(world.facts.len(), 1);
}

// Credentials.

const MD5: &str = "Digest realm=\"a\", nonce=\"n1\", algorithm=MD5, qop=\"auth,auth-int\"";
const SHA: &str = "Digest realm=\"a\", nonce=\"n2\", algorithm=SHA-256, qop=\"auth\"";

#[test]
fn trap_the_strongest_of_several_challenges_is_answered_whatever_comes_first() {
    let mut world = World::new();
    let sent = world.invite();
    let extra = format!(
        "WWW-Authenticate: Bearer realm=\"a\"\r\nWWW-Authenticate: {MD5}\r\nWWW-Authenticate: {SHA}\r\n"
    );
    world.respond(&sent, "401 Unauthorized", &extra, "");
    let both = world.taken();
    assert!(both[0].is("ACK") && both[1].is("INVITE"), "{both:#?}");
    let again = &both[1];
    assert!(again.one("Authorization").contains("algorithm=SHA-256"), "{}", again.text);
    assert_eq!(again.one("CSeq"), "2 INVITE");
    assert!(again.one("Via").contains("branch2"));
    assert_eq!(again.one("To"), sent.one("To"), "no tag of the 401");
    assert_eq!(again.body(), sent.body());
}

#[test]
fn trap_a_proxy_and_the_far_end_may_both_ask() {
    let mut world = World::new();
    let sent = world.invite();
    world.respond(
        &sent,
        "407 Proxy Authentication Required",
        &format!("Proxy-Authenticate: {MD5}\r\n"),
        "",
    );
    let second = world.taken().remove(1);
    assert_eq!(second.all("Proxy-Authorization").len(), 1);
    world.respond(&second, "401 Unauthorized", &format!("WWW-Authenticate: {SHA}\r\n"), "");
    let third = world.taken().remove(1);
    assert_eq!(third.all("Proxy-Authorization").len(), 1);
    assert_eq!(third.all("Authorization").len(), 1);
    world.respond(&third, "200 OK", CONTACT, SDP);
    assert!(matches!(world.facts.last(), Some((CALL, CallFact::Answered { .. }))));
    let ack = world.only("ACK");
    assert_eq!(ack.one("CSeq"), "3 ACK");
    assert_eq!(ack.all("Authorization").len(), 1, "an ACK carries the INVITE's credentials");
}

#[test]
fn a_wrong_password_is_tried_once_and_a_stale_nonce_once_more() {
    let mut world = World::new();
    let sent = world.invite();
    let challenge = format!("WWW-Authenticate: {MD5}\r\n");
    world.respond(&sent, "401 Unauthorized", &challenge, "");
    let second = world.taken().remove(1);
    let stale = challenge.replace("n1", "n3").replace("qop", "stale=true, qop");
    world.respond(&second, "401 Unauthorized", &stale, "");
    let third = world.taken().remove(1);
    assert!(third.one("Authorization").contains("nonce=\"n3\""));
    world.respond(&third, "401 Unauthorized", &challenge.replace("n1", "n4"), "");
    world.only("ACK");
    assert_eq!(world.end().status, Some(401));
}

#[test]
fn the_next_call_brings_its_credentials_along_with_a_higher_count() {
    let mut world = World::new();
    let sent = world.invite();
    world.respond(&sent, "401 Unauthorized", &format!("WWW-Authenticate: {MD5}\r\n"), "");
    let second = world.taken().remove(1);
    assert!(second.one("Authorization").contains("nc=00000001"));
    world.respond(&second, "486 Busy Here", "", "");
    world.taken();
    let mut next = invite();
    next.call_id = "another".into();
    next.branches = sip::Branches::new(|n| format!("z9hG4bKnext{n}"));
    world.tell(Event::Invite(CallKey(8), Box::new(next)));
    let sent = world.only("INVITE");
    assert!(sent.one("Authorization").contains("nc=00000002"), "{}", sent.text);
}

#[test]
fn without_credentials_a_401_is_the_end() {
    let mut config = world::line_config();
    config.credentials = None;
    let mut world = World::with(config);
    let sent = world.invite();
    world.respond(&sent, "401 Unauthorized", &format!("WWW-Authenticate: {MD5}\r\n"), "");
    world.only("ACK");
    assert_eq!(world.end().status, Some(401));
}

#[test]
fn only_the_lines_own_realm_is_answered_when_it_has_one() {
    let mut config = world::line_config();
    config.realm = Some("b".into());
    let mut world = World::with(config);
    let sent = world.invite();
    world.respond(&sent, "401 Unauthorized", &format!("WWW-Authenticate: {MD5}\r\n"), "");
    assert_eq!(world.end().status, Some(401));
}

#[test]
fn a_call_that_nobody_wants_any_more_is_not_sent_again_with_credentials() {
    let mut world = World::new();
    let sent = world.invite();
    world.tell(Event::HangUp(CALL));
    world.respond(&sent, "401 Unauthorized", &format!("WWW-Authenticate: {MD5}\r\n"), "");
    world.only("ACK");
    assert_eq!(world.end().status, None);
}

#[test]
fn a_challenged_bye_goes_again_with_credentials() {
    let mut world = World::new();
    world.up();
    world.tell(Event::HangUp(CALL));
    let bye = world.only("BYE");
    world.respond(&bye, "401 Unauthorized", &format!("WWW-Authenticate: {MD5}\r\n"), "");
    let again = world.only("BYE");
    assert_eq!(again.one("CSeq"), "3 BYE");
    assert_eq!(again.all("Authorization").len(), 1);
}

// After a restart.

#[test]
fn a_restarted_process_ends_an_answered_call_with_bye() {
    let mut before = World::new();
    let sent = before.invite();
    let routes = "Record-Route: <sip:203.0.113.9;lr>\r\n";
    before.respond(&sent, "200 OK", &format!("{CONTACT}{routes}"), SDP);
    let CallFact::Answered { dialog, .. } = before.facts.pop().unwrap().1 else { panic!() };

    let mut after = World::new();
    after.tell(Event::Recover(CALL, Box::new(recovery(Some(dialog)))));
    let bye = after.only("BYE");
    assert_eq!(bye.start(), "BYE sip:gw@203.0.113.9:5060 SIP/2.0");
    assert_eq!(bye.one("To"), "<sip:+380931234567@203.0.113.9>;tag=theirtag");
    assert_eq!(bye.one("From"), "<sip:alice@203.0.113.9>;tag=ourtag");
    assert_eq!((bye.one("CSeq"), bye.one("Route")), ("2 BYE", "<sip:203.0.113.9;lr>"));
    assert!(after.facts.is_empty(), "nobody asked to be told");
}

#[test]
fn a_restarted_process_cancels_what_may_ring_and_puts_a_late_200_right() {
    let mut before = World::new();
    let sent = before.invite();
    let mut config = world::line_config();
    config.credentials = None;
    let mut after = World::with(config);
    after.tell(Event::Recover(CALL, Box::new(recovery(None))));
    let cancel = after.only("CANCEL");
    assert_eq!(cancel.one("Via"), sent.one("Via"), "the branch of the INVITE that went out");
    assert_eq!(cancel.start(), sent.start().replace("INVITE", "CANCEL"));
    after.respond(&sent, "200 OK", CONTACT, SDP);
    let both = after.taken();
    assert!(both[0].is("ACK") && both[0].one("CSeq") == "1 ACK", "{both:#?}");
    assert!(both[1].is("BYE"));
    after.after(seconds(70));
    assert_eq!(after.agent.calls(), 0);
}

#[test]
fn with_credentials_a_second_invite_may_have_gone_out_and_is_cancelled_too() {
    let mut world = World::new();
    world.tell(Event::Recover(CALL, Box::new(recovery(None))));
    let cancels = world.taken();
    let seen: Vec<_> = cancels.iter().map(|sent| sent.one("CSeq").to_owned()).collect();
    assert_eq!(seen, ["1 CANCEL", "2 CANCEL", "3 CANCEL"]);
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let run = || {
        let mut world = World::new();
        let sent = world.invite();
        world.respond(&sent, "401 Unauthorized", &format!("WWW-Authenticate: {SHA}\r\n"), "");
        world.after(seconds(40));
        world.sent
    };
    assert_eq!(run(), run());
}
