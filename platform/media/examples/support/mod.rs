//! What the benchmarks share.
#![expect(dead_code, reason = "each benchmark uses a part")]

use std::{
    fs,
    io::{self, Write},
    str::FromStr,
    time::{Duration, Instant},
};

/// The value of `name=value` on the command line.
pub(crate) fn argument<T: FromStr>(name: &str, default: T) -> T {
    let given = std::env::args()
        .find_map(|argument| argument.strip_prefix(name)?.strip_prefix('=')?.parse().ok());
    given.unwrap_or(default)
}

/// One line of figures.
pub(crate) fn say(line: std::fmt::Arguments<'_>) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}

/// Real time: that is what is measured here.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Processor time of this thread.
pub(crate) fn own_processor_time() -> io::Result<Duration> {
    read_time("/proc/thread-self/schedstat")
}

/// Processor time of this process's threads whose name begins with `name`.
pub(crate) fn processor_time(name: &str) -> io::Result<Duration> {
    let mut sum = Duration::ZERO;
    for task in fs::read_dir("/proc/self/task")? {
        let task = task?.path();
        if fs::read_to_string(task.join("comm"))?.trim().starts_with(name) {
            sum += read_time(&task.join("schedstat").to_string_lossy())?;
        }
    }
    Ok(sum)
}

fn read_time(path: &str) -> io::Result<Duration> {
    let text = fs::read_to_string(path)?;
    let nanos = text.split_whitespace().next().and_then(|nanos| nanos.parse().ok());
    nanos.map(Duration::from_nanos).ok_or_else(|| io::Error::other(format!("{path}: {text:?}")))
}

/// Memory of this process in kB.
pub(crate) fn memory() -> io::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .ok_or_else(|| io::Error::other("no VmRSS in /proc/self/status"))
}
