//! From an uploaded sound file to prompts: read, mixed to mono, resampled to 8 kHz, levelled, and
//! written once for every codec of the wire, so that playing encodes nothing.

mod level;
mod limit;
mod loudness;
mod read;

use std::{
    fmt,
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use rtp::{Codec, SAMPLE_RATE};

/// The longest prompt.
pub const LONGEST: Duration = Duration::from_mins(30);

/// The kinds of file that are understood, told by their content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// RIFF WAVE with PCM, G.711 or floating point samples.
    Wav,
    /// MPEG audio, layer III.
    Mp3,
    /// FLAC.
    Flac,
    /// Vorbis in OGG.
    OggVorbis,
}

impl Format {
    /// A stable name for storage and the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::Mp3 => "mp3",
            Self::Flac => "flac",
            Self::OggVorbis => "ogg_vorbis",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Wav => "WAV",
            Self::Mp3 => "MP3",
            Self::Flac => "FLAC",
            Self::OggVorbis => "OGG Vorbis",
        })
    }
}

/// Why a file gives no prompt. Each is a sentence for the person who uploaded it.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// Neither WAV, MP3, FLAC nor OGG.
    #[error("this is no WAV, MP3, FLAC or OGG Vorbis file")]
    Unknown,
    /// OGG, but with Opus in it.
    #[error("OGG with Opus is not understood yet; save it as WAV, MP3, FLAC or OGG Vorbis")]
    Opus,
    /// A known file with an unknown way of writing samples.
    #[error("this kind of {format} is not understood: {what}")]
    Codec {
        /// What the file is.
        format: Format,
        /// What is not understood.
        what: String,
    },
    /// The file is cut off or damaged.
    #[error("the file is damaged: {0}")]
    Damaged(String),
    /// There is no sound in it.
    #[error("the file holds no sound")]
    Empty,
    /// Longer than [`LONGEST`].
    #[error("the sound is longer than 30 minutes")]
    TooLong,
    /// The disk.
    #[error("the prompt cannot be read or written: {0}")]
    Io(#[from] io::Error),
}

/// Where the prompts of one sound go.
#[derive(Debug, Clone)]
pub struct PromptFiles {
    /// Bare µ-law bytes.
    pub pcmu: PathBuf,
    /// Bare A-law bytes.
    pub pcma: PathBuf,
    /// The same sound as a mono WAV of 16 bits, to be heard in a page.
    pub preview: PathBuf,
}

impl PromptFiles {
    /// The file of a codec.
    pub fn of(&self, codec: Codec) -> &Path {
        match codec {
            Codec::Pcmu => &self.pcmu,
            Codec::Pcma => &self.pcma,
        }
    }
}

/// What was found in a sound file and made of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prepared {
    /// What the file is.
    pub format: Format,
    /// Its channels.
    pub channels: u32,
    /// Its samples in a second.
    pub sample_rate: u32,
    /// Length of the prompt.
    pub duration: Duration,
    /// Its loudness as uploaded, in LUFS; `None` for silence.
    pub loudness: Option<f32>,
    /// What levelling added, in dB.
    pub gain: f32,
}

/// Makes the prompts of `master`.
///
/// Levelling: the loudness is measured by ITU-R BS.1770-4 (K-weighted, gated) on the mono sound at
/// 8 kHz and brought to −19 LUFS, by at most 30 dB up. What would then pass −1 dBTP is held down
/// by a limiter that looks ahead 20 ms; its true peak is estimated with fourfold oversampling. A
/// sound of 8 kHz that no limiter touches comes out sample for sample, multiplied and rounded.
///
/// Blocks for seconds, and holds the whole sound in memory: 58 MB at the most, so run few at once.
pub fn prepare(master: &Path, files: &PromptFiles) -> Result<Prepared, PromptError> {
    let read::Sound { format, channels, sample_rate, mut samples } = read::read(master)?;
    if samples.is_empty() {
        return Err(PromptError::Empty);
    }
    let loudness = loudness::integrated(&samples);
    let gain = level::level(&mut samples, loudness);
    for codec in Codec::ALL {
        write(files.of(codec), |file| {
            for sample in &samples {
                file.write_all(&[codec.encode(to_16_bit(*sample))])?;
            }
            Ok(())
        })?;
    }
    write(&files.preview, |file| {
        file.write_all(&crate::wav::mono_header(samples.len() as u64))?;
        for sample in &samples {
            file.write_all(&to_16_bit(*sample).to_le_bytes())?;
        }
        Ok(())
    })?;
    Ok(Prepared {
        format,
        channels,
        sample_rate,
        duration: Duration::from_micros(samples.len() as u64 * 125),
        loudness,
        gain,
    })
}

fn to_16_bit(sample: f32) -> i16 {
    // The cast saturates.
    (sample * 32_768.0).round() as i16
}

/// Writes a file and makes it durable; its folder is made when need be.
fn write(path: &Path, body: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = BufWriter::new(File::create(path)?);
    body(&mut file)?;
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    File::open(folder)?.sync_all()
}

/// Samples of the longest prompt.
const MOST_SAMPLES: usize = LONGEST.as_secs() as usize * SAMPLE_RATE as usize;
