//! Log lines on standard error.

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// How a log line looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line, for collectors.
    Json,
}

/// What to log, and how.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Which lines, as `tracing-subscriber` reads it: `info`, `info,campaigns=debug`. Empty means
    /// `info`.
    pub filter: String,
    /// How they look.
    pub format: Format,
}

/// Logging could not be started.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// The filter cannot be read.
    #[error("the log filter {filter:?} cannot be read: {reason}")]
    Filter {
        /// As given.
        filter: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Logging was started before.
    #[error("logging was started before")]
    Twice,
}

/// Starts logging and counting. Call once, before anything else.
pub fn init(options: &Options) -> Result<(), InitError> {
    let text = if options.filter.is_empty() { "info" } else { &options.filter };
    let filter = EnvFilter::try_new(text)
        .map_err(|e| InitError::Filter { filter: text.to_owned(), reason: e.to_string() })?;
    let lines = tracing_subscriber::registry().with(filter);
    let started = match options.format {
        Format::Text => lines
            .with(fmt::layer().with_writer(std::io::stderr).with_ansi(is_terminal()))
            .try_init(),
        Format::Json => lines.with(fmt::layer().json().with_writer(std::io::stderr)).try_init(),
    };
    started.map_err(|_| InitError::Twice)?;
    crate::metrics();
    Ok(())
}

fn is_terminal() -> bool {
    std::io::IsTerminal::is_terminal(&std::io::stderr())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_cannot_be_read_is_named() {
        let wrong = Options { filter: "info,=".to_owned(), ..Options::default() };
        let error = init(&wrong).unwrap_err();
        assert!(error.to_string().contains("info,="), "{error}");
    }
}
