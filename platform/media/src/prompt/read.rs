//! Reads sound files: told by content, decoded, mixed to mono, resampled.

use std::{fs::File, io::Read, path::Path};

use rtp::SAMPLE_RATE;
use rubato::{Fft, FixedSync, Indexing, Resampler, audioadapter_buffers::direct::InterleavedSlice};
use symphonia::core::{
    codecs::audio::{AudioDecoder, AudioDecoderOptions},
    errors::Error,
    formats::{FormatOptions, FormatReader, TrackType, probe::Hint},
    io::{MediaSourceStream, MediaSourceStreamOptions},
    meta::MetadataOptions,
};

use super::{Format, MOST_SAMPLES, PromptError};

/// Frames given to the resampler at once.
const CHUNK: usize = 4_096;
/// Rates that a sound card knows; anything else is damage.
const RATES: std::ops::RangeInclusive<u32> = 4_000..=384_000;
/// Damaged packets in a row after which a file is given up.
const DAMAGED_IN_A_ROW: u32 = 50;

/// A decoded file.
pub(super) struct Sound {
    pub(super) format: Format,
    pub(super) channels: u32,
    pub(super) sample_rate: u32,
    /// Mono, 8 kHz, −1 to 1.
    pub(super) samples: Vec<f32>,
}

pub(super) fn read(path: &Path) -> Result<Sound, PromptError> {
    let format = sniff(path)?;
    let (mut reader, mut decoder, track) = open(path, format)?;
    let mut sound = Sound { format, channels: 0, sample_rate: 0, samples: Vec::new() };
    let (mut mono, mut interleaved) = (None::<Mono>, Vec::<f32>::new());
    let mut damaged = 0;
    loop {
        let packet = match reader.next_packet() {
            Ok(Some(packet)) if packet.track_id == track => packet,
            Ok(Some(_)) => continue,
            // A chained stream begins anew; what came before is the sound.
            Ok(None) | Err(Error::ResetRequired) => break,
            // A file that was cut off: what is there is the sound.
            Err(Error::IoError(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                break;
            }
            Err(error) => return Err(trouble(format, error)),
        };
        let piece = match decoder.decode(&packet) {
            Ok(piece) => piece,
            Err(Error::DecodeError(what)) => {
                damaged += 1;
                if damaged >= DAMAGED_IN_A_ROW {
                    return Err(PromptError::Damaged(what.to_owned()));
                }
                continue;
            }
            Err(error) => return Err(trouble(format, error)),
        };
        damaged = 0;
        let (rate, channels) = (piece.spec().rate(), piece.spec().channels().count());
        if channels == 0 || !RATES.contains(&rate) {
            return Err(PromptError::Damaged(format!("{channels} channels at {rate} Hz")));
        }
        let mono = match &mut mono {
            Some(mono) if mono.is_for(rate, channels) => mono,
            Some(_) => return Err(PromptError::Damaged("its sample rate changes".to_owned())),
            none => {
                (sound.channels, sound.sample_rate) = (channels as u32, rate);
                none.insert(Mono::new(rate, channels)?)
            }
        };
        piece.copy_to_vec_interleaved(&mut interleaved);
        mono.take(&interleaved, &mut sound.samples)?;
        if sound.samples.len() > MOST_SAMPLES {
            return Err(PromptError::TooLong);
        }
    }
    if let Some(mono) = mono {
        mono.finish(&mut sound.samples)?;
    } else if damaged > 0 {
        return Err(PromptError::Damaged("no part of it can be read".to_owned()));
    }
    Ok(sound)
}

type Opened = (Box<dyn FormatReader>, Box<dyn AudioDecoder>, u32);

fn open(path: &Path, format: Format) -> Result<Opened, PromptError> {
    let source =
        MediaSourceStream::new(Box::new(File::open(path)?), MediaSourceStreamOptions::default());
    let mut hint = Hint::new();
    hint.with_extension(match format {
        Format::Wav => "wav",
        Format::Mp3 => "mp3",
        Format::Flac => "flac",
        Format::OggVorbis => "ogg",
    });
    let reader = symphonia::default::get_probe()
        .probe(&hint, source, FormatOptions::default(), MetadataOptions::default())
        .map_err(|error| trouble(format, error))?;
    let (parameters, track) = reader
        .default_track(TrackType::Audio)
        .and_then(|track| Some((track.codec_params.as_ref()?.audio()?.clone(), track.id)))
        .ok_or(PromptError::Empty)?;
    let decoder = symphonia::default::get_codecs()
        .make_audio_decoder(&parameters, &AudioDecoderOptions::default())
        .map_err(|error| PromptError::Codec { format, what: error.to_string() })?;
    Ok((reader, decoder, track))
}

fn trouble(format: Format, error: Error) -> PromptError {
    #[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum that is told to grow")]
    match error {
        Error::IoError(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
            PromptError::Io(error)
        }
        Error::Unsupported(what) => PromptError::Codec { format, what: what.to_owned() },
        damage => PromptError::Damaged(damage.to_string()),
    }
}

/// What a file is, by its first bytes. Names and media types are not asked: they lie.
fn sniff(path: &Path) -> Result<Format, PromptError> {
    let mut head = Vec::new();
    File::open(path)?.take(512).read_to_end(&mut head)?;
    match &head[..] {
        [] => Err(PromptError::Empty),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => Ok(Format::Wav),
        [b'f', b'L', b'a', b'C', ..] => Ok(Format::Flac),
        [b'O', b'g', b'g', b'S', ..] => {
            let holds = |mark: &[u8]| head.windows(mark.len()).any(|window| window == mark);
            if holds(b"OpusHead") {
                Err(PromptError::Opus)
            } else if holds(b"\x01vorbis") {
                Ok(Format::OggVorbis)
            } else {
                Err(PromptError::Unknown)
            }
        }
        [b'I', b'D', b'3', ..] => Ok(Format::Mp3),
        // A frame of layer III: sync, version, layer 01, a bit rate and a sample rate that exist.
        [0xFF, second, third, ..]
            if second & 0xE6 == 0xE2
                && second & 0x18 != 0x08
                && third & 0xF0 != 0xF0
                && third & 0xF0 != 0
                && third & 0x0C != 0x0C =>
        {
            Ok(Format::Mp3)
        }
        _ => Err(PromptError::Unknown),
    }
}

/// Mixes to mono and resamples to 8 kHz, piece by piece.
struct Mono {
    rate: u32,
    channels: usize,
    resampler: Option<Resample>,
}

struct Resample {
    inner: Fft<f32>,
    waiting: Vec<f32>,
    /// Frames of silence that the filter puts before the sound.
    delay: usize,
    taken: u64,
    given: u64,
    rate: u32,
}

impl Mono {
    fn new(rate: u32, channels: usize) -> Result<Self, PromptError> {
        let resampler = if rate == SAMPLE_RATE { None } else { Some(Resample::new(rate)?) };
        Ok(Self { rate, channels, resampler })
    }

    fn is_for(&self, rate: u32, channels: usize) -> bool {
        (self.rate, self.channels) == (rate, channels)
    }

    fn take(&mut self, interleaved: &[f32], out: &mut Vec<f32>) -> Result<(), PromptError> {
        let share = 1.0 / self.channels as f32;
        let mixed = interleaved.chunks_exact(self.channels).map(|moment| match moment {
            [alone] => *alone,
            several => several.iter().sum::<f32>() * share,
        });
        match &mut self.resampler {
            None => out.extend(mixed),
            Some(resampler) => {
                resampler.waiting.extend(mixed);
                resampler.run(out)?;
            }
        }
        Ok(())
    }

    fn finish(self, out: &mut Vec<f32>) -> Result<(), PromptError> {
        self.resampler.map_or(Ok(()), |resampler| resampler.finish(out))
    }
}

impl Resample {
    fn new(rate: u32) -> Result<Self, PromptError> {
        let inner = Fft::new(rate as usize, SAMPLE_RATE as usize, CHUNK, 1, FixedSync::Input)
            .map_err(|error| PromptError::Damaged(error.to_string()))?;
        let delay = inner.output_delay();
        Ok(Self { inner, waiting: Vec::new(), delay, taken: 0, given: 0, rate })
    }

    fn run(&mut self, out: &mut Vec<f32>) -> Result<(), PromptError> {
        let mut done = 0;
        while self.waiting.len() - done >= self.inner.input_frames_next() {
            done += self.step(done, None, out)?;
        }
        self.taken += done as u64;
        self.waiting.drain(..done);
        Ok(())
    }

    fn step(
        &mut self,
        from: usize,
        last: Option<usize>,
        out: &mut Vec<f32>,
    ) -> Result<usize, PromptError> {
        let wrong = |error: &dyn std::fmt::Display| PromptError::Damaged(error.to_string());
        let frames = self.waiting.len();
        let input = InterleavedSlice::new(&self.waiting, 1, frames).map_err(|e| wrong(&e))?;
        let mut indexing = Indexing::new();
        (indexing.input_offset, indexing.partial_len) = (from, last);
        let made = self.inner.process(&input, Some(&indexing)).map_err(|e| wrong(&e))?;
        let made = made.take_data();
        let hidden = self.delay.min(made.len());
        self.delay -= hidden;
        self.given += (made.len() - hidden) as u64;
        out.extend_from_slice(&made[hidden..]);
        Ok(self.inner.input_frames_next())
    }

    /// Gives what the filter still holds: as much as the input was long.
    fn finish(mut self, out: &mut Vec<f32>) -> Result<(), PromptError> {
        self.taken += self.waiting.len() as u64;
        let wanted = (self.taken * u64::from(SAMPLE_RATE)).div_ceil(u64::from(self.rate));
        let mut last = self.waiting.len();
        while self.given < wanted {
            self.step(0, Some(last), out)?;
            last = 0;
        }
        out.truncate(out.len() - (self.given - wanted) as usize);
        Ok(())
    }
}
