//! Sound files become prompts.

use std::{
    fs,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

use media::{
    Codec,
    prompt::{Format, Prepared, PromptError, PromptFiles, prepare},
};

fn hello(extension: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/hello.{extension}"))
}

fn files(folder: &Path) -> PromptFiles {
    PromptFiles {
        pcmu: folder.join("out/prompt.pcmu"),
        pcma: folder.join("out/prompt.pcma"),
        preview: folder.join("out/prompt.wav"),
    }
}

#[expect(clippy::unwrap_in_result, reason = "only the error under test is handed on")]
fn run(master: &Path) -> Result<(Prepared, Vec<i16>), PromptError> {
    let folder = tempfile::tempdir().unwrap();
    let files = files(folder.path());
    let prepared = prepare(master, &files)?;
    let mut reader = hound::WavReader::open(&files.preview).unwrap();
    let spec = reader.spec();
    assert_eq!((spec.channels, spec.sample_rate, spec.bits_per_sample), (1, 8_000, 16));
    let samples: Vec<i16> = reader.samples().map(Result::unwrap).collect();
    for codec in Codec::ALL {
        let encoded: Vec<u8> = samples.iter().map(|sample| codec.encode(*sample)).collect();
        assert!(fs::read(files.of(codec)).unwrap() == encoded, "{codec}");
    }
    assert_eq!(prepared.duration, Duration::from_micros(125 * samples.len() as u64));
    Ok((prepared, samples))
}

/// Makes a WAV of 16 bits; `sound` gives the sample of a channel at a moment.
fn wav(
    rate: u32,
    channels: u16,
    frames: u32,
    sound: impl Fn(u16, u32) -> f64,
) -> tempfile::TempPath {
    let file = tempfile::NamedTempFile::new().unwrap();
    let spec = hound::WavSpec {
        channels,
        sample_rate: rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(file.path(), spec).unwrap();
    for frame in 0..frames {
        for channel in 0..channels {
            writer.write_sample((sound(channel, frame) * 32_767.0).round() as i16).unwrap();
        }
    }
    writer.finalize().unwrap();
    file.into_temp_path()
}

fn tone(frequency: f64, rate: u32) -> impl Fn(u16, u32) -> f64 {
    move |_, frame| {
        (2.0 * std::f64::consts::PI * frequency * f64::from(frame) / f64::from(rate)).sin()
    }
}

/// Normalised correlation of two sounds at their best of `lags`.
fn likeness(a: &[i16], b: &[i16], lags: RangeInclusive<i64>) -> f64 {
    let at = |lag: i64| {
        let pairs: Vec<(f64, f64)> = a
            .iter()
            .enumerate()
            .filter_map(|(n, x)| {
                let y = b.get(usize::try_from(n as i64 + lag).ok()?)?;
                Some((f64::from(*x), f64::from(*y)))
            })
            .collect();
        let dot: f64 = pairs.iter().map(|(x, y)| x * y).sum();
        let (xx, yy): (f64, f64) =
            pairs.iter().fold((0.0, 0.0), |(xx, yy), (x, y)| (xx + x * x, yy + y * y));
        dot / (xx * yy).sqrt()
    };
    lags.map(at).fold(f64::MIN, f64::max)
}

#[test]
fn alo_18_wav_mp3_flac_and_vorbis_sound_the_same() {
    let (flac, reference) = run(&hello("flac")).unwrap();
    assert_eq!((flac.format, flac.channels, flac.sample_rate), (Format::Flac, 1, 16_000));
    assert_eq!(flac.duration, Duration::from_millis(700));
    for (extension, format) in [("mp3", Format::Mp3), ("ogg", Format::OggVorbis)] {
        let (prepared, samples) = run(&hello(extension)).unwrap();
        assert_eq!(prepared.format, format);
        // The MP3 is too small for the tag that tells its encoder's delay.
        let longer = prepared.duration.abs_diff(flac.duration);
        assert!(longer < Duration::from_millis(120), "{extension}: {longer:?}");
        let likeness = likeness(&reference, &samples, 0..=800);
        assert!(likeness > 0.9, "{extension}: {likeness}");
    }
}

#[test]
fn at_8_khz_only_the_level_changes() {
    let sound = tone(440.0, 8_000);
    let master = wav(8_000, 1, 16_000, |channel, frame| sound(channel, frame) * 0.1);
    let (prepared, samples) = run(&master).unwrap();
    let factor = 10_f32.powf(prepared.gain / 20.0);
    let original: Vec<i16> =
        hound::WavReader::open(&master).unwrap().samples().map(Result::unwrap).collect();
    let expected: Vec<i16> = original
        .iter()
        .map(|sample| (f32::from(*sample) / 32_768.0 * factor * 32_768.0).round() as i16)
        .collect();
    assert_eq!(samples, expected);
    assert!(prepared.gain > 3.0 && prepared.gain < 5.0, "{prepared:?}");
}

#[test]
fn loud_and_quiet_come_out_alike_and_nothing_is_clipped() {
    let mut levels = Vec::new();
    for amplitude in [0.9, 0.2, 0.02] {
        let sound = tone(700.0, 16_000);
        let master = wav(16_000, 1, 32_000, |channel, frame| sound(channel, frame) * amplitude);
        let (_, samples) = run(&master).unwrap();
        let middle = &samples[4_000..12_000];
        let power: f64 = middle.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / 8_000.0;
        levels.push(10.0 * power.log10());
    }
    assert!(levels.iter().all(|level| (level - levels[0]).abs() < 0.1), "{levels:?}");
    // A quiet voice with loud clicks is lifted all the same, and the clicks are held down.
    let sound = tone(300.0, 8_000);
    let master = wav(8_000, 1, 40_000, |channel, frame| {
        if frame % 10_000 == 5_000 { 1.0 } else { sound(channel, frame) * 0.03 }
    });
    let (prepared, samples) = run(&master).unwrap();
    assert!(prepared.gain > 8.0, "{prepared:?}");
    let loudest = samples.iter().map(|sample| sample.unsigned_abs()).max().unwrap();
    assert!(loudest < 29_300, "{loudest}");
}

#[test]
fn any_rate_keeps_its_pitch_and_length_and_what_cannot_be_heard_is_filtered() {
    for rate in [6_000, 11_025, 22_050, 44_100, 48_000, 96_000] {
        let low = tone(500.0, rate);
        let (prepared, samples) = run(&wav(rate, 1, rate, low)).unwrap();
        assert_eq!((prepared.sample_rate, samples.len()), (rate, 8_000), "{rate}");
        let reference: Vec<i16> =
            (0..8_000).map(|n| (tone(500.0, 8_000)(0, n) * 10_000.0) as i16).collect();
        let likeness = likeness(&reference[400..7_600], &samples[400..7_600], -2..=2);
        // Half a sample off is 11° of this tone.
        assert!(likeness > 0.98, "{rate}: {likeness}");
    }
    // 7 kHz would fold back to 1 kHz.
    let (high, low) = (tone(7_000.0, 48_000), tone(1_000.0, 48_000));
    let master =
        wav(48_000, 1, 48_000, |c, n| if n < 24_000 { low(c, n) * 0.1 } else { high(c, n) * 0.1 });
    let (_, samples) = run(&master).unwrap();
    let power = |part: &[i16]| part.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
    let (heard, folded) = (power(&samples[500..3_500]), power(&samples[4_500..7_500]));
    assert!(folded < heard / 1e5, "{folded} {heard}");
}

#[test]
fn channels_are_mixed() {
    let sound = tone(500.0, 8_000);
    let opposite = wav(8_000, 2, 8_000, |channel, frame| {
        sound(0, frame) * if channel == 0 { 0.3 } else { -0.3 }
    });
    let (prepared, samples) = run(&opposite).unwrap();
    assert_eq!((prepared.channels, prepared.loudness), (2, None));
    assert!(samples.iter().all(|sample| *sample == 0));
}

#[test]
fn what_cannot_be_understood_is_said() {
    assert!(matches!(run(&hello("opus")), Err(PromptError::Opus)));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("upload");
    let check = |bytes: &[u8]| {
        fs::write(&file, bytes).unwrap();
        run(&file).unwrap_err()
    };
    assert!(matches!(check(b""), PromptError::Empty));
    assert!(matches!(check(b"%PDF-1.7 and more"), PromptError::Unknown));
    assert!(matches!(check(b"\xFF\xFE\x00\x01 a text of sixteen bits"), PromptError::Unknown));
    assert!(matches!(check(b"OggS\0 and a film"), PromptError::Unknown));
    let flac = fs::read(hello("flac")).unwrap();
    assert!(matches!(check(&flac[..20]), PromptError::Damaged(_)));
    let mp3 = [&b"ID3\x04\0\0\0\0\0\0"[..], &[0x55; 4_000]].concat();
    assert!(matches!(check(&mp3), PromptError::Damaged(_) | PromptError::Codec { .. }));
    // A header and nothing behind it.
    assert!(matches!(run(&wav(8_000, 1, 0, |_, _| 0.0)), Err(PromptError::Empty)));
    assert!(matches!(run(Path::new("/nowhere/at/all")), Err(PromptError::Io(_))));
}

#[test]
fn a_file_that_was_cut_off_is_the_sound_that_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("upload");
    let whole = fs::read(wav(8_000, 1, 8_000, tone(300.0, 8_000))).unwrap();
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let (prepared, _) = run(&file).unwrap();
    assert!(prepared.duration > Duration::from_millis(400), "{prepared:?}");
}

#[test]
fn half_an_hour_is_the_most() {
    let master = wav(4_000, 1, 4_000 * 1_801, |_, _| 0.0);
    assert!(matches!(run(&master), Err(PromptError::TooLong)));
}
