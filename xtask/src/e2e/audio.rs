//! Sound each way: what the callee's phone heard and said against what we played and recorded.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::{
    Database, known_plant,
    world::{World, free_udp_port, wait_for},
};
use crate::correlate::correlate;

/// At least this alike where two sounds are the same.
const SAME: f64 = 0.9;
/// At most this alike where they are different.
const OTHER: f64 = 0.2;
/// How far two sounds may be apart, in samples of 1/8000 s.
const MAX_LAG: usize = 8_000;
const NUMBER: &str = "+380931000001";

pub(super) fn run(plant: Option<&str>) -> Result<()> {
    known_plant(plant, &["silence", "swap"])?;
    let mut world = World::new("audio", Database::Sqlite)?;
    let ours = speech(
        &world.dir().join("ours.wav"),
        "en",
        "Good morning. This is a reminder of your visit tomorrow at half past ten. \
         Please take your papers with you and come ten minutes earlier.",
    )?;
    // Longer than ours, so that the callee still talks when we hang up.
    let theirs = speech(
        &world.dir().join("theirs.wav"),
        "en-us+f3",
        "Yes, hello, who is it? I cannot hear you well, there is a train passing by the window. \
         Could you call me back in the evening, or else send a letter to my old address? \
         I shall be glad to talk then, when the children are asleep and the house is calm again. \
         My number has not changed since last summer, and neither has my voice.",
    )?;
    let phone = Phone::start(world.dir(), &theirs)?;
    world.start_and_set_up(&[])?;
    let line = world.line(phone.port, 2, 2)?;
    let prompt = if plant == Some("silence") { silence(&ours)? } else { fs::read(&ours)? };
    let audio = world.audio(&prompt)?;
    let list = world.list(&[("p1".to_owned(), NUMBER.to_owned())])?;
    let campaign = world.campaign(&line, &audio, &list, &json!({"record": true}))?;
    world.client.post(&format!("/campaigns/{campaign}/start"), &json!({}))?;
    world.until(&campaign, "completed", Duration::from_secs(90))?;
    let attempts = world.client.all(&format!("/campaigns/{campaign}/attempts"))?;
    let [attempt] = &attempts[..] else { bail!("one attempt was expected: {attempts:?}") };
    let id = attempt["id"].as_str().context("an attempt without an id")?;
    let recording = world.client.bytes(&format!("/recordings/{id}/file"))?;
    let recorded = Sound::parse(&recording)?;
    let (mut left, mut right) = (recorded.channel(0), recorded.channel(1));
    if plant == Some("swap") {
        (left, right) = (right, left);
    }
    let ours = Sound::parse(&fs::read(&ours)?)?.channel(0);
    let theirs = Sound::parse(&fs::read(&theirs)?)?.channel(0);
    let heard = Sound::parse(&fs::read(phone.heard()?)?)?.channel(0);
    judge(&ours, &theirs, &heard, &left, &right)
}

fn judge(ours: &[f32], theirs: &[f32], heard: &[f32], left: &[f32], right: &[f32]) -> Result<()> {
    let mut line = "audio:".to_owned();
    let table = [
        ("callee heard ours", heard, ours, true),
        ("left is the callee", left, theirs, true),
        ("right is us", right, ours, true),
        ("left is not us", left, ours, false),
        ("right is not the callee", right, theirs, false),
    ];
    for (what, got, expected, same) in table {
        let (lag, alike) = correlate(got, expected, MAX_LAG);
        if (same && alike < SAME) || (!same && alike.abs() > OTHER) {
            bail!("{what}: correlation {alike:.3} at a lag of {lag} samples");
        }
        line += &format!(" {what} {alike:.3} (lag {lag});");
    }
    println!("{}", line.trim_end_matches(';'));
    Ok(())
}

/// Speaks `text` into a mono 8 kHz WAV.
fn speech(path: &Path, voice: &str, text: &str) -> Result<PathBuf> {
    let wide = path.with_extension("wide.wav");
    run_tool(Command::new("espeak-ng").args(["-v", voice, "-w"]).arg(&wide).arg(text))?;
    run_tool(Command::new("sox").arg(&wide).args(["-r", "8000", "-c", "1", "-b", "16"]).arg(path))?;
    Ok(path.to_owned())
}

/// A WAV as long as `like`, and silent but for the faintest hiss, so that the library takes it.
fn silence(like: &Path) -> Result<Vec<u8>> {
    let mut wav = fs::read(like)?;
    for (n, sample) in wav[44..].chunks_exact_mut(2).enumerate() {
        sample.copy_from_slice(&i16::from(n % 97 == 0).to_le_bytes());
    }
    Ok(wav)
}

fn run_tool(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let out = command.output().with_context(|| format!("{program} is missing: install it"))?;
    if out.status.success() {
        Ok(())
    } else {
        bail!("{program}: {}", String::from_utf8_lossy(&out.stderr))
    }
}

/// The samples of a 16-bit WAV, channels interleaved.
pub(super) struct Sound {
    channels: usize,
    samples: Vec<f32>,
}

impl Sound {
    pub(super) fn parse(wav: &[u8]) -> Result<Self> {
        let mut reader = hound::WavReader::new(wav)?;
        let channels = usize::from(reader.spec().channels);
        if reader.spec().sample_rate != 8_000 {
            bail!("8 kHz was expected, this is {} Hz", reader.spec().sample_rate);
        }
        let samples = reader
            .samples::<i16>()
            .map(|sample| Ok(f32::from(sample?) / 32_768.0))
            .collect::<Result<_>>()?;
        Ok(Self { channels, samples })
    }

    pub(super) fn channel(&self, n: usize) -> Vec<f32> {
        self.samples.iter().skip(n).step_by(self.channels).copied().collect()
    }
}

/// A baresip that answers by itself, says a file, and keeps what it hears.
struct Phone {
    process: Child,
    dump: PathBuf,
    port: u16,
}

impl Phone {
    fn start(dir: &Path, says: &Path) -> Result<Self> {
        let (home, dump, port) = (dir.join("phone"), dir.join("phone/heard"), free_udp_port()?);
        fs::create_dir_all(&dump)?;
        let modules = ["/usr/lib/baresip/modules", "/usr/lib/x86_64-linux-gnu/baresip/modules"]
            .into_iter()
            .find(|path| Path::new(path).exists())
            .context("baresip is missing: install baresip")?;
        let says = says.display();
        let media = port + 1_000;
        fs::write(
            home.join("config"),
            format!(
                "sip_listen 127.0.0.1:{port}\naudio_source aufile,{says}\n\
                 audio_player aufile,{0}/played.wav\naudio_alert aufile,{0}/alert.wav\n\
                 ausrc_srate 8000\nauplay_srate 8000\nausrc_channels 1\nauplay_channels 1\n\
                 audio_buffer 20-160\nrtp_ports {media}-{1}\nsnd_path {2}\n\
                 module_path {modules}\nmodule g711.so\nmodule aufile.so\nmodule sndfile.so\n\
                 module_tmp account.so\nmodule_app menu.so\n",
                home.display(),
                media + 100,
                dump.display(),
            ),
        )?;
        fs::write(
            home.join("accounts"),
            format!("<sip:{NUMBER}@127.0.0.1:{port}>;regint=0;answermode=auto;audio_codecs=PCMU\n"),
        )?;
        fs::write(home.join("contacts"), "")?;
        let log = fs::File::create(home.join("log"))?;
        let process = Command::new("baresip")
            .args(["-v", "-f"])
            .arg(&home)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("baresip is missing: install baresip")?;
        let mut phone = Self { process, dump, port };
        wait_for("baresip's socket", Duration::from_secs(10), || {
            if let Some(status) = phone.process.try_wait()? {
                bail!("baresip ended at once: {status}");
            }
            Ok(std::net::UdpSocket::bind(("127.0.0.1", port)).is_err().then_some(()))
        })?;
        Ok(phone)
    }

    /// The WAV of what was heard in the only call.
    fn heard(&self) -> Result<PathBuf> {
        fs::read_dir(&self.dump)?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .find(|path| path.to_string_lossy().ends_with("-dec.wav"))
            .context("baresip kept nothing of what it heard")
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        // Its files are complete once the call is over; the process has no further use.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
