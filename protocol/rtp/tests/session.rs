//! Stories of a leg. Time is an argument, so nothing here waits.

use std::{sync::Arc, time::Duration};

use rtp::{Codec, Header, MediaSession, NtpTime, Out, Seed, Side, Terms};

const TERMS: Terms = Terms { codec: Codec::Pcmu, digits: Some(101), send: true, mux: true };

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn leg(ssrc: u32) -> MediaSession {
    let wall = NtpTime::from_unix(Duration::from_hours(500_000));
    MediaSession::new(Seed { ssrc, sequence: 65_534, timestamp: u32::MAX - 100 }, wall)
}

fn packet(payload_type: u8, sequence: u16, timestamp: u32, ssrc: u32, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0; 12];
    Header { marker: false, payload_type, sequence, timestamp, ssrc }.write(&mut packet);
    packet.extend_from_slice(payload);
    packet
}

/// What came out, with packets copied.
#[derive(Debug, Clone, PartialEq)]
enum Seen {
    Sent(Header, Vec<u8>),
    Report(Vec<u8>),
    Record(Side, u64, Vec<u8>),
    Forward(Vec<u8>),
    Digit(u8),
    Played,
}

fn note(seen: &mut Vec<Seen>) -> impl FnMut(Out<'_>) {
    |out| {
        seen.push(match out {
            Out::Send(packet) => {
                let (header, payload) = Header::parse(packet).unwrap();
                Seen::Sent(header, packet[payload].to_vec())
            }
            Out::Report(packet) => Seen::Report(packet.to_vec()),
            Out::Record { side, at, payload, .. } => Seen::Record(side, at, payload.to_vec()),
            Out::Forward(packet) => Seen::Forward(packet.to_vec()),
            Out::Digit(key) => Seen::Digit(key),
            Out::Played => Seen::Played,
        });
    }
}

fn sent(seen: &[Seen]) -> Vec<Header> {
    seen.iter()
        .filter_map(|s| if let Seen::Sent(header, _) = s { Some(*header) } else { None })
        .collect()
}

#[test]
fn the_first_packet_leaves_at_once_and_is_silence() {
    let (mut leg, mut seen) = (leg(1), Vec::new());
    leg.agree(ms(0), TERMS, &mut note(&mut seen));
    leg.agree(ms(9), Terms { codec: Codec::Pcma, ..TERMS }, &mut note(&mut seen));
    let [Seen::Sent(header, payload)] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!((header.payload_type, header.marker, payload), (0, true, &vec![0xFF; 160]));
}

#[test]
fn a_prompt_is_sent_whole_over_both_wraps_and_its_time_stamp_counts_the_silence_before_it() {
    let (mut leg, mut seen) = (leg(1), Vec::new());
    leg.agree(ms(0), TERMS, &mut note(&mut seen));
    seen.clear();
    leg.play(ms(1_000), (0..=255).collect::<Arc<[u8]>>());
    assert_eq!(leg.tick(ms(1_000), &mut note(&mut seen)), Some(ms(1_020)));
    assert_eq!(leg.tick(ms(1_021), &mut note(&mut seen)), Some(ms(1_040)));
    assert_eq!(leg.tick(ms(1_040), &mut note(&mut seen)), None);
    let headers = sent(&seen);
    let start = (u32::MAX - 100).wrapping_add(8_000);
    assert_eq!(
        (headers[0].sequence, headers[0].timestamp, headers[0].marker),
        (65_535, start, true)
    );
    assert_eq!(
        (headers[1].sequence, headers[1].timestamp, headers[1].marker),
        (0, start.wrapping_add(160), false)
    );
    let Seen::Sent(_, last) = &seen[1] else { panic!("{seen:?}") };
    assert_eq!((last[95], last[96]), (255, 0xFF), "the last frame is filled up with silence");
    assert_eq!(seen.last(), Some(&Seen::Played));
    assert!(!leg.is_playing());
}

#[test]
fn a_late_tick_skips_and_never_bursts() {
    let (mut leg, mut seen) = (leg(1), Vec::new());
    leg.agree(ms(0), TERMS, &mut note(&mut seen));
    leg.record(ms(0));
    leg.play(ms(0), vec![7; 16_000].into());
    seen.clear();
    leg.tick(ms(0), &mut note(&mut seen));
    leg.tick(ms(100), &mut note(&mut seen));
    let headers = sent(&seen);
    assert_eq!(headers.len(), 2);
    assert_eq!(headers[1].sequence, headers[0].sequence.wrapping_add(1));
    assert_eq!(headers[1].timestamp, headers[0].timestamp.wrapping_add(800));
    assert_eq!(leg.counts().skipped, 4);
    assert!(seen.contains(&Seen::Record(Side::Ours, 800, vec![7; 160])));
    // 40 ms late: made good, nothing is lost.
    seen.clear();
    leg.tick(ms(160), &mut note(&mut seen));
    assert_eq!((sent(&seen).len(), leg.counts().skipped), (3, 4));
}

#[test]
fn while_the_far_end_holds_us_nothing_is_sent_and_the_prompt_goes_on() {
    let (mut leg, mut seen) = (leg(1), Vec::new());
    leg.agree(ms(0), Terms { send: false, ..TERMS }, &mut note(&mut seen));
    leg.play(ms(0), vec![7; 480].into());
    assert_eq!(leg.tick(ms(20), &mut note(&mut seen)), Some(ms(40)));
    assert_eq!(seen, []);
    leg.agree(ms(30), TERMS, &mut |_| {});
    leg.tick(ms(40), &mut note(&mut seen));
    leg.tick(ms(60), &mut note(&mut seen));
    assert_eq!((sent(&seen).len(), seen.last()), (1, Some(&Seen::Played)));
}

#[test]
fn received_sound_is_placed_by_its_time_stamp() {
    let (mut leg, mut seen) = (leg(1), Vec::new());
    leg.agree(ms(0), TERMS, &mut |_| {});
    leg.record(ms(500));
    // Lost, reordered, late; another source; digits leave a gap.
    let arrivals = [
        (700, packet(0, 10, 0, 9, &[1; 160])),
        (735, packet(0, 12, 320, 9, &[3; 160])),
        (736, packet(0, 11, 160, 9, &[2; 160])),
        (790, packet(8, 14, 640, 9, &[5; 160])),
        (900, packet(0, 1, 99, 10, &[6; 160])),
    ];
    for (at, mut packet) in arrivals {
        leg.handle(ms(at), &mut packet, &mut note(&mut seen));
    }
    let places: Vec<_> =
        seen.iter()
            .map(|s| {
                if let Seen::Record(Side::Theirs, at, p) = s {
                    (*at, p[0])
                } else {
                    panic!("{s:?}")
                }
            })
            .collect();
    assert_eq!(places, [(1_600, 1), (1_920, 3), (1_760, 2), (2_240, 5), (3_200, 6)]);
    let counts = leg.counts();
    assert_eq!((counts.received, counts.lost, counts.unknown), (5, 1, 0));
    assert_eq!(leg.recorded(ms(1_500)), 8_000);
}

#[test]
fn three_end_packets_are_one_digit_and_no_sound() {
    let (mut leg, mut seen) = (leg(1), Vec::new());
    leg.agree(ms(0), TERMS, &mut |_| {});
    leg.record(ms(0));
    for sequence in 0..5 {
        let flags = if sequence < 2 { 10 } else { 0x8A };
        leg.handle(
            ms(100),
            &mut packet(101, sequence, 800, 9, &[11, flags, 3, 32]),
            &mut note(&mut seen),
        );
    }
    assert_eq!(seen, [Seen::Digit(11)]);
    assert_eq!(leg.counts().unknown, 0);
}

#[test]
fn what_was_not_agreed_is_counted_and_nothing_else() {
    let (mut leg, mut seen) = (leg(1), Vec::new());
    leg.agree(ms(0), TERMS, &mut |_| {});
    leg.record(ms(0));
    leg.join(true);
    for mut bad in
        [packet(18, 1, 0, 9, &[0; 20]), packet(100, 2, 0, 9, &[0; 4]), vec![0x80, 0], vec![]]
    {
        leg.handle(ms(20), &mut bad, &mut note(&mut seen));
    }
    assert_eq!((seen.len(), leg.counts().unknown), (0, 4));
}

#[test]
fn two_joined_legs_keep_one_numbering_across_a_prompt() {
    let (mut a, mut b) = (leg(1), leg(2));
    a.agree(ms(0), TERMS, &mut |_| {});
    b.agree(ms(0), TERMS, &mut |_| {});
    a.join(true);
    let mut seen = Vec::new();
    let mut pass = |b: &mut MediaSession, at, mut packet: Vec<u8>| {
        let mut forwarded = Vec::new();
        a.handle(ms(at), &mut packet, &mut |out| {
            if let Out::Forward(packet) = out {
                forwarded.push(packet.to_vec());
            }
        });
        for mut packet in forwarded {
            b.relay(ms(at), &mut packet, &mut note(&mut seen));
        }
    };
    pass(&mut b, 20, packet(0, 500, 9_000, 7, &[1; 160]));
    pass(&mut b, 40, packet(0, 502, 9_320, 7, &[1; 160])); // A gap stays visible.
    pass(&mut b, 41, packet(0, 501, 9_160, 7, &[1; 160]));
    b.play(ms(60), vec![7; 160].into());
    pass(&mut b, 60, packet(0, 503, 9_480, 7, &[1; 160])); // Not heard while the prompt plays.
    b.tick(ms(60), &mut note(&mut seen));
    b.tick(ms(80), &mut note(&mut seen));
    let mut last = packet(0, 505, 9_800, 7, &[1; 160]);
    b.relay(ms(100), &mut last, &mut note(&mut seen));
    let headers = sent(&seen);
    let sequence: Vec<_> =
        headers.iter().map(|h| h.sequence.wrapping_sub(headers[0].sequence)).collect();
    let time: Vec<_> =
        headers.iter().map(|h| h.timestamp.wrapping_sub(headers[0].timestamp)).collect();
    assert_eq!(sequence, [0, 2, 1, 3, 4]);
    // The prompt goes on where the relayed time stamps ended, then 20 ms passed after its frame.
    assert_eq!(time, [0, 320, 160, 480, 800]);
    assert!(headers.iter().all(|h| h.ssrc == 2));
}

#[test]
fn reports_ride_on_traffic_and_a_silent_leg_has_none() {
    let (mut leg, mut seen) = (leg(1), Vec::new());
    leg.agree(ms(0), Terms { send: false, ..TERMS }, &mut note(&mut seen));
    leg.leave(ms(60_000), &mut note(&mut seen));
    assert_eq!(seen, [], "nothing was heard and nothing said");
    for n in 0..3_000_u32 {
        let mut packet = packet(0, n as u16, n * 160, 9, &[1; 160]);
        leg.handle(ms(20 * u64::from(n)), &mut packet, &mut note(&mut seen));
    }
    // A minute: twelve on average, and never closer than 2.5 s.
    assert!((8..=24).contains(&seen.len()), "{}", seen.len());
    assert!(seen.iter().all(|s| matches!(s, Seen::Report(p) if p[1] == 201)));
    seen.clear();
    leg.leave(ms(60_000), &mut note(&mut seen));
    assert!(matches!(&seen[..], [Seen::Report(p)] if p[p.len() - 7] == 203));
}

#[test]
fn two_legs_learn_loss_and_round_trip_from_each_other() {
    let (mut a, mut b) = (leg(1), leg(2));
    a.agree(ms(0), TERMS, &mut |_| {});
    b.agree(ms(0), TERMS, &mut |_| {});
    a.play(ms(0), vec![1; 8 * 30_000].into());
    b.play(ms(0), vec![1; 8 * 30_000].into());
    // Every packet takes 30 ms; each tenth from `a` is lost.
    let (mut wire, mut n) = (Vec::<(u64, bool, Vec<u8>)>::new(), 0);
    for at in (0..30_000).step_by(10) {
        let mut put = |to_b: bool, out: Out<'_>| match out {
            Out::Send(packet) => {
                n += u32::from(to_b);
                if !to_b || n % 10 != 0 {
                    wire.push((at + 30, to_b, packet.to_vec()));
                }
            }
            Out::Report(packet) => wire.push((at + 30, to_b, packet.to_vec())),
            Out::Record { .. } | Out::Forward(_) | Out::Digit(_) | Out::Played => {}
        };
        a.tick(ms(at), &mut |out| put(true, out));
        b.tick(ms(at), &mut |out| put(false, out));
        let due: Vec<_> = wire.extract_if(.., |(when, ..)| *when <= at).collect();
        for (_, to_b, mut packet) in due {
            let leg = if to_b { &mut b } else { &mut a };
            leg.handle(ms(at), &mut packet, &mut |_| {});
        }
    }
    let (a, b) = (a.counts(), b.counts());
    assert!(a.lost_there > 50 && a.lost_there <= b.lost, "{} of {}", a.lost_there, b.lost);
    assert_eq!((b.lost_there, a.lost), (0, 0));
    for counts in [a, b] {
        let trip = counts.round_trip.unwrap();
        assert!(trip.abs_diff(ms(60)) < ms(2), "{trip:?}");
    }
}

#[test]
fn reports_are_taken_for_reports_only_when_the_port_is_shared() {
    let (mut leg, mut seen) = (leg(1), Vec::new());
    leg.agree(ms(0), Terms { mux: false, ..TERMS }, &mut |_| {});
    let mut report = vec![0x80, 201, 0, 1, 0, 0, 0, 9];
    leg.handle(ms(0), &mut report, &mut note(&mut seen));
    assert_eq!(leg.counts().unknown, 1);
    leg.agree(ms(0), TERMS, &mut |_| {});
    leg.handle(ms(0), &mut report, &mut note(&mut seen));
    assert_eq!((leg.counts().unknown, seen.len()), (1, 0));
}
