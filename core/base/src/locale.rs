//! The languages of the product.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A language that pages, texts and templates exist in.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Locale {
    /// English, the source language.
    #[default]
    En,
    /// Ukrainian.
    Uk,
    /// Russian.
    Ru,
    /// Uzbek in Latin script.
    Uz,
    /// Vietnamese.
    Vi,
}

impl Locale {
    /// Every language, English first.
    pub const ALL: [Self; 5] = [Self::En, Self::Uk, Self::Ru, Self::Uz, Self::Vi];

    /// The two-letter code of ISO 639-1.
    pub const fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Uk => "uk",
            Self::Ru => "ru",
            Self::Uz => "uz",
            Self::Vi => "vi",
        }
    }
}

/// The code names no language of the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not one of en, uk, ru, uz, vi")]
pub struct UnknownLocale;

impl FromStr for Locale {
    type Err = UnknownLocale;

    fn from_str(code: &str) -> Result<Self, UnknownLocale> {
        Self::ALL.into_iter().find(|locale| locale.code() == code).ok_or(UnknownLocale)
    }
}
