//! A service account of Google: its key file, and the token that the key gets (RFC 7523).

use base::Timestamp;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{rand::SystemRandom, rsa::KeyPair, signature::RSA_PKCS1_SHA256};
use serde::Deserialize;
use serde_json::json;

use super::fault::SourceFault;

/// Reading sheets, and nothing else.
const SCOPE: &str = "https://www.googleapis.com/auth/spreadsheets.readonly";
/// Seconds that the assertion holds; the longest that is accepted.
const HOLDS_S: i64 = 3_600;
/// What is posted besides.
pub(crate) const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// The key file that Google gives out, as far as it is needed.
#[derive(Clone, Deserialize)]
pub(crate) struct KeyFile {
    /// The address to share a sheet with.
    pub(crate) client_email: String,
    private_key: String,
    #[serde(default)]
    private_key_id: String,
    /// Where a token is got.
    #[serde(default = "token_uri")]
    pub(crate) token_uri: String,
}

fn token_uri() -> String {
    "https://oauth2.googleapis.com/token".to_owned()
}

/// What the token's end answers.
#[derive(Deserialize)]
pub(crate) struct Token {
    pub(crate) access_token: String,
}

impl KeyFile {
    /// Reads the text of the file.
    pub(crate) fn of(text: &str) -> Result<Self, SourceFault> {
        let file: Self = serde_json::from_str(text).map_err(|_| SourceFault::bare("key_file"))?;
        file.key()?;
        Ok(file)
    }

    fn key(&self) -> Result<KeyPair, SourceFault> {
        let wrong = || SourceFault::bare("key_file");
        let body: String = self
            .private_key
            .lines()
            .map(str::trim)
            .filter(|line| !line.starts_with("-----"))
            .collect();
        let der = STANDARD.decode(body).map_err(|_| wrong())?;
        KeyPair::from_pkcs8(&der).map_err(|_| wrong())
    }

    /// What says, signed, who asks for a token.
    pub(crate) fn assertion(&self, now: Timestamp) -> Result<String, SourceFault> {
        let key = self.key()?;
        let issued = now.micros() / 1_000_000;
        let mut header = json!({ "alg": "RS256", "typ": "JWT" });
        if !self.private_key_id.is_empty() {
            header["kid"] = self.private_key_id.clone().into();
        }
        let claims = json!({
            "iss": self.client_email,
            "scope": SCOPE,
            "aud": self.token_uri,
            "iat": issued,
            "exp": issued + HOLDS_S,
        });
        let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let mut signature = vec![0; key.public().modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| SourceFault::bare("key_file"))?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

#[cfg(test)]
mod tests {
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    use super::*;

    /// A key made for this test alone.
    const KEY: &str = include_str!("testing/robot.pem");

    #[test]
    fn alo_11_the_assertion_is_signed_by_the_key_of_the_file() {
        let text = json!({
            "type": "service_account",
            "client_email": "robot@project.iam.gserviceaccount.com",
            "private_key": KEY,
            "private_key_id": "k1",
        })
        .to_string();
        let file = KeyFile::of(&text).unwrap();
        let assertion = file.assertion(Timestamp::from_seconds(1_800_000_000)).unwrap();
        let mut parts = assertion.rsplitn(2, '.');
        let (signature, signed) = (parts.next().unwrap(), parts.next().unwrap());
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let pair = file.key().unwrap();
        let public: &[u8] = pair.public().as_ref();
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public)
            .verify(signed.as_bytes(), &signature)
            .unwrap();
        let claims = URL_SAFE_NO_PAD.decode(signed.split('.').nth(1).unwrap()).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims["iss"], "robot@project.iam.gserviceaccount.com");
        assert_eq!(claims["aud"], "https://oauth2.googleapis.com/token");
        assert_eq!(claims["exp"], 1_800_003_600_i64);
    }

    #[test]
    fn a_file_without_a_usable_key_is_refused() {
        for text in ["", "{}", r#"{"client_email":"a","private_key":"-----BEGIN"}"#] {
            assert!(KeyFile::of(text).is_err(), "{text}");
        }
    }
}
