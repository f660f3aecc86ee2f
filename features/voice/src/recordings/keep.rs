//! Recordings are noted, found again after a crash, and removed once they are marked.

use std::{collections::BTreeSet, fs, io, path::Path, time::Duration};

use base::{Id, kind};
use host::Handles;
use jobs::Why;
use media::Recorded;

use super::{FOLDER, store, store::RecordingRow};

/// Days that are searched for recordings without a row: a crash leaves them on its own day.
const SEARCHED_DAYS: u32 = 3;
/// Recordings removed at once.
const BATCH: usize = 200;
/// Bytes of the header, and of a moment, of a recording.
const HEADER: u64 = 44;
const MOMENT: u64 = 4;

/// Notes a finished recording.
pub(super) async fn keep(handles: &Handles, made: &Recorded) -> db::Result<()> {
    let now = handles.clock.now();
    let (account, attempt) = owner(&made.key)
        .ok_or_else(|| db::Error::Decode(format!("{:?} as the key of a recording", made.key)))?;
    let row = RecordingRow {
        attempt,
        account,
        file: made.key.clone(),
        duration: made.duration.as_micros() as i64,
        bytes: made.bytes as i64,
        created_at: now,
        heard_at: None,
        kept_at: None,
    };
    handles.db.write(move |tx| Box::pin(async move { store::insert(tx, &row).await })).await
}

/// Whose recording a key names: `account/day/attempt`.
fn owner(key: &str) -> Option<(Id<kind::Account>, Id<kind::Attempt>)> {
    let mut parts = key.split('/');
    let (account, _day, attempt) = (parts.next()?, parts.next()?, parts.next()?);
    parts.next().is_none().then_some(())?;
    Some((account.parse().ok()?, attempt.parse().ok()?))
}

/// Notes the finished recordings of the last days that no row names: the process ended between the
/// two.
pub(super) async fn adopt(handles: &Handles) -> Result<(), String> {
    let root = handles.blob.path(FOLDER).map_err(|error| error.to_string())?;
    let now = handles.clock.now();
    let days: Vec<String> = (0..SEARCHED_DAYS)
        .map(|back| {
            let moment = now.minus(Duration::from_hours(24) * back);
            calendar::Zone::utc().date(moment).to_string()
        })
        .collect();
    // A day more, since a recording may be noted long after its call began.
    let since = now.minus(Duration::from_hours(24) * (SEARCHED_DAYS + 1));
    let noted = handles
        .db
        .read(move |tx| Box::pin(async move { store::noted_since(tx, since).await }))
        .await
        .map_err(|error| error.to_string())?;
    let found = tokio::task::spawn_blocking(move || search(&root, &days, &noted)).await;
    let found = found.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    for made in found {
        keep(handles, &made).await.map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// The finished recordings of `days` that are not noted, of every account.
fn search(
    root: &Path,
    days: &[String],
    noted: &BTreeSet<Id<kind::Attempt>>,
) -> io::Result<Vec<Recorded>> {
    let mut found = Vec::new();
    for account in entries(root)? {
        for day in days {
            for file in entries(&root.join(&account).join(day))? {
                let Some(attempt) = file.strip_suffix(".wav") else { continue };
                let key = format!("{account}/{day}/{attempt}");
                if owner(&key).is_none_or(|(_, attempt)| noted.contains(&attempt)) {
                    continue;
                }
                let bytes = fs::metadata(root.join(format!("{key}.wav")))?.len();
                let moments = bytes.saturating_sub(HEADER) / MOMENT;
                let duration = Duration::from_micros(moments * 125);
                found.push(Recorded { key, duration, bytes, lost: Duration::ZERO });
            }
        }
    }
    Ok(found)
}

/// The names in a folder; none when there is no such folder.
fn entries(folder: &Path) -> io::Result<Vec<String>> {
    match fs::read_dir(folder) {
        Ok(found) => found
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<_>>(),
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            Ok(Vec::new())
        }
        Err(error) => Err(error),
    }
}

/// Removes every recording that is marked, of every account.
pub(super) async fn remove_marked(handles: &Handles) -> Result<(), Why> {
    loop {
        let read = handles.db.read(|tx| Box::pin(store::all_marked(tx, BATCH as i64)));
        let marked = read.await?;
        let count = marked.len();
        remove(handles, marked).await?;
        if count > 0 {
            tracing::info!(recordings = count, "recordings whose time was over are removed");
        }
        if count < BATCH {
            return Ok(());
        }
    }
}

/// Removes recordings that are marked: first the files, so that no sound outlives its row.
pub(super) async fn remove(handles: &Handles, marked: Vec<RecordingRow>) -> Result<(), Why> {
    for row in &marked {
        for extension in ["wav", "peaks"] {
            let key = format!("{FOLDER}/{}.{extension}", row.file);
            handles.blob.remove(&key).await?;
        }
    }
    let write = handles.db.write(move |tx| {
        Box::pin(async move {
            for row in &marked {
                store::delete(tx, row.account, row.attempt).await?;
            }
            Ok(())
        })
    });
    Ok(write.await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_its_owner() {
        assert_eq!(owner("7/2026-11-20/9"), Some((Id::from_raw(7), Id::from_raw(9))));
        for wrong in ["", "7/2026-11-20", "7/2026-11-20/9/1", "a/2026-11-20/9", "7/d/-1"] {
            assert_eq!(owner(wrong), None, "{wrong}");
        }
    }
}
