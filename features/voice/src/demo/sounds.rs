//! The voices of the demo carrier, made by the program: a buzz through three resonances is enough
//! of a mouth to be heard as speech, and belongs to no language and nobody.

use std::f32::consts::TAU;

/// Samples per second.
const RATE: f32 = 8_000.0;
/// The loudest sample of a sound: what phones usually send.
const PEAK: f32 = 20_000.0;

/// What can be heard of a demo phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sound {
    /// Somebody says hello, as a question.
    Hello,
    /// The greeting of an answering machine.
    Greeting,
    /// Its beep: 1 kHz for half a second.
    Beep,
    /// The key 1, 200 ms.
    KeyOne,
    /// The key 2, 200 ms.
    KeyTwo,
    /// A short answer that falls.
    Yes,
    /// Another one.
    No,
    /// Somebody asks for something.
    Request,
    /// Two minutes of talk.
    LongTalk,
    /// The demo campaign's own recording.
    Announcement,
}

impl Sound {
    /// 16-bit samples at 8 kHz.
    pub(crate) fn samples(self) -> Vec<i16> {
        match self {
            Self::Hello => speak("ho lo?", 190.0),
            Self::Greeting => speak("u ni ha mo se. o de la mi ta bo e su no.", 120.0),
            Self::Beep => tones(&[1_000.0], 0.5),
            Self::KeyOne => tones(&[697.0, 1_209.0], 0.2),
            Self::KeyTwo => tones(&[697.0, 1_336.0], 0.2),
            Self::Yes => speak("ya.", 180.0),
            Self::No => speak("no no.", 180.0),
            Self::Request => speak("ma so a la be ro mi to pe ra?", 200.0),
            Self::LongTalk => {
                speak(&"a mi lo se ra to ne be. u sa ko le mi na? ".repeat(22), 170.0)
            }
            Self::Announcement => {
                let mut sound = chime();
                sound.extend(speak(
                    "se la mo ni to. ra be ko lu mi sa do. e na so ri te la mo. \
                     u be ra ni ko to se. la mi do na.",
                    135.0,
                ));
                sound.extend(chime());
                sound
            }
        }
    }
}

/// Two rising notes.
fn chime() -> Vec<i16> {
    let mut sound = Vec::new();
    for note in [523.25, 659.25] {
        sound.extend(tones(&[note], 0.25));
    }
    sound.extend(silence(0.3));
    sound
}

fn silence(seconds: f32) -> Vec<i16> {
    vec![0; (seconds * RATE) as usize]
}

/// Sines together, with soft edges.
fn tones(frequencies: &[f32], seconds: f32) -> Vec<i16> {
    let length = (seconds * RATE) as usize;
    let edge = 80;
    (0..length)
        .map(|n| {
            let fade = n.min(length - 1 - n).min(edge) as f32 / edge as f32;
            let at = n as f32 / RATE;
            let sum: f32 = frequencies.iter().map(|f| (TAU * f * at).sin()).sum();
            (sum / frequencies.len() as f32 * fade * 10_000.0) as i16
        })
        .collect()
}

/// The first three resonances of a vowel, in hertz (Peterson and Barney's averages, 1952).
const fn formants(vowel: char) -> [f32; 3] {
    match vowel {
        'i' => [270.0, 2_290.0, 3_010.0],
        'e' => [530.0, 1_840.0, 2_480.0],
        'o' => [570.0, 840.0, 2_410.0],
        'u' => [300.0, 870.0, 2_240.0],
        _ => [730.0, 1_090.0, 2_440.0],
    }
}

/// Syllables of a consonant and a vowel, parted by blanks; a full stop falls, a question mark rises.
fn speak(text: &str, pitch: f32) -> Vec<i16> {
    let mut mouth = Mouth { phase: 0.0, noise: 1, resonances: [Resonance::default(); 3] };
    let mut sound = Vec::new();
    for word in text.split_whitespace() {
        let syllable = word.trim_end_matches(['.', '?']);
        let vowel = syllable.chars().last().unwrap_or('a');
        let bend = match word.chars().last() {
            Some('?') => 0.35,
            Some('.') => -0.3,
            _ => -0.05,
        };
        let consonant = syllable.chars().count() > 1;
        mouth.syllable(&mut sound, syllable, vowel, consonant, pitch, bend);
        if word.ends_with(['.', '?']) {
            sound.resize(sound.len() + (0.25 * RATE) as usize, 0.0);
        }
    }
    let peak = sound.iter().fold(f32::EPSILON, |peak, sample| peak.max(sample.abs()));
    sound.iter().map(|sample| (sample / peak * PEAK) as i16).collect()
}

/// One resonance: a filter with two poles.
#[derive(Clone, Copy, Default)]
struct Resonance {
    before: f32,
    earlier: f32,
}

impl Resonance {
    fn through(&mut self, sample: f32, frequency: f32) -> f32 {
        let radius = (-TAU / 2.0 * 90.0 / RATE).exp();
        let turn = 2.0 * radius * (TAU * frequency / RATE).cos();
        let out = (1.0 - radius) * sample + turn * self.before - radius * radius * self.earlier;
        (self.earlier, self.before) = (self.before, out);
        out
    }
}

struct Mouth {
    phase: f32,
    noise: u32,
    resonances: [Resonance; 3],
}

impl Mouth {
    fn syllable(
        &mut self,
        sound: &mut Vec<f32>,
        text: &str,
        vowel: char,
        consonant: bool,
        pitch: f32,
        bend: f32,
    ) {
        let length = (0.2 * RATE) as usize;
        let hiss = match (consonant, text.chars().next()) {
            (true, Some('s' | 'h' | 't' | 'k')) => (0.05 * RATE) as usize,
            (true, _) => (0.015 * RATE) as usize,
            (false, _) => 0,
        };
        for n in 0..length {
            let along = n as f32 / length as f32;
            let loud = (along * TAU / 2.0).sin().sqrt();
            let sample = if n < hiss { self.hiss() * 0.35 } else { self.buzz(pitch, bend, along) };
            let frequencies = formants(vowel);
            let mut out = 0.0;
            for (resonance, (frequency, gain)) in
                self.resonances.iter_mut().zip(frequencies.into_iter().zip([1.0, 0.6, 0.3]))
            {
                out += resonance.through(sample, frequency) * gain;
            }
            sound.push(out * loud);
        }
    }

    /// The voice's source: a saw whose tooth is a breath.
    fn buzz(&mut self, pitch: f32, bend: f32, along: f32) -> f32 {
        self.phase = (self.phase + pitch * (1.0 + bend * along) / RATE).fract();
        (1.0 - self.phase) * 2.0 - 1.0
    }

    fn hiss(&mut self) -> f32 {
        self.noise = self.noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.noise >> 16) as f32 / 32_768.0 - 1.0
    }
}

/// The samples as a WAV file: mono, 16 bits, 8 kHz.
pub(crate) fn wav(samples: &[i16]) -> Vec<u8> {
    let bytes = (samples.len() * 2) as u32;
    let mut out = Vec::with_capacity(44 + samples.len() * 2);
    out.extend_from_slice(b"RIFF");
    out.extend_from_slice(&(36 + bytes).to_le_bytes());
    out.extend_from_slice(b"WAVEfmt ");
    out.extend_from_slice(&16_u32.to_le_bytes());
    for half in [1_u16, 1] {
        out.extend_from_slice(&half.to_le_bytes());
    }
    out.extend_from_slice(&8_000_u32.to_le_bytes());
    out.extend_from_slice(&16_000_u32.to_le_bytes());
    for half in [2_u16, 16] {
        out.extend_from_slice(&half.to_le_bytes());
    }
    out.extend_from_slice(b"data");
    out.extend_from_slice(&bytes.to_le_bytes());
    for sample in samples {
        out.extend_from_slice(&sample.to_le_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Sound; 10] = [
        Sound::Hello,
        Sound::Greeting,
        Sound::Beep,
        Sound::KeyOne,
        Sound::KeyTwo,
        Sound::Yes,
        Sound::No,
        Sound::Request,
        Sound::LongTalk,
        Sound::Announcement,
    ];

    fn level(samples: &[i16]) -> f64 {
        let sum: f64 = samples.iter().map(|s| f64::from(*s).powi(2)).sum();
        (sum / samples.len() as f64).sqrt()
    }

    #[test]
    fn every_sound_can_be_heard_and_none_is_cut() {
        for sound in ALL {
            let samples = sound.samples();
            assert!(level(&samples) > 800.0, "{sound:?}: {}", level(&samples));
            let cut = samples.windows(2).filter(|two| two[0] == two[1] && two[0].abs() > 10_000);
            assert!(cut.count() * 100 < samples.len(), "{sound:?}");
        }
    }

    #[test]
    fn the_announcement_is_longer_than_the_shortest_success() {
        let seconds = Sound::Announcement.samples().len() / 8_000;
        assert!((6..=10).contains(&seconds), "{seconds} s");
    }

    #[test]
    fn long_talk_outlasts_any_recording_of_the_demo() {
        assert!(Sound::LongTalk.samples().len() / 8_000 >= 60);
    }
}
