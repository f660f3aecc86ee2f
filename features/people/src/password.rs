//! Passwords: what is taken for one, and how they are kept.

use std::{num::NonZero, sync::Arc, thread::available_parallelism};

use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};
use http_kit::{Fields, Problem, Result};
use tokio::sync::Semaphore;

/// The fewest characters of a password.
const MIN: usize = 10;

/// The most characters; bounds what an attacker can make the server hash.
const MAX: usize = 200;

/// Checks what somebody wants as their password: length, and that it is not their address.
/// Codes: `required`, `too_short`, `too_long`, `password_is_email`.
pub(crate) fn check(fields: &mut Fields, field: &str, password: &str, email: &str) {
    let count = password.chars().count();
    if count == 0 {
        fields.fault(field, "required", "Fill this in.");
    } else if count < MIN {
        let detail = format!("At least {MIN} characters.");
        fields.fault_with(field, "too_short", detail, [("min", MIN.into())]);
    } else if count > MAX {
        let detail = format!("At most {MAX} characters.");
        fields.fault_with(field, "too_long", detail, [("max", MAX.into())]);
    } else if password.trim().eq_ignore_ascii_case(email.trim()) {
        fields.fault(field, "password_is_email", "Not the e-mail address.");
    }
}

/// Hashes and compares on threads of their own, as many at a time as there are cores: each takes
/// 19 MiB and tens of milliseconds.
#[derive(Clone)]
pub(crate) struct Hasher {
    permits: Arc<Semaphore>,
    /// Compared with when there is nothing to compare with, so that it takes as long.
    stand_in: Arc<str>,
}

impl Hasher {
    /// Hashes once, for the stand-in.
    pub(crate) fn new() -> Result<Self> {
        let cores = available_parallelism().map_or(1, NonZero::get);
        let stand_in = hash("a password that nobody has")?.into();
        Ok(Self { permits: Arc::new(Semaphore::new(cores)), stand_in })
    }

    /// The password as it is stored.
    pub(crate) async fn hash(&self, password: String) -> Result<String> {
        self.run(move || hash(&password)).await
    }

    /// Whether `password` is what `stored` was made from. Takes as long when there is nothing
    /// stored, and says no.
    pub(crate) async fn verify(&self, password: String, stored: Option<String>) -> Result<bool> {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.stand_in.to_string());
        let right = self
            .run(move || {
                // A longer one cannot have been set, and is not worth hashing.
                let fits = password.chars().count() <= MAX;
                let tried = if fits { password.as_bytes() } else { b"" };
                match Argon2::default().verify_password(tried, stored.as_str()) {
                    Ok(()) => Ok(fits),
                    Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
                    Err(error) => Err(Problem::unexpected(error)),
                }
            })
            .await?;
        Ok(right && known)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let permit =
            Arc::clone(&self.permits).acquire_owned().await.map_err(Problem::unexpected)?;
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        })
        .await
        .map_err(Problem::unexpected)?
    }
}

/// Argon2id with the parameters of OWASP's first choice: 19 MiB, two passes, one lane.
fn hash(password: &str) -> Result<String> {
    let hashed = Argon2::default().hash_password(password.as_bytes());
    Ok(hashed.map_err(Problem::unexpected)?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_is_right_and_nothing_stored_is_never() {
        let hasher = Hasher::new().unwrap();
        let stored = hasher.hash("correct horse".to_owned()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        let verify = async |password: &str, stored: Option<&String>| {
            hasher.verify(password.to_owned(), stored.cloned()).await.unwrap()
        };
        assert!(verify("correct horse", Some(&stored)).await);
        assert!(!verify("correct horsf", Some(&stored)).await);
        assert!(!verify("", Some(&stored)).await);
        assert!(!verify("a password that nobody has", None).await);
        assert!(!verify(&"x".repeat(100_000), Some(&stored)).await);
    }

    #[test]
    fn short_long_and_obvious_ones_are_refused() {
        let codes = |password: &str| {
            let mut fields = Fields::new();
            check(&mut fields, "password", password, "olena@example.com");
            fields
                .finish()
                .err()
                .map(|problem| problem.fields()[0].code.clone().into_owned())
                .unwrap_or_default()
        };
        assert_eq!(codes(""), "required");
        assert_eq!(codes("123456789"), "too_short");
        assert_eq!(codes("Olena@Example.com"), "password_is_email");
        assert_eq!(codes(&"x".repeat(201)), "too_long");
        assert_eq!(codes("десять сим"), "");
    }
}
