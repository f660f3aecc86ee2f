//! Where settings are given: a file and the environment.

use std::{collections::BTreeMap, path::Path};

use serde::de::DeserializeOwned;
use toml::{Table, Value};

/// What every variable begins with.
const PREFIX: &str = "SWITCHBELL_";

/// One setting as the manual shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The table in the file; empty at the top.
    pub section: &'static str,
    /// Its name there.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// What holds when nothing is given, as written in the file.
    pub default: String,
}

impl Field {
    /// The variable of the environment.
    pub fn variable(&self) -> String {
        variable(self.section, self.name)
    }
}

fn variable(section: &str, name: &str) -> String {
    let joined = if section.is_empty() { name.to_owned() } else { format!("{section}_{name}") };
    format!("{PREFIX}{}", joined.to_ascii_uppercase())
}

/// A setting cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("the settings file {path} cannot be read: {reason}")]
    File {
        /// As given.
        path: String,
        /// Why not.
        reason: String,
    },
    /// The file is not TOML.
    #[error("the settings file is not TOML: {0}")]
    Syntax(String),
    /// A value is not of the setting's type.
    #[error("{place} is {given}, and cannot be: {reason}")]
    Value {
        /// The variable, or the key in the file.
        place: String,
        /// What is given.
        given: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A key of the file names no setting.
    #[error("there is no setting {0}")]
    Unknown(String),
}

/// What is given.
#[derive(Debug, Clone, Default)]
pub struct Source {
    file: Table,
    environment: BTreeMap<String, String>,
}

impl Source {
    /// From the text of a file and variables.
    pub fn new(
        file: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, SettingsError> {
        let file = file.parse().map_err(|e| SettingsError::Syntax(format!("{e}")))?;
        let ours = environment.into_iter().filter(|(name, _)| name.starts_with(PREFIX));
        Ok(Self { file, environment: ours.collect() })
    }

    /// From `path`, if it is given, and the environment of this process.
    pub fn load(path: Option<&Path>) -> Result<Self, SettingsError> {
        let text = match path {
            None => String::new(),
            Some(path) => std::fs::read_to_string(path).map_err(|e| SettingsError::File {
                path: path.display().to_string(),
                reason: e.to_string(),
            })?,
        };
        // A variable that is no text cannot be one of ours.
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Self::new(&text, variables)
    }

    /// The value given for a setting, if any.
    pub fn get<T: DeserializeOwned>(
        &self,
        section: &str,
        name: &str,
    ) -> Result<Option<T>, SettingsError> {
        let variable = variable(section, name);
        if let Some(text) = self.environment.get(&variable) {
            return from_text(text).map(Some).map_err(|reason| SettingsError::Value {
                place: variable,
                given: format!("{text:?}"),
                reason,
            });
        }
        let table = match section {
            "" => Some(&self.file),
            _ => self.file.get(section).and_then(Value::as_table),
        };
        let Some(value) = table.and_then(|table| table.get(name)) else { return Ok(None) };
        value.clone().try_into().map(Some).map_err(|e| SettingsError::Value {
            place: if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") },
            given: value.to_string(),
            reason: format!("{e}").trim().to_owned(),
        })
    }

    /// Refuses keys of the file that are not among `fields`: a slip of the pen would otherwise go
    /// unseen.
    pub fn check(&self, fields: &[Field]) -> Result<(), SettingsError> {
        let known = |section: &str, name: &str| {
            fields.iter().any(|field| field.section == section && field.name == name)
        };
        for (key, value) in &self.file {
            match value.as_table() {
                Some(table) if fields.iter().any(|field| field.section == key) => {
                    if let Some(name) = table.keys().find(|name| !known(key, name)) {
                        return Err(SettingsError::Unknown(format!("{key}.{name}")));
                    }
                }
                Some(_) | None if known("", key) => {}
                Some(_) | None => return Err(SettingsError::Unknown(key.clone())),
            }
        }
        Ok(())
    }
}

/// A variable holds text; what is not wanted as text is read as the file would be.
fn from_text<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    if let Ok(value) = T::deserialize(Value::String(text.to_owned())) {
        return Ok(value);
    }
    let mut table: Table = format!("value = {text}").parse().map_err(|e| short(&e))?;
    let value = table.remove("value").ok_or_else(|| "it is empty".to_owned())?;
    T::deserialize(value).map_err(|e| short(&e))
}

fn short(error: &toml::de::Error) -> String {
    error.message().to_owned()
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    crate::settings! {
        /// How the bell rings.
        pub(crate) struct Bell in "bell" {
            /// How often it rings,
            /// at most.
            times: u8 = 3,
            /// What is engraved.
            words: String = "ring".to_owned(),
            /// Where it hangs.
            place: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 80)),
        }
    }

    crate::settings! {
        /// At the top.
        pub(crate) struct Top {
            /// Whether it is loud.
            loud: bool = false,
        }
    }

    fn source(file: &str, environment: &[(&str, &str)]) -> Source {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Source::new(file, environment.iter().map(own)).unwrap()
    }

    #[test]
    fn the_environment_wins_over_the_file_and_the_file_over_the_default() {
        let file = "loud = true\n[bell]\ntimes = 5\nwords = \"dong\"";
        let both = source(file, &[("SWITCHBELL_BELL_TIMES", "7"), ("HOME", "/")]);
        let bell = Bell::read(&both).unwrap();
        assert_eq!((bell.times, bell.words.as_str()), (7, "dong"));
        assert_eq!(bell.place, Bell::default().place);
        assert!(Top::read(&both).unwrap().loud);
        let quiet = source(file, &[("SWITCHBELL_LOUD", "false")]);
        assert!(!Top::read(&quiet).unwrap().loud);
        let digits = source("", &[("SWITCHBELL_BELL_WORDS", "123")]);
        assert_eq!(Bell::read(&digits).unwrap().words, "123");
    }

    #[test]
    fn a_wrong_value_is_named_with_its_place() {
        let error = Bell::read(&source("[bell]\ntimes = 300", &[])).unwrap_err().to_string();
        assert!(error.starts_with("bell.times is 300"), "{error}");
        let wrong = source("", &[("SWITCHBELL_BELL_PLACE", "there")]);
        let error = Bell::read(&wrong).unwrap_err().to_string();
        assert!(error.starts_with("SWITCHBELL_BELL_PLACE is \"there\""), "{error}");
        assert!(Source::new("a = = 1", []).is_err());
    }

    #[test]
    fn a_key_that_nobody_declared_is_named() {
        let fields: Vec<_> = Bell::fields().into_iter().chain(Top::fields()).collect();
        assert!(source("loud = true\n[bell]\ntimes = 1", &[]).check(&fields).is_ok());
        for (file, unknown) in
            [("laud = true", "laud"), ("[bell]\ntime = 1", "bell.time"), ("[bel]\na = 1", "bel")]
        {
            let error = source(file, &[]).check(&fields).unwrap_err().to_string();
            assert_eq!(error, format!("there is no setting {unknown}"));
        }
    }

    #[test]
    fn the_manual_is_made_from_the_declaration() {
        let times = Bell::fields().remove(0);
        assert_eq!(times.about, "How often it rings, at most.");
        assert_eq!(times.default, "3");
        assert_eq!(times.variable(), "SWITCHBELL_BELL_TIMES");
        assert_eq!(Top::fields()[0].variable(), "SWITCHBELL_LOUD");
    }
}
