//! Recordings on their way to the disk: one thread writes, a few make finished files durable.

use std::{
    collections::{BTreeMap, HashMap},
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    },
    thread,
    time::Duration,
};

use rtp::{BLOCK_SAMPLES, Block};
use tokio::sync::mpsc;

use crate::{
    ask::{Closed, Event, Figures, Happening, Recorded},
    gauge::Gauge,
    wav,
    waveform::Peaks,
};

/// Blocks that may wait for the disk: 64 MB, four seconds of a thousand calls.
const WAITING: usize = 4_096;
/// Buffers kept for the next blocks: 16 MB.
const SPARE: usize = 1_024;
/// Threads that wait for `fsync`; the disk gathers what they ask for at once.
const FINISHERS: usize = 4;
/// Recordings that one of them finishes together: their names take one `fsync` per folder.
const TOGETHER: usize = 32;

/// What to do for a recording.
pub(crate) enum Job {
    Block(Arc<Tag>, Block),
    Finish(Box<Finish>),
}

/// Which recording.
pub(crate) struct Tag {
    pub(crate) session: u64,
    pub(crate) key: String,
}

/// The end of a recording, and who waits for it.
pub(crate) struct Finish {
    pub(crate) tag: Arc<Tag>,
    /// Length in samples.
    pub(crate) moments: u64,
    /// Blocks that found the queue full.
    pub(crate) lost: u32,
    pub(crate) reply: Reply,
}

/// The news of a session's end.
pub(crate) struct Reply {
    pub(crate) tag: u64,
    pub(crate) events: mpsc::Sender<Event>,
    pub(crate) figures: Figures,
}

impl Reply {
    /// The event that says so.
    pub(crate) fn closed(
        self,
        recording: Option<Result<Recorded, String>>,
    ) -> (mpsc::Sender<Event>, Event) {
        let closed = Closed { figures: self.figures, recording };
        (self.events, Event { tag: self.tag, what: Happening::Closed(Box::new(closed)) })
    }
}

/// The media thread's end. Nothing here waits.
pub(crate) struct Writer {
    pub(crate) jobs: SyncSender<Job>,
    pub(crate) spare: Receiver<Vec<u8>>,
}

/// Called when a recording is durable, or has failed for good.
pub(crate) type Done = dyn Fn(Reply, Result<Recorded, String>) + Send + Sync;

impl Writer {
    pub(crate) fn start(root: PathBuf, gauge: Arc<Gauge>, done: &Arc<Done>) -> io::Result<Self> {
        fs::create_dir_all(open_folder(&root))?;
        let (jobs, queue) = sync_channel(WAITING);
        let (give, spare) = sync_channel(SPARE);
        let (finish, finishing) = channel();
        let finishing = Arc::new(Mutex::new(finishing));
        for n in 0..FINISHERS {
            let (finishing, root, done) = (Arc::clone(&finishing), root.clone(), Arc::clone(done));
            thread::Builder::new()
                .name(format!("recording-{n}"))
                .spawn(move || finisher(&root, &finishing, &*done))?;
        }
        let disk = Disk { root, gauge, open: HashMap::new(), sound: Vec::new() };
        thread::Builder::new()
            .name("recordings".into())
            .spawn(move || disk.run(queue, &give, &finish))?;
        Ok(Self { jobs, spare })
    }
}

struct Disk {
    root: PathBuf,
    gauge: Arc<Gauge>,
    open: HashMap<u64, Recording>,
    /// One block as the file has it.
    sound: Vec<u8>,
}

struct Recording {
    file: io::Result<File>,
    peaks: Peaks,
    lost: u32,
}

type Finishing = (Recording, Box<Finish>);

impl Disk {
    fn run(
        mut self,
        queue: Receiver<Job>,
        spare: &SyncSender<Vec<u8>>,
        finish: &Sender<Finishing>,
    ) {
        for job in queue {
            match job {
                Job::Block(tag, block) => {
                    self.write(&tag, &block);
                    // A full shelf of spare buffers lets this one go.
                    drop(spare.try_send(block.data));
                }
                Job::Finish(end) => {
                    let recording = self.open.remove(&end.tag.session);
                    let recording =
                        recording.unwrap_or_else(|| Recording::open(&self.root, &end.tag.key));
                    if finish.send((recording, end)).is_err() {
                        tracing::error!("no thread finishes recordings any more");
                    }
                }
            }
        }
    }

    fn write(&mut self, tag: &Tag, block: &Block) {
        let recording =
            self.open.entry(tag.session).or_insert_with(|| Recording::open(&self.root, &tag.key));
        interleave(block, &mut self.sound);
        recording.peaks.skip_to(block.start);
        recording.peaks.extend(&self.sound);
        let Ok(file) = &recording.file else { return };
        if let Err(error) = file.write_all_at(&self.sound, wav::bytes(block.start)) {
            if recording.lost == 0 {
                tracing::error!(recording.key = tag.key, %error, "a second of a recording is lost");
            }
            recording.lost += 1;
            self.gauge.block_lost();
        }
    }
}

impl Recording {
    fn open(root: &Path, key: &str) -> Self {
        Self { file: create(root, key), peaks: Peaks::default(), lost: 0 }
    }
}

/// Where recordings are while they are written: one folder, so that the start finds what a crash
/// left without looking at every recording there is.
pub(crate) fn open_folder(root: &Path) -> PathBuf {
    root.join(".open")
}

/// The path of a recording that is being written.
fn part(root: &Path, key: &str) -> io::Result<PathBuf> {
    check(key)?;
    Ok(open_folder(root).join(key.replace('/', "~")))
}

/// The path of a finished recording's file.
fn path(root: &Path, key: &str, extension: &str) -> io::Result<PathBuf> {
    check(key)?;
    Ok(root.join(format!("{key}.{extension}")))
}

/// Refuses a key that leads out of the folder.
fn check(key: &str) -> io::Result<()> {
    let plain = |name: &str| {
        !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    if !key.split('/').all(plain) {
        let message = format!("{key:?} is no key of a recording");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    Ok(())
}

fn create(root: &Path, key: &str) -> io::Result<File> {
    let finished = path(root, key, "wav")?;
    if finished.try_exists()? {
        return Err(io::Error::from(io::ErrorKind::AlreadyExists));
    }
    if let Some(folder) = finished.parent() {
        make_folder(root, folder)?;
    }
    let file = File::options().write(true).create_new(true).open(part(root, key)?)?;
    file.write_all_at(&wav::header(0), 0)?;
    Ok(file)
}

/// Makes a folder below `root` and those above it, each on the disk for good, so that a finished
/// recording has to sync its own folder only. Called by the one thread that writes.
fn make_folder(root: &Path, folder: &Path) -> io::Result<()> {
    if folder == root || folder.try_exists()? {
        return Ok(());
    }
    let above = folder.parent().unwrap_or(root);
    make_folder(root, above)?;
    fs::create_dir(folder)?;
    sync_folder(above)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Both sides of a block as 16-bit samples, left and right by turns.
fn interleave(block: &Block, sound: &mut Vec<u8>) {
    let (left, right) = block.data.split_at(BLOCK_SAMPLES);
    let [left_codec, right_codec] = block.codecs;
    let sample = |codec: Option<rtp::Codec>, byte| codec.map_or(0, |codec| codec.decode(byte));
    sound.clear();
    sound.extend(left.iter().zip(right).flat_map(|(l, r)| {
        let ([a, b], [c, d]) =
            (sample(left_codec, *l).to_le_bytes(), sample(right_codec, *r).to_le_bytes());
        [a, b, c, d]
    }));
}

fn finisher(root: &Path, queue: &Mutex<Receiver<Finishing>>, done: &Done) {
    loop {
        let together: Vec<Finishing> = {
            let queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
            let Ok(first) = queue.recv() else { return };
            std::iter::once(first).chain(queue.try_iter().take(TOGETHER - 1)).collect()
        };
        for (end, made) in finish(root, together) {
            if let Err(error) = &made {
                tracing::error!(recording.key = end.tag.key, %error, "a recording is not finished");
            }
            done(end.reply, made.map_err(|error| error.to_string()));
        }
    }
}

/// Makes recordings durable: each sound by itself, then the names of a folder at once.
fn finish(root: &Path, together: Vec<Finishing>) -> Vec<(Box<Finish>, io::Result<Recorded>)> {
    let mut folders = BTreeMap::new();
    let sealed: Vec<_> = together
        .into_iter()
        .map(|(mut recording, end)| {
            let folder = recording.seal(root, &end);
            if let Ok(folder) = &folder {
                folders.insert(folder.clone(), Ok(()));
            }
            (recording.lost, end, folder)
        })
        .collect();
    for (folder, synced) in &mut folders {
        *synced = sync_folder(folder);
    }
    sealed
        .into_iter()
        .map(|(lost, end, folder)| {
            let made = folder.and_then(|folder| match folders.get(&folder) {
                Some(Err(error)) => Err(copy(error)),
                Some(Ok(())) | None => Ok(Recorded {
                    key: end.tag.key.clone(),
                    duration: wav::duration(end.moments),
                    bytes: wav::bytes(end.moments),
                    lost: Duration::from_secs(u64::from(lost + end.lost)),
                }),
            });
            (end, made)
        })
        .collect()
}

/// An error said twice.
fn copy(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), error.to_string())
}

impl Recording {
    /// Seals the file; the folder of its name is to be synced.
    fn seal(&mut self, root: &Path, end: &Finish) -> io::Result<PathBuf> {
        let file = self.file.as_ref().map_err(copy)?;
        seal(root, &end.tag.key, file, end.moments, &mut self.peaks)
    }
}

/// Gives a recording its true header and its name, on the disk for good. Seconds that were lost
/// are holes, and holes are read as silence. Folders above the name are synced too: the process
/// that made them may have died before it did.
pub(crate) fn settle(
    root: &Path,
    key: &str,
    file: &File,
    moments: u64,
    peaks: &mut Peaks,
) -> io::Result<()> {
    for folder in seal(root, key, file, moments, peaks)?.ancestors() {
        sync_folder(folder)?;
        if folder == root {
            break;
        }
    }
    Ok(())
}

/// Puts the sound on the disk and names it; the name is durable once the folder returned is synced.
/// A crash before that leaves the recording in the open folder, or with both names: either is
/// mended at the start.
fn seal(
    root: &Path,
    key: &str,
    file: &File,
    moments: u64,
    peaks: &mut Peaks,
) -> io::Result<PathBuf> {
    file.set_len(wav::bytes(moments))?;
    file.write_all_at(&wav::header(moments), 0)?;
    // Before the name, so that a recording never lacks its waveform. Not fsynced: it can be made
    // again from the sound.
    fs::write(path(root, key, "peaks")?, peaks.file(moments))?;
    file.sync_all()?;
    let finished = path(root, key, "wav")?;
    fs::rename(part(root, key)?, &finished)?;
    Ok(finished.parent().unwrap_or(root).to_path_buf())
}

#[cfg(test)]
mod tests {
    use rtp::{BLOCK_BYTES, Codec};

    use super::*;

    fn tag(key: &str) -> Arc<Tag> {
        Arc::new(Tag { session: 1, key: key.to_owned() })
    }

    fn block(second: u64, codec: Codec, sample: i16) -> Block {
        let data = vec![codec.encode(sample); BLOCK_BYTES];
        Block { start: second * BLOCK_SAMPLES as u64, codecs: [Some(codec), None], data }
    }

    /// Writes `blocks` and waits for what the recording became.
    #[expect(clippy::unwrap_in_result, reason = "only what the recording became is handed on")]
    fn write(root: &Path, key: &str, blocks: Vec<Block>, lost: u32) -> Result<Recorded, String> {
        let (tell, told) = channel();
        let tell = Mutex::new(tell);
        let done: Arc<Done> = Arc::new(move |_, made| tell.lock().unwrap().send(made).unwrap());
        let writer = Writer::start(root.to_owned(), Arc::default(), &done).unwrap();
        for block in blocks {
            writer.jobs.send(Job::Block(tag(key), block)).unwrap();
        }
        let (events, _heard) = mpsc::channel(1);
        let reply = Reply { tag: 1, events, figures: Figures::default() };
        let finish = Finish { tag: tag(key), moments: 3 * BLOCK_SAMPLES as u64, lost, reply };
        writer.jobs.send(Job::Finish(Box::new(finish))).unwrap();
        told.recv().unwrap()
    }

    #[test]
    fn a_second_that_found_the_queue_full_is_silence_of_its_length() {
        let folder = tempfile::tempdir().unwrap();
        let blocks = vec![block(0, Codec::Pcmu, 1_000), block(2, Codec::Pcma, 2_000)];
        let made = write(folder.path(), "1/2/3", blocks, 1).unwrap();
        assert_eq!((made.duration, made.lost), (Duration::from_secs(3), Duration::from_secs(1)));
        let mut reader = hound::WavReader::open(folder.path().join("1/2/3.wav")).unwrap();
        let left: Vec<i16> = reader.samples().step_by(2).map(Result::unwrap).collect();
        let (one, two) = (Codec::Pcmu.encode(1_000), Codec::Pcma.encode(2_000));
        assert!(left[..8_000].iter().all(|sample| *sample == Codec::Pcmu.decode(one)));
        assert!(left[8_000..16_000].iter().all(|sample| *sample == 0));
        assert!(left[16_000..].iter().all(|sample| *sample == Codec::Pcma.decode(two)));
        assert_eq!(left.len(), 24_000);
    }

    #[test]
    fn a_recording_without_a_word_is_silence() {
        let folder = tempfile::tempdir().unwrap();
        let made = write(folder.path(), "1/2/3", Vec::new(), 0);
        assert_eq!(made.unwrap().bytes, 44 + 4 * 24_000);
        let mut reader = hound::WavReader::open(folder.path().join("1/2/3.wav")).unwrap();
        assert!(reader.samples::<i16>().all(|sample| sample.unwrap() == 0));
    }

    #[test]
    fn a_disk_that_takes_nothing_is_said() {
        let folder = tempfile::tempdir().unwrap();
        // In the place of the account's folder lies a file.
        fs::write(folder.path().join("1"), "").unwrap();
        let made = write(folder.path(), "1/2/3", vec![block(0, Codec::Pcmu, 1)], 0);
        assert!(made.is_err());
        assert_eq!(fs::read_dir(folder.path().join(".open")).unwrap().count(), 0);
    }
}
