//! The texts that were executed, for the law that compares them with those in the source.

use std::{collections::HashSet, fs::File, io::Write, sync::OnceLock};

use parking_lot::Mutex;

use crate::Engine;

struct Log {
    file: File,
    seen: HashSet<(Engine, &'static str)>,
}

/// Appends `sql` to the file that `SWITCHBELL_SQL_LOG` names, once per process and engine.
pub(crate) fn executed(engine: Engine, sql: &'static str) {
    static LOG: OnceLock<Option<Mutex<Log>>> = OnceLock::new();
    let Some(log) = LOG.get_or_init(open) else { return };
    let mut log = log.lock();
    if log.seen.insert((engine, sql)) {
        let line = serde_json::json!({ "engine": engine.name(), "sql": sql });
        // One write per line: processes that append to the same file do not mix theirs.
        if let Err(error) = log.file.write_all(format!("{line}\n").as_bytes()) {
            tracing::error!(%error, "the log of executed SQL cannot be written");
        }
    }
}

fn open() -> Option<Mutex<Log>> {
    let path = std::env::var_os("SWITCHBELL_SQL_LOG")?;
    match File::options().append(true).create(true).open(&path) {
        Ok(file) => Some(Mutex::new(Log { file, seen: HashSet::new() })),
        Err(error) => {
            tracing::error!(%error, ?path, "the log of executed SQL cannot be opened");
            None
        }
    }
}
