//! Registration and health of lines, in virtual time.

mod world;

use std::time::Duration;

use sip::{Check, Event, HealthState, LineConfig, LineFact};
use world::{LINE, Sent, World, carrier, line_config};

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn registering() -> LineConfig {
    LineConfig { register: Some(seconds(300)), ..line_config() }
}

/// The REGISTERs that were sent since the last look.
fn registers(world: &mut World) -> Vec<Sent> {
    world.taken().into_iter().filter(|sent| sent.is("REGISTER")).collect()
}

fn states(world: &mut World) -> Vec<HealthState> {
    world
        .lines
        .drain(..)
        .filter_map(|fact| match fact {
            LineFact::Health(health) => Some(health.state),
            LineFact::Checked(_) | LineFact::SeenAs(_) => None,
        })
        .collect()
}

const CHALLENGE: &str = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n";

fn granted(expires: u32) -> String {
    format!(
        "Contact: <sip:other@198.51.100.1>;expires=9999\r\nContact: <sip:alice@192.0.2.1:5060>;expires={expires}\r\n"
    )
}

#[test]
fn a_line_registers_with_credentials_and_again_before_it_expires() {
    let mut world = World::with(registering());
    let first = registers(&mut world).remove(0);
    assert_eq!(first.start(), "REGISTER sip:203.0.113.9 SIP/2.0");
    assert_eq!(first.one("Contact"), "<sip:alice@192.0.2.1:5060>");
    assert_eq!(first.one("Expires"), "300");
    assert_eq!(states(&mut world), [HealthState::Registering]);
    world.respond(&first, "401 Unauthorized", CHALLENGE, "");
    let second = registers(&mut world).remove(0);
    assert!(second.one("Authorization").contains("uri=\"sip:203.0.113.9\""));
    assert_eq!((second.one("CSeq"), second.one("Call-ID")), ("2 REGISTER", first.one("Call-ID")));
    world.respond(&second, "200 OK", &granted(100), "");
    assert_eq!(states(&mut world), [HealthState::Ok]);
    world.after(seconds(79));
    assert_eq!(registers(&mut world), []);
    world.after(seconds(1));
    let third = registers(&mut world).remove(0);
    let again = third.one("Authorization");
    assert!(again.contains("nonce=\"n\"") && !again.contains("nc=00000001"), "{again}");
}

#[test]
fn a_duration_that_is_too_short_is_mended() {
    let mut world = World::with(registering());
    let first = registers(&mut world).remove(0);
    world.respond(&first, "423 Interval Too Brief", "Min-Expires: 1800\r\n", "");
    let second = registers(&mut world).remove(0);
    assert_eq!(second.one("Expires"), "1800");
    world.respond(&second, "423 Interval Too Brief", "", "");
    assert_eq!(states(&mut world).last(), Some(&HealthState::Down));
}

#[test]
fn a_refused_registration_is_tried_again_slower_and_slower() {
    let mut world = World::with(registering());
    let mut waits = Vec::new();
    for _ in 0..6 {
        let sent = registers(&mut world).remove(0);
        world.respond(&sent, "403 Forbidden", "", "");
        let before = world.now;
        while !world.sent.iter().any(|sent| sent.is("REGISTER")) {
            world.after(seconds(1));
        }
        waits.push(world.now.since(before).as_secs());
    }
    assert!(waits.windows(2).all(|pair| pair[0] < pair[1] || pair[1] > 500), "{waits:?}");
    assert!((27..=33).contains(&waits[0]) && waits[5] <= 660, "{waits:?}");
    let health = world.lines.iter().rev().find_map(|fact| match fact {
        LineFact::Health(health) => Some(health.clone()),
        LineFact::Checked(_) | LineFact::SeenAs(_) => None,
    });
    let health = health.unwrap();
    assert_eq!((health.state, health.code), (HealthState::Down, Some(403)));
    assert_eq!(health.reason.as_deref(), Some("Forbidden"));
}

#[test]
fn retry_after_is_obeyed() {
    let mut world = World::with(registering());
    let sent = registers(&mut world).remove(0);
    world.respond(&sent, "503 Service Unavailable", "Retry-After: 90\r\n", "");
    world.after(seconds(89));
    assert_eq!(registers(&mut world), []);
    world.after(seconds(1));
    assert_eq!(registers(&mut world).len(), 1);
}

#[test]
fn a_line_that_is_taken_out_takes_its_registration_back() {
    let mut world = World::with(registering());
    let first = registers(&mut world).remove(0);
    world.respond(&first, "200 OK", &granted(100), "");
    world.tell(Event::LineGone(LINE));
    let last = registers(&mut world).remove(0);
    assert_eq!(last.one("Expires"), "0");
    world.respond(&last, "200 OK", "", "");
    world.after(seconds(60));
    assert!(!world.agent.hears(carrier().ip()));
    assert_eq!(world.agent.open(), (0, 0));
}

#[test]
fn a_change_of_user_registers_anew_and_takes_the_old_one_back() {
    let mut world = World::with(registering());
    let first = registers(&mut world).remove(0);
    world.respond(&first, "200 OK", &granted(100), "");
    let mut changed = registering();
    changed.user = Some("bob".into());
    world.tell(Event::Line(LINE, Box::new(changed)));
    let sent = registers(&mut world);
    assert_eq!(sent[0].one("Expires"), "0");
    assert!(sent[0].one("To").contains("alice") && sent[1].one("To").contains("bob"), "{sent:#?}");
}

#[test]
fn a_line_that_misses_answers_is_failing_then_down_and_up_again() {
    let mut world = World::bare();
    world.tell(Event::Line(LINE, Box::new(line_config())));
    world.tell(Event::Targets(LINE, vec![carrier()]));
    let probe = world.only("OPTIONS");
    // A refusal is an answer, too.
    world.respond(&probe, "404 Not Found", "", "");
    assert_eq!(states(&mut world), [HealthState::Ok]);
    world.after(seconds(30 + 8));
    assert_eq!(states(&mut world), [HealthState::Failing]);
    world.after(seconds(5 + 8));
    assert_eq!(states(&mut world), [HealthState::Down]);
    world.sent.clear();
    world.after(seconds(31));
    let probe = world.sent.iter().rfind(|sent| sent.is("OPTIONS")).cloned().unwrap();
    world.respond(&probe, "200 OK", "", "");
    assert_eq!(states(&mut world), [HealthState::Ok]);
}

#[test]
fn a_registrar_that_ignores_options_is_not_dead() {
    let mut world = World::with(registering());
    let first = registers(&mut world).remove(0);
    world.respond(&first, "200 OK", &granted(3_600), "");
    states(&mut world);
    world.after(seconds(300));
    assert_eq!(states(&mut world), []);
}

#[test]
fn a_name_without_an_address_is_down_and_a_working_address_stays() {
    let mut world = World::bare();
    world.tell(Event::Line(LINE, Box::new(line_config())));
    world.tell(Event::Targets(LINE, Vec::new()));
    assert_eq!(states(&mut world), [HealthState::Down]);
    world.tell(Event::Targets(LINE, vec![carrier()]));
    let probe = world.only("OPTIONS");
    world.respond(&probe, "200 OK", "", "");
    world.tell(Event::Targets(LINE, Vec::new()));
    assert!(world.agent.hears(carrier().ip()));
}

#[test]
fn a_check_tells_what_was_heard_and_how_long_it_took() {
    let mut world = World::new();
    world.tell(Event::Check(LINE));
    let probe = world.only("OPTIONS");
    world.after(Duration::from_millis(40));
    world.respond(&probe, "200 Fine", "", "");
    let told = Check {
        ok: true,
        code: Some(200),
        reason: "Fine".into(),
        round_trip: Duration::from_millis(40),
    };
    assert!(world.lines.contains(&LineFact::Checked(told)), "{:?}", world.lines);

    let mut world = World::with(registering());
    let first = registers(&mut world).remove(0);
    world.respond(&first, "200 OK", &granted(3_600), "");
    world.tell(Event::Check(LINE));
    let again = registers(&mut world).remove(0);
    world.respond(&again, "403 Forbidden", "", "");
    let told = world.lines.iter().find_map(|fact| match fact {
        LineFact::Checked(check) => Some((check.ok, check.code)),
        LineFact::Health(_) | LineFact::SeenAs(_) => None,
    });
    assert_eq!(told, Some((false, Some(403))));
}

#[test]
fn the_far_end_tells_where_it_sees_us() {
    let mut world = World::with(registering());
    let first = registers(&mut world).remove(0);
    let response = world::response(&first, "200 OK", "t", &granted(100), "")
        .replace(";rport", ";received=198.51.100.77;rport=1024");
    world.receive(&response);
    let seen = LineFact::SeenAs("198.51.100.77:1024".parse().unwrap());
    assert!(world.lines.contains(&seen), "{:?}", world.lines);
}

#[test]
fn a_line_turns_to_its_next_address_when_one_is_silent() {
    let other = "203.0.113.10:5060".parse().unwrap();
    let mut world = World::bare();
    world.tell(Event::Line(LINE, Box::new(line_config())));
    world.tell(Event::Targets(LINE, vec![carrier(), other]));
    world.sent.clear();
    world.after(seconds(8 + 5));
    assert_eq!(world.sent.last().unwrap().to, other);
}
