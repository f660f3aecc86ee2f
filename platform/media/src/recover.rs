//! Recordings that a crash left unfinished.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use crate::{ask::Recorded, wav, waveform::Peaks, writer};

/// Finishes what was being written when the process died: mends headers, makes waveforms, gives
/// names. To be called before [`crate::Media::start`]. One that cannot be mended is logged and left.
///
/// Reads the disk, so call it where blocking is allowed.
pub fn recover(recordings: &Path) -> io::Result<Vec<Recorded>> {
    let folder = writer::open_folder(recordings);
    if !folder.try_exists()? {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        match mend(recordings, &path) {
            Ok(recorded) => found.extend(recorded),
            Err(error) => {
                tracing::error!(recording.path = %path.display(), %error, "cannot be mended");
            }
        }
    }
    Ok(found)
}

fn mend(root: &Path, part: &Path) -> io::Result<Option<Recorded>> {
    let name = part.file_name().and_then(|name| name.to_str());
    let key = name.ok_or_else(|| io::Error::other("its name is not UTF-8"))?.replace('~', "/");
    let mut file = File::options().read(true).write(true).open(part)?;
    let moments = wav::moments(file.metadata()?.len());
    if moments == 0 {
        fs::remove_file(part)?;
        return Ok(None);
    }
    let mut peaks = Peaks::of_file(&mut file, moments)?;
    writer::settle(root, &key, &file, moments, &mut peaks)?;
    tracing::info!(recording.key = key, "a recording cut off by a crash is mended");
    Ok(Some(Recorded {
        key,
        duration: wav::duration(moments),
        bytes: wav::bytes(moments),
        lost: std::time::Duration::ZERO,
    }))
}

#[cfg(test)]
mod tests {
    use std::{os::unix::fs::FileExt, time::Duration};

    use super::*;
    use crate::Waveform;

    #[test]
    fn a_cut_off_recording_is_mended_and_an_empty_one_goes() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("1/2026-11-20")).unwrap();
        fs::create_dir_all(root.join(".open")).unwrap();
        let part = root.join(".open/1~2026-11-20~77");
        let file = File::create(&part).unwrap();
        file.write_all_at(&wav::header(0), 0).unwrap();
        let sound: Vec<u8> =
            (0..9_000_i16).flat_map(|n| [n.to_le_bytes(), (-n).to_le_bytes()].concat()).collect();
        file.write_all_at(&sound, wav::HEADER_BYTES).unwrap();
        file.write_all_at(&[7], wav::bytes(9_000)).unwrap(); // Torn within a sample.
        fs::write(root.join(".open/1~2026-11-20~78"), [0; 10]).unwrap();

        let found = recover(root).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].key.as_str(), found[0].bytes), ("1/2026-11-20/77", 36_044));
        assert_eq!(found[0].duration, Duration::from_millis(1_125));
        let wav = root.join("1/2026-11-20/77.wav");
        let mut reader = hound::WavReader::open(&wav).unwrap();
        assert_eq!(
            (reader.spec().channels, reader.spec().sample_rate, reader.duration()),
            (2, 8_000, 9_000)
        );
        let samples: Vec<i16> = reader.samples().map(Result::unwrap).collect();
        assert_eq!(samples[17_998..], [8_999, -8_999]);
        let peaks = fs::read(wav.with_extension("peaks")).unwrap();
        assert_eq!(Waveform::parse(&peaks).unwrap(), Waveform::of_file(&wav).unwrap());
        assert!(!part.exists() && !root.join(".open/1~2026-11-20~78").exists());
        assert_eq!(recover(root).unwrap(), []);
    }

    #[test]
    fn no_folder_yet_is_nothing_to_mend() {
        assert_eq!(recover(Path::new("/nowhere/at/all")).unwrap(), []);
    }
}
