//! Digest access authentication (RFC 7616, RFC 8760), the answering side.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
};

use md5::Md5;
use sha2::Sha256;

/// A user and a password. Printing shows the user alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user name of the account at the carrier.
    pub user: String,
    /// Its password.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).finish_non_exhaustive()
    }
}

/// A hash that we know, the weaker first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Hash {
    Md5,
    Sha256,
}

impl Hash {
    fn hex(self, parts: &[&[u8]]) -> String {
        fn feed<D: sha2::Digest>(parts: &[&[u8]]) -> String {
            use fmt::Write;
            let mut hash = D::new();
            for (n, part) in parts.iter().enumerate() {
                if n > 0 {
                    hash.update(b":");
                }
                hash.update(part);
            }
            hash.finalize().iter().fold(String::new(), |mut out, byte| {
                let _ = write!(out, "{byte:02x}");
                out
            })
        }
        match self {
            Self::Md5 => feed::<Md5>(parts),
            Self::Sha256 => feed::<Sha256>(parts),
        }
    }

    /// The hash of an `algorithm`, and whether it is a session variant.
    fn of(name: &str) -> Option<(Self, bool)> {
        let name = name.to_ascii_lowercase();
        let (plain, session) =
            name.strip_suffix("-sess").map_or((name.as_str(), false), |plain| (plain, true));
        match plain {
            "md5" => Some((Self::Md5, session)),
            "sha-256" => Some((Self::Sha256, session)),
            _ => None,
        }
    }
}

/// What protection is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Qop {
    /// None: the rule of RFC 2069.
    None,
    Auth,
    AuthInt,
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Asker {
    /// The far end itself: 401.
    Server,
    /// A proxy on the way: 407.
    Proxy,
}

/// One challenge that we can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    asker: Asker,
    realm: String,
    nonce: String,
    opaque: Option<String>,
    /// As spelt, to be repeated; absent when it was.
    algorithm: Option<String>,
    hash: Hash,
    session: bool,
    qop: Qop,
    pub(crate) stale: bool,
}

impl Challenge {
    /// Reads one header value; `None` for schemes, hashes and protections that we do not know.
    pub(crate) fn parse(value: &[u8], asker: Asker) -> Option<Self> {
        let text = String::from_utf8_lossy(value);
        let text = text.trim_start();
        let scheme = text.get(..6)?;
        if !scheme.eq_ignore_ascii_case("digest") || !text[6..].starts_with([' ', '\t']) {
            return None;
        }
        let mut pairs = pairs(&text[6..]);
        let mut take = |name: &str| pairs.remove(name);
        let algorithm = take("algorithm");
        let (hash, session) = Hash::of(algorithm.as_deref().unwrap_or("MD5"))?;
        let qop = match take("qop") {
            None => Qop::None,
            Some(offered) => {
                let has = |wanted: &str| {
                    offered.split(',').any(|one| one.trim().eq_ignore_ascii_case(wanted))
                };
                match (has("auth"), has("auth-int")) {
                    (true, _) => Qop::Auth,
                    (false, true) => Qop::AuthInt,
                    (false, false) => return None,
                }
            }
        };
        let stale = take("stale").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        Some(Self {
            asker,
            realm: take("realm")?,
            nonce: take("nonce")?,
            opaque: take("opaque"),
            algorithm,
            hash,
            session,
            qop,
            stale,
        })
    }

    pub(crate) fn is_of(&self, realm: &str) -> bool {
        self.realm == realm
    }

    fn key(&self) -> Realm {
        (self.asker, self.realm.clone())
    }
}

/// `name=value` pairs, quoted or not; commas within quotes separate nothing.
fn pairs(text: &str) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    let mut rest = text.chars().peekable();
    loop {
        let name: String =
            std::iter::from_fn(|| rest.next_if(|c| *c != '=' && *c != ',')).collect();
        let name = name.trim().to_ascii_lowercase();
        match rest.next() {
            None => return out,
            Some(',') => continue,
            Some(_) => {}
        }
        while rest.next_if(|c| *c == ' ' || *c == '\t').is_some() {}
        let value = if rest.next_if_eq(&'"').is_some() {
            let mut value = String::new();
            while let Some(c) = rest.next() {
                match c {
                    '"' => break,
                    '\\' => value.extend(rest.next()),
                    c => value.push(c),
                }
            }
            while rest.next_if(|c| *c != ',').is_some() {}
            value
        } else {
            let raw: String = std::iter::from_fn(|| rest.next_if(|c| *c != ',')).collect();
            raw.trim().to_owned()
        };
        out.entry(name).or_insert(value);
    }
}

/// A request, as far as its digest cares.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) method: &'a str,
    pub(crate) uri: &'a str,
    pub(crate) body: &'a [u8],
}

type Realm = (Asker, String);

/// Nonces whose uses are counted. An older one that is used again is refused as stale and asked
/// for anew, so forgetting costs one round trip.
const NONCES_COUNTED: usize = 512;

/// Challenges that were met by a line, one per realm, kept for the requests that follow.
#[derive(Debug, Default)]
pub(crate) struct Keyring {
    latest: BTreeMap<Realm, Challenge>,
    uses: BTreeMap<String, u32>,
    oldest_first: VecDeque<String>,
}

/// What one request or call was challenged with: each realm is answered once, and once more when
/// its nonce was stale. A call goes on with its own nonces, because some are bound to a Call-ID.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Answered(BTreeMap<Realm, Challenge>);

impl Keyring {
    /// Takes in the challenges of a 401 or 407. True when the request is worth sending again.
    pub(crate) fn meet(&mut self, challenges: Vec<Challenge>, answered: &mut Answered) -> bool {
        // The strongest per realm; the first of equals (RFC 8760, 2.4 by local policy: nobody on
        // the way may make us weaker by reordering).
        let mut strongest: BTreeMap<Realm, Challenge> = BTreeMap::new();
        for challenge in challenges {
            match strongest.get(&challenge.key()) {
                Some(have) if have.hash >= challenge.hash => {}
                _ => {
                    strongest.insert(challenge.key(), challenge);
                }
            }
        }
        let mut worth_it = false;
        for (key, challenge) in strongest {
            let again = match answered.0.get(&key) {
                None => true,
                Some(before) => challenge.stale && !before.stale,
            };
            if again {
                answered.0.insert(key.clone(), challenge.clone());
                worth_it = true;
            }
            self.latest.insert(key, challenge);
        }
        worth_it
    }

    /// The authorization headers of a request, one for every realm that is known. `cnonce` is
    /// fresh for the request.
    pub(crate) fn answer(
        &mut self,
        credentials: &Credentials,
        subject: Subject<'_>,
        cnonce: &str,
        answered: &Answered,
    ) -> Vec<(Asker, String)> {
        let mut known = self.latest.clone();
        known.extend(answered.0.clone());
        known
            .into_values()
            .map(|challenge| {
                let uses = self.count(&challenge.nonce);
                (challenge.asker, respond(&challenge, credentials, subject, uses, cnonce))
            })
            .collect()
    }

    fn count(&mut self, nonce: &str) -> u32 {
        if let Some(uses) = self.uses.get_mut(nonce) {
            *uses += 1;
            return *uses;
        }
        if self.oldest_first.len() >= NONCES_COUNTED
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.uses.remove(&oldest);
        }
        self.oldest_first.push_back(nonce.to_owned());
        self.uses.insert(nonce.to_owned(), 1);
        1
    }
}

/// The value of the Authorization header (RFC 7616, 3.4.1).
fn respond(
    challenge: &Challenge,
    credentials: &Credentials,
    subject: Subject<'_>,
    uses: u32,
    cnonce: &str,
) -> String {
    let Challenge { realm, nonce, hash, .. } = challenge;
    let Credentials { user, password } = credentials;
    let mut secret = hash.hex(&[user.as_bytes(), realm.as_bytes(), password.as_bytes()]);
    if challenge.session {
        secret = hash.hex(&[secret.as_bytes(), nonce.as_bytes(), cnonce.as_bytes()]);
    }
    let body = hash.hex(&[subject.body]);
    let mut what = vec![subject.method.as_bytes(), subject.uri.as_bytes()];
    if challenge.qop == Qop::AuthInt {
        what.push(body.as_bytes());
    }
    let what = hash.hex(&what);
    let count = format!("{uses:08x}");
    let qop = match challenge.qop {
        Qop::None => None,
        Qop::Auth => Some("auth"),
        Qop::AuthInt => Some("auth-int"),
    };
    let response = match qop {
        None => hash.hex(&[secret.as_bytes(), nonce.as_bytes(), what.as_bytes()]),
        Some(qop) => hash.hex(&[
            secret.as_bytes(),
            nonce.as_bytes(),
            count.as_bytes(),
            cnonce.as_bytes(),
            qop.as_bytes(),
            what.as_bytes(),
        ]),
    };
    let mut out = format!(
        "Digest username=\"{}\", realm=\"{}\", nonce=\"{}\", uri=\"{}\", response=\"{response}\"",
        escaped(user),
        escaped(realm),
        escaped(nonce),
        escaped(subject.uri),
    );
    if let Some(algorithm) = &challenge.algorithm {
        out.push_str(&format!(", algorithm={algorithm}"));
    }
    if let Some(qop) = qop {
        out.push_str(&format!(", qop={qop}, nc={count}, cnonce=\"{cnonce}\""));
    } else if challenge.session {
        out.push_str(&format!(", cnonce=\"{cnonce}\""));
    }
    if let Some(opaque) = &challenge.opaque {
        out.push_str(&format!(", opaque=\"{}\"", escaped(opaque)));
    }
    out
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mufasa(password: &str) -> Credentials {
        Credentials { user: "Mufasa".into(), password: password.into() }
    }

    fn field(header: &str, name: &str) -> String {
        pairs(header.strip_prefix("Digest").unwrap()).remove(name).unwrap()
    }

    #[test]
    fn the_examples_of_rfc_7616_come_out() {
        let subject = Subject { method: "GET", uri: "/dir/index.html", body: b"" };
        for (algorithm, response) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let value = format!(
                "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", \
                 algorithm={algorithm}, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
                 opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
            );
            let challenge = Challenge::parse(value.as_bytes(), Asker::Server).unwrap();
            let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
            let header = respond(&challenge, &mufasa("Circle of Life"), subject, 1, cnonce);
            assert_eq!(field(&header, "response"), response, "{algorithm}");
            assert_eq!(field(&header, "nc"), "00000001");
        }
    }

    #[test]
    fn the_rule_of_rfc_2069_is_used_when_no_protection_is_asked_for() {
        let value =
            b"Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"";
        let challenge = Challenge::parse(value, Asker::Server).unwrap();
        let subject = Subject { method: "GET", uri: "/dir/index.html", body: b"" };
        let header = respond(&challenge, &mufasa("Circle Of Life"), subject, 1, "x");
        assert_eq!(field(&header, "response"), "670fd8c2df070c60b045671b8b24ff02");
        assert!(!header.contains("qop") && !header.contains("algorithm"));
    }

    #[test]
    fn auth_int_covers_the_body() {
        let value = b"Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"";
        let challenge = Challenge::parse(value, Asker::Proxy).unwrap();
        let with = |body| {
            let subject = Subject { method: "INVITE", uri: "sip:a@b", body };
            field(&respond(&challenge, &mufasa("p"), subject, 1, "c"), "response")
        };
        assert_ne!(with(b"v=0"), with(b"v=1"));
        let ha1 = Hash::Md5.hex(&[b"Mufasa", b"r", b"p"]);
        let ha2 = Hash::Md5.hex(&[b"INVITE", b"sip:a@b", Hash::Md5.hex(&[b"v=0"]).as_bytes()]);
        let wanted =
            Hash::Md5.hex(&[ha1.as_bytes(), b"n", b"00000001", b"c", b"auth-int", ha2.as_bytes()]);
        assert_eq!(with(b"v=0"), wanted);
    }

    #[test]
    fn schemes_and_hashes_that_we_do_not_know_are_passed_over() {
        for value in [
            &b"Bearer realm=\"r\""[..],
            b"Basic realm=\"r\"",
            b"Digest realm=\"r\", nonce=\"n\", algorithm=SHA-512-256",
            b"Digest realm=\"r\", nonce=\"n\", qop=\"future\"",
            b"Digest nonce=\"n\"",
            b"Digestive realm=\"r\", nonce=\"n\"",
            b"",
        ] {
            assert_eq!(Challenge::parse(value, Asker::Server), None);
        }
    }

    #[test]
    fn the_strongest_challenge_of_a_realm_is_answered_and_each_realm_once() {
        let challenge = |text: &str, asker| Challenge::parse(text.as_bytes(), asker).unwrap();
        let mut ring = Keyring::default();
        let mut answered = Answered::default();
        let both = vec![
            challenge(
                "Digest realm=\"a\", nonce=\"1\", algorithm=MD5, qop=\"auth\"",
                Asker::Server,
            ),
            challenge(
                "Digest realm=\"a\", nonce=\"2\", algorithm=SHA-256, qop=\"auth\"",
                Asker::Server,
            ),
            challenge("Digest realm=\"b\", nonce=\"3\", qop=\"auth\"", Asker::Proxy),
        ];
        assert!(ring.meet(both.clone(), &mut answered));
        let subject = Subject { method: "INVITE", uri: "sip:x@y", body: b"" };
        let headers = ring.answer(&mufasa("p"), subject, "c", &answered);
        assert_eq!(headers.len(), 2);
        assert!(headers[0].1.contains("algorithm=SHA-256") && headers[0].0 == Asker::Server);
        assert!(!ring.meet(both, &mut answered), "the password is wrong: no third try");
    }

    #[test]
    fn a_stale_nonce_is_answered_once_more_and_a_nonce_is_used_again_with_its_count() {
        let mut ring = Keyring::default();
        let mut answered = Answered::default();
        let fresh =
            Challenge::parse(b"Digest realm=\"a\", nonce=\"1\", qop=\"auth\"", Asker::Server);
        let stale = Challenge::parse(
            b"Digest realm=\"a\", nonce=\"2\", qop=\"auth\", stale=TRUE",
            Asker::Server,
        );
        let subject = Subject { method: "INVITE", uri: "sip:x@y", body: b"" };
        assert!(ring.meet(vec![fresh.unwrap()], &mut answered));
        for count in ["00000001", "00000002"] {
            let headers = ring.answer(&mufasa("p"), subject, "c", &answered);
            assert_eq!(field(&headers[0].1, "nc"), count);
        }
        assert!(ring.meet(vec![stale.clone().unwrap()], &mut answered));
        let headers = ring.answer(&mufasa("p"), subject, "c", &answered);
        assert_eq!(
            (field(&headers[0].1, "nc"), field(&headers[0].1, "nonce")),
            ("00000001".into(), "2".into())
        );
        assert!(!ring.meet(vec![stale.unwrap()], &mut answered), "twice stale is a loop");
    }

    #[test]
    fn quotes_and_passwords_do_not_leak() {
        let value = br#"Digest realm="a \"b\", c", nonce="n""#;
        let challenge = Challenge::parse(value, Asker::Server).unwrap();
        assert_eq!(challenge.realm, "a \"b\", c");
        assert!(!format!("{:?}", mufasa("secret")).contains("secret"));
    }
}
