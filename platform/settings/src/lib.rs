#![doc = include_str!("../README.md")]

mod secrets;
mod source;

pub use secrets::{Secrets, SecretsError};
pub use source::{Field, SettingsError, Source};

/// Declares settings: a struct with documented fields and their defaults. See the crate's page.
///
/// The struct gets `Default`, `read(&Source) -> Result<Self, SettingsError>` and
/// `fields() -> Vec<Field>`. The type of a field is `Debug`, `Clone` and `serde::Deserialize`.
#[macro_export]
macro_rules! settings {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $($(#[doc = $doc:literal])+ $field:ident : $type:ty = $default:expr),* $(,)?
    }) => {
        $crate::settings! {
            $(#[$meta])* $vis struct $name in "" {
                $($(#[doc = $doc])+ $field : $type = $default),*
            }
        }
    };
    ($(#[$meta:meta])* $vis:vis struct $name:ident in $section:literal {
        $($(#[doc = $doc:literal])+ $field:ident : $type:ty = $default:expr),* $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        $vis struct $name {
            $($(#[doc = $doc])+ pub $field: $type),*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default),* }
            }
        }

        impl $name {
            /// The settings in force: environment, else file, else default.
            $vis fn read(source: &$crate::Source) -> Result<Self, $crate::SettingsError> {
                let default = Self::default();
                Ok(Self {
                    $($field: source
                        .get($section, stringify!($field))?
                        .unwrap_or(default.$field)),*
                })
            }

            /// Every setting, for the manual.
            $vis fn fields() -> Vec<$crate::Field> {
                let default = Self::default();
                vec![$($crate::Field {
                    section: $section,
                    name: stringify!($field),
                    about: concat!($($doc),+).trim_ascii(),
                    default: format!("{:?}", default.$field),
                }),*]
            }
        }
    };
}
