//! The audio library and recordings through HTTP, on both engines.

use std::{collections::BTreeMap, fs, future::Future, path::Path, sync::Arc, time::Duration};

use access::Role;
use axum::{body::Body, http::Method};
use base::{Id, kind};
use db::{Tx, args, sql};
use host::{
    Feature,
    testing::{Answer, Badges, Desk, World},
};
use serde_json::{Value, json};
use voice::{AudioUses, Later, LineUses, Setup, Voice};

/// Audio named `Busy` is played by a campaign.
struct Uses;

impl LineUses for Uses {
    fn in_use<'a>(
        &'a self,
        _: &'a mut Tx<'_>,
        _: Id<kind::Account>,
        _: Id<kind::Line>,
    ) -> Later<'a, db::Result<Option<String>>> {
        Box::pin(async { Ok(None) })
    }
}

impl AudioUses for Uses {
    fn in_use<'a>(
        &'a self,
        tx: &'a mut Tx<'_>,
        account: Id<kind::Account>,
    ) -> Later<'a, db::Result<BTreeMap<Id<kind::Audio>, String>>> {
        Box::pin(async move {
            let busy: Vec<(Id<kind::Audio>,)> = tx
                .all(
                    sql!("SELECT id FROM audio WHERE account = $1 AND name = 'Busy'"),
                    args![account],
                )
                .await?;
            Ok(busy.into_iter().map(|(id,)| (id, "Spring".to_owned())).collect())
        })
    }
}

struct House {
    world: World,
    voice: Voice,
    desk: Desk,
}

async fn story<F, R>(tell: F)
where
    F: Fn(House) -> R,
    R: Future<Output = ()>,
{
    db::testing::each(&[], |db| {
        let tell = &tell;
        async move {
            let world = World::new(db.clone());
            let setup = Setup { sip_port: 0, ..Setup::default() };
            let voice =
                Voice::new(world.handles.clone(), setup, Arc::new(Uses), Arc::new(Uses)).unwrap();
            db.migrate(&[http_kit::chain(), jobs::chain(), host::chain(), voice.chain()])
                .await
                .unwrap();
            let desk = world.desk(&[&voice]);
            tell(House { world, voice, desk }).await;
        }
    })
    .await;
}

/// A WAV of 8 kHz and 16 bits.
fn wav(channels: u16, samples: &[i16]) -> Vec<u8> {
    let size = samples.len() as u32 * 2;
    let mut bytes = Vec::new();
    bytes.extend(b"RIFF");
    bytes.extend((36 + size).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(16_u32.to_le_bytes());
    bytes.extend(1_u16.to_le_bytes());
    bytes.extend(channels.to_le_bytes());
    bytes.extend(8_000_u32.to_le_bytes());
    bytes.extend((16_000 * u32::from(channels)).to_le_bytes());
    bytes.extend((channels * 2).to_le_bytes());
    bytes.extend(16_u16.to_le_bytes());
    bytes.extend(b"data");
    bytes.extend(size.to_le_bytes());
    bytes.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    bytes
}

fn tone() -> Vec<u8> {
    let sample = |n: u32| ((f64::from(n) * 0.4).sin() * 8_000.0) as i16;
    wav(1, &(0..12_000).map(sample).collect::<Vec<_>>())
}

async fn upload(desk: &Desk, name: &str, bytes: impl Into<Body>) -> Answer {
    desk.send(Method::POST, &format!("/audio?name={name}"), bytes.into(), &[]).await
}

async fn range(desk: &Desk, path: &str, range: &str) -> Answer {
    desk.send(Method::GET, path, Body::empty(), &[("range", range)]).await
}

fn id(audio: &Value) -> &str {
    audio["id"].as_str().unwrap()
}

fn blobs(world: &World, key: &str) -> usize {
    let folder = world.handles.blob.path(key).unwrap();
    fs::read_dir(folder).map_or(0, Iterator::count)
}

#[tokio::test]
async fn alo_18_audio_is_uploaded_heard_renamed_and_deleted() {
    story(|house| async move {
        let House { world, desk, .. } = &house;
        let admin = desk.of(1, Role::Administrator);
        let made = upload(&admin, "Spring%20sale", tone()).await;
        assert_eq!(made.status.as_u16(), 201);
        let audio = made.ok();
        assert_eq!(audio["name"], "Spring sale");
        assert_eq!((&audio["format"], &audio["duration_s"]), (&json!("wav"), &json!(2)));
        assert_eq!((&audio["channels"], &audio["sample_rate"]), (&json!(1), &json!(8_000)));
        assert_eq!(audio["bytes"], tone().len());
        assert!(audio["loudness_db"].as_f64().unwrap() < -10.0, "{audio}");
        assert_eq!(blobs(world, "audio/1"), 4, "the master, two codecs and what the page plays");

        let file = format!("/audio/{}/file", id(&audio));
        let whole = admin.get(&file).await;
        assert_eq!(whole.headers["content-type"], "audio/wav");
        assert_eq!((&whole.bytes[..4], whole.bytes.len()), (&b"RIFF"[..], 44 + 24_000));
        let part = range(&admin, &file, "bytes=40-47").await;
        assert_eq!(part.status.as_u16(), 206);
        assert_eq!(part.headers["content-range"], "bytes 40-47/24044");
        assert_eq!(part.bytes, whole.bytes[40..48]);
        assert_eq!(range(&admin, &file, "bytes=99999-").await.status.as_u16(), 416);

        let path = format!("/audio/{}", id(&audio));
        assert_eq!(admin.patch(&path, json!({"name": "  Autumn "})).await.ok()["name"], "Autumn");
        let empty = admin.patch(&path, json!({"name": " "})).await;
        assert_eq!(empty.faults(), ["name: required"]);
        assert_eq!(admin.get("/audio").await.ok()[0]["name"], "Autumn");
        assert_eq!(admin.delete(&path).await.status.as_u16(), 204);
        assert_eq!(admin.get("/audio").await.ok(), json!([]));
        assert_eq!(admin.get(&file).await.problem().0, 404);
        assert_eq!(admin.delete(&path).await.problem().0, 404);
        assert_eq!(blobs(world, "audio/1"), 0);
    })
    .await;
}

#[tokio::test]
async fn alo_18_what_a_running_campaign_plays_is_not_deleted() {
    story(|house| async move {
        let House { desk, .. } = &house;
        let admin = desk.of(1, Role::Administrator);
        let audio = upload(&admin, "Busy", tone()).await.ok();
        let path = format!("/audio/{}", id(&audio));
        let refused = admin.delete(&path).await;
        assert_eq!(refused.problem(), (409, "audio_in_use".to_owned()));
        assert_eq!(refused.value()["params"]["campaign"], "Spring");
        assert_eq!(admin.get("/audio").await.ok()[0]["used_by_running"], true);
        admin.patch(&path, json!({"name": "Free"})).await.ok();
        assert_eq!(admin.delete(&path).await.status.as_u16(), 204);
    })
    .await;
}

#[tokio::test]
async fn alo_18_what_is_no_sound_is_refused_in_words_and_leaves_nothing() {
    story(|house| async move {
        let House { world, desk, .. } = &house;
        let admin = desk.of(1, Role::Administrator);
        let opus = [&b"OggS\0\x02"[..], &[0; 22], b"OpusHead"].concat();
        for (bytes, code) in [
            (b"%PDF-1.7".to_vec(), "audio_unknown"),
            (opus, "audio_opus"),
            (Vec::new(), "audio_empty"),
            (wav(1, &[]), "audio_empty"),
            (b"fLaC\0".to_vec(), "audio_damaged"),
        ] {
            assert_eq!(upload(&admin, "x", bytes).await.problem(), (422, code.to_owned()));
        }
        let nameless = upload(&admin, "", tone()).await;
        assert_eq!(nameless.faults(), ["name: required"]);
        assert_eq!(admin.get("/audio").await.ok(), json!([]));
        assert_eq!(blobs(world, "audio/1"), 0);
    })
    .await;
}

#[tokio::test]
async fn audio_of_another_account_is_not_there_and_operators_have_no_library() {
    story(|house| async move {
        let House { desk, voice, .. } = &house;
        let (ours, theirs) = (desk.of(1, Role::Administrator), desk.of(2, Role::Administrator));
        let audio = upload(&ours, "Ours", tone()).await.ok();
        let path = format!("/audio/{}", id(&audio));
        assert_eq!(theirs.get("/audio").await.ok(), json!([]));
        assert_eq!(theirs.get(&format!("{path}/file")).await.problem().0, 404);
        assert_eq!(theirs.patch(&path, json!({"name": "Mine"})).await.problem().0, 404);
        assert_eq!(theirs.delete(&path).await.problem().0, 404);
        assert_eq!(desk.of(1, Role::Operator).get("/audio").await.problem().0, 403);
        assert_eq!(upload(&desk.of(1, Role::Supervisor), "x", tone()).await.problem().0, 403);
        let audio = id(&audio).parse().unwrap();
        let length = voice.audio_duration(Id::from_raw(1), audio).await.unwrap();
        assert_eq!(length, Some(Duration::from_millis(1_500)));
        assert_eq!(voice.audio_duration(Id::from_raw(2), audio).await.unwrap(), None);
    })
    .await;
}

/// A recording as a crash leaves it: whole on the disk, and no row.
fn leave_recording(world: &World, key: &str, peaks: bool) -> Vec<u8> {
    let path = world.handles.blob.path(&format!("recording/{key}.wav")).unwrap();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let samples: Vec<i16> = (0..16_000).flat_map(|n| [n, -(n / 2)]).collect();
    let bytes = wav(2, &samples);
    fs::write(&path, &bytes).unwrap();
    if peaks {
        write_peaks(&path);
    }
    bytes
}

fn write_peaks(path: &Path) {
    let peaks = [&b"peaks 1\n"[..], &16_000_u64.to_le_bytes(), &[200; 200]].concat();
    fs::write(path.with_extension("peaks"), peaks).unwrap();
}

/// Runs the loops of the feature until `done` says so, then stops them.
async fn run_until<F: AsyncFn() -> bool>(house: &House, done: F) {
    let (_, socket) = house.world.desk_with(&[&house.voice], Arc::new(Badges));
    let running = house.world.start(socket);
    while !done().await {
        tokio::task::yield_now().await;
    }
    // Loops say goodbye by the clock.
    let mut stop = std::pin::pin!(running.stop());
    loop {
        tokio::select! {
            () = &mut stop => return,
            () = tokio::task::yield_now() => house.world.hand.advance(Duration::from_millis(1)),
        }
    }
}

#[tokio::test]
async fn recordings_are_found_after_a_crash_and_heard_by_those_who_may() {
    story(|house| async move {
        let bytes = leave_recording(&house.world, "1/2026-11-20/77", true);
        leave_recording(&house.world, "1/2026-11-19/78", false);
        leave_recording(&house.world, "1/2026-10-01/79", false);
        let desk = house.desk.clone();
        let reviewer = desk.of(1, Role::QualityReviewer);
        let file = "/recordings/77/file";
        assert_eq!(reviewer.get(file).await.problem(), (404, "recording_not_found".to_owned()));
        run_until(&house, async || reviewer.get("/recordings/78/file").await.status.is_success())
            .await;
        assert_eq!(reviewer.get(file).await.bytes, bytes);
        let part = range(&reviewer, file, "bytes=-8").await;
        assert_eq!((part.status.as_u16(), &part.bytes[..]), (206, &bytes[bytes.len() - 8..]));
        assert_eq!(part.headers["cache-control"], "private, no-store");

        let drawn = reviewer.get("/recordings/77/waveform").await.ok();
        assert_eq!((&drawn["duration_ms"], &drawn["left"][0]), (&json!(2_000), &json!(200)));
        // Its waveform was lost; the sound still has it.
        let drawn = reviewer.get("/recordings/78/waveform").await.ok();
        assert_eq!(drawn["left"].as_array().unwrap().len(), 100);
        assert_eq!((&drawn["left"][99], &drawn["right"][99]), (&json!(124), &json!(62)));

        for path in [file, "/recordings/77/waveform"] {
            assert_eq!(desk.of(2, Role::QualityReviewer).get(path).await.problem().0, 404);
            assert_eq!(desk.of(1, Role::Operator).get(path).await.problem().0, 403);
            assert_eq!(desk.outside().get(path).await.problem().0, 401);
        }
    })
    .await;
}

/// A recording of the account that was made so many days ago.
async fn recorded(house: &House, attempt: i64, days: u32) -> String {
    let file = format!("1/2026-11-20/{attempt}");
    leave_recording(&house.world, &file, true);
    let at = house.world.handles.clock.now().minus(Duration::from_hours(24) * days);
    let write = house.world.handles.db.write(move |tx| {
        Box::pin(async move {
            let insert = sql!(
                "INSERT INTO recording (attempt, account, file, duration, bytes, created_at)
                 VALUES ($1, 1, $2, 500000, 8044, $3)"
            );
            tx.exec(insert, args![attempt, file, at]).await
        })
    });
    write.await.unwrap();
    format!("/recordings/{attempt}")
}

#[tokio::test]
async fn recordings_stay_for_ever_unless_the_account_says_for_how_long() {
    story(|house| async move {
        let admin = house.desk.of(1, Role::Administrator);
        let reviewer = house.desk.of(1, Role::QualityReviewer);
        let mut paths = Vec::new();
        for (attempt, days) in [(71, 400), (72, 400), (73, 31), (74, 29)] {
            paths.push(recorded(&house, attempt, days).await);
        }
        let heard = async || {
            let mut heard = Vec::new();
            for path in &paths {
                let answer = reviewer.get(&format!("{path}/file")).await;
                heard.push(answer.status.is_success());
            }
            heard
        };
        assert_eq!(admin.get("/recording-retention").await.ok(), json!({ "days": 0 }));
        assert_eq!(house.world.handles.jobs.drain().await, Ok(0));
        assert_eq!(heard().await, [true; 4], "kept for ever");

        let kept = format!("{}/kept", paths[0]);
        reviewer.put(&kept, json!({ "kept": true })).await;
        let drawn = reviewer.get(&format!("{}/waveform", paths[0])).await.ok();
        assert_eq!(drawn["kept"], true);
        let foreign =
            house.desk.of(2, Role::Administrator).put(&kept, json!({ "kept": false })).await;
        assert_eq!(foreign.problem(), (404, "recording_not_found".to_owned()));
        // What the choice would do is told before.
        let effect = admin.get("/recording-retention/effect?days=30").await.ok();
        assert_eq!(effect, json!({ "removed": 2, "kept": 1 }));
        let effect = admin.get("/recording-retention/effect?days=0").await.ok();
        assert_eq!(effect, json!({ "removed": 0, "kept": 0 }));
        let wrong = admin.put("/recording-retention", json!({ "days": 40_000 })).await;
        assert_eq!(wrong.faults(), ["days: out_of_range"]);
        let refused = reviewer.put("/recording-retention", json!({ "days": 30 })).await.problem();
        assert_eq!(refused, (403, "forbidden".to_owned()));

        admin.put("/recording-retention", json!({ "days": 30 })).await.ok();
        house.world.handles.jobs.drain().await.unwrap();
        assert_eq!(heard().await, [true, false, false, true]);
        assert_eq!(blobs(&house.world, "recording/1/2026-11-20"), 4, "two files each");
        // It comes back every day.
        house.world.hand.advance(Duration::from_hours(48));
        house.world.handles.jobs.drain().await.unwrap();
        assert_eq!(heard().await, [true, false, false, false]);
        reviewer.put(&kept, json!({ "kept": false })).await;
        admin.put("/recording-retention", json!({ "days": 0 })).await.ok();
        house.world.hand.advance(Duration::from_hours(48));
        assert_eq!(house.world.handles.jobs.drain().await, Ok(0), "for ever again");
        assert_eq!(heard().await, [true, false, false, false]);
    })
    .await;
}

#[tokio::test]
async fn a_marked_recording_is_not_heard_and_goes_after_a_crash() {
    story(|house| async move {
        let reviewer = house.desk.of(1, Role::QualityReviewer);
        let (gone, kept) = (recorded(&house, 81, 1).await, recorded(&house, 82, 1).await);
        reviewer.put(&format!("{kept}/kept"), json!({ "kept": true })).await;
        let now = house.world.handles.clock.now();
        // Their campaign is removed, and the process ends behind the commit.
        let forget = house.world.handles.db.write(move |tx| {
            Box::pin(async move {
                let both = [81, 82].map(Id::from_raw);
                voice::forget_recordings(tx, Id::from_raw(1), &both, now).await
            })
        });
        forget.await.unwrap();
        assert_eq!(reviewer.get(&format!("{gone}/file")).await.problem().0, 404);
        let late = reviewer.put(&format!("{gone}/kept"), json!({ "kept": true })).await.problem();
        assert_eq!(late, (404, "recording_not_found".to_owned()));
        assert_eq!(blobs(&house.world, "recording/1/2026-11-20"), 4);
        run_until(&house, async || blobs(&house.world, "recording/1/2026-11-20") == 2).await;
        assert!(reviewer.get(&format!("{kept}/file")).await.status.is_success());
    })
    .await;
}
