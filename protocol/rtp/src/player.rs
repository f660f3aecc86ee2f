//! A prompt on its way out, a frame every 20 ms.

use std::{sync::Arc, time::Duration};

use crate::codec::FRAME_SAMPLES;

/// Sound in one packet.
pub const FRAME: Duration = Duration::from_millis(20);
/// A player that is this many frames late skips them: a burst would only be thrown away, or heard
/// late for the rest of the call.
const LATE_FRAMES: u32 = 3;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Player {
    data: Arc<[u8]>,
    start: Duration,
    next: u32,
}

/// What a player wants done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step<'a> {
    /// These frames were missed.
    Skip(u32),
    /// Send this, up to a frame of G.711; it belongs to that moment.
    Frame(&'a [u8], Duration),
    /// Nothing before this moment.
    Wait(Duration),
    /// The last frame has had its 20 ms.
    Over,
}

impl Player {
    pub(crate) fn new(data: Arc<[u8]>, now: Duration) -> Self {
        Self { data, start: now, next: 0 }
    }

    /// The next thing to do at `now`; to be asked until it waits or is over.
    pub(crate) fn step(&mut self, now: Duration) -> Step<'_> {
        let due = (now.saturating_sub(self.start).as_nanos() / FRAME.as_nanos()) as u32;
        let frames = self.data.len().div_ceil(FRAME_SAMPLES) as u32;
        if self.next < frames && due >= self.next + LATE_FRAMES {
            let skipped = due.min(frames) - self.next;
            self.next += skipped;
            return Step::Skip(skipped);
        }
        let at = self.start + FRAME * self.next;
        if self.next > due {
            return Step::Wait(at);
        }
        if self.next >= frames {
            return Step::Over;
        }
        let begin = self.next as usize * FRAME_SAMPLES;
        self.next += 1;
        Step::Frame(&self.data[begin..self.data.len().min(begin + FRAME_SAMPLES)], at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_frame_every_20_ms_and_the_last_one_is_heard_out() {
        let mut player = Player::new(vec![1; 200].into(), ms(100));
        assert_eq!(player.step(ms(100)), Step::Frame(&[1; 160], ms(100)));
        assert_eq!(player.step(ms(100)), Step::Wait(ms(120)));
        assert_eq!(player.step(ms(121)), Step::Frame(&[1; 40], ms(120)));
        assert_eq!(player.step(ms(121)), Step::Wait(ms(140)));
        assert_eq!(player.step(ms(140)), Step::Over);
    }

    #[test]
    fn up_to_40_ms_late_is_made_good_and_60_ms_is_skipped() {
        let mut player = Player::new(vec![1; 1_600].into(), ms(0));
        assert!(matches!(player.step(ms(40)), Step::Frame(_, at) if at == ms(0)));
        assert!(matches!(player.step(ms(40)), Step::Frame(_, at) if at == ms(20)));
        assert!(matches!(player.step(ms(40)), Step::Frame(_, at) if at == ms(40)));
        assert_eq!(player.step(ms(120)), Step::Skip(3));
        assert!(matches!(player.step(ms(120)), Step::Frame(_, at) if at == ms(120)));
        assert_eq!(player.step(ms(120)), Step::Wait(ms(140)));
        assert_eq!(player.step(ms(10_000)), Step::Skip(3));
        assert_eq!(player.step(ms(10_000)), Step::Over);
    }

    #[test]
    fn an_empty_prompt_is_over_at_once() {
        assert_eq!(Player::new(Arc::from([]), ms(7)).step(ms(7)), Step::Over);
    }
}
