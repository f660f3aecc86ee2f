//! Keys pressed by the far end (RFC 4733, 2.3 and 2.5).

use std::time::Duration;

use crate::header::be16;

/// After this long without a packet of the event it is over, though no end was heard.
const SILENT_END: Duration = Duration::from_millis(100);
/// The keys of a telephone: 0 to 9, `*`, `#`, A to D.
const KEYS: u8 = 16;

/// One key press is many packets with one time stamp, of which the last three say that it is over.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Digits {
    press: Option<Press>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Press {
    timestamp: u32,
    event: u8,
    heard: Duration,
    reported: bool,
}

impl Digits {
    /// One packet of an event. Up to two keys: an older one whose end was lost, and this one.
    pub(crate) fn packet(
        &mut self,
        now: Duration,
        timestamp: u32,
        payload: &[u8],
    ) -> [Option<u8>; 2] {
        let Some((&[event, flags, long, short], _)) = payload.split_first_chunk() else {
            return [None; 2];
        };
        if event >= KEYS || be16(&[long, short]) == 0 {
            return [None; 2];
        }
        let mut older = None;
        match &mut self.press {
            Some(press) if press.timestamp == timestamp => press.heard = now,
            Some(press) if (timestamp.wrapping_sub(press.timestamp) as i32) < 0 => {
                return [None; 2]; // Reordered, of a key that is told already.
            }
            _ => {
                older = self.unreported();
                self.press = Some(Press { timestamp, event, heard: now, reported: false });
            }
        }
        [older, if flags & 0x80 == 0 { None } else { self.unreported() }]
    }

    /// Sound came at `now`: a key whose three ends were lost is over.
    pub(crate) fn sound(&mut self, now: Duration) -> Option<u8> {
        let press = self.press?;
        if now.saturating_sub(press.heard) < SILENT_END { None } else { self.unreported() }
    }

    /// Another source speaks: its time stamps have nothing to do with the old ones.
    pub(crate) fn restart(&mut self) -> Option<u8> {
        let key = self.unreported();
        self.press = None;
        key
    }

    fn unreported(&mut self) -> Option<u8> {
        let press = self.press.as_mut().filter(|press| !press.reported)?;
        press.reported = true;
        Some(press.event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const END: u8 = 0x80;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn keys(digits: &mut Digits, packets: &[(u64, u32, u8, u8)]) -> Vec<u8> {
        let mut keys = Vec::new();
        for &(at, timestamp, event, flags) in packets {
            let found = digits.packet(ms(at), timestamp, &[event, flags, 1, 64]);
            keys.extend(found.into_iter().flatten());
        }
        keys
    }

    #[test]
    fn three_end_packets_are_one_key() {
        let packets = [(0, 800, 5, 0), (20, 800, 5, END), (20, 800, 5, END), (20, 800, 5, END)];
        assert_eq!(keys(&mut Digits::default(), &packets), [5]);
    }

    #[test]
    fn the_same_key_twice_is_two_keys() {
        assert_eq!(keys(&mut Digits::default(), &[(0, 800, 5, END), (99, 1_600, 5, END)]), [5, 5]);
    }

    #[test]
    fn a_key_whose_ends_were_lost_is_told_by_the_next_key_or_by_sound() {
        let mut digits = Digits::default();
        assert_eq!(keys(&mut digits, &[(0, 800, 1, 0), (200, 2_400, 2, 0)]), [1]);
        assert_eq!(digits.sound(ms(220)), None);
        assert_eq!(digits.sound(ms(320)), Some(2));
        assert_eq!(digits.sound(ms(340)), None);
    }

    #[test]
    fn a_late_packet_of_an_older_key_says_nothing() {
        let packets =
            [(0, 800, 1, END), (99, 1_600, 2, END), (99, 800, 1, END), (99, 1_600, 2, END)];
        assert_eq!(keys(&mut Digits::default(), &packets), [1, 2]);
    }

    #[test]
    fn what_is_no_key_is_passed_over() {
        let mut digits = Digits::default();
        assert_eq!(keys(&mut digits, &[(0, 800, 16, END), (0, 900, 200, END)]), [0_u8; 0]);
        assert_eq!(digits.packet(ms(0), 1, &[1, END]), [None; 2]);
    }
}
