//! A line as the API shows and takes it.

use std::net::IpAddr;

use base::{Id, Timestamp, kind};
use dialer::Rate;
use http_kit::{Fields, Time};
use serde::{Deserialize, Serialize};
use settings::Secrets;
use utoipa::ToSchema;

use super::{Codec, Line, Mode, book::Shown};
use crate::demo::Demo;

/// A line.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Line)]
pub(crate) struct LineView {
    #[schema(value_type = String)]
    id: Id<kind::Line>,
    name: String,
    mode: Mode,
    /// Host name or address of the registrar or trunk.
    host: String,
    /// UDP port; 0 asks the DNS for it.
    port: u16,
    /// Always `udp`.
    transport: &'static str,
    user: Option<String>,
    /// Login for digest authentication where it differs from `user`.
    auth_user: Option<String>,
    /// Whether a password is stored. It is never shown.
    has_password: bool,
    realm: Option<String>,
    expires_s: u32,
    caller_id: Option<String>,
    /// Calls at once.
    channels: u32,
    /// Calls begun per second.
    calls_per_second: f64,
    /// The preferred first.
    codecs: Vec<Codec>,
    enabled: bool,
    /// For a line of the demo carrier, and for no other.
    demo: Option<Demo>,
    /// Send it back with a change.
    version: i64,
    health: HealthView,
    /// Channels in use now.
    in_use: u32,
}

impl LineView {
    /// Which.
    pub(super) const fn id(&self) -> Id<kind::Line> {
        self.id
    }
}

/// How a line fares.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = LineHealth)]
pub(crate) struct HealthView {
    /// `unknown`, `registering`, `ok`, `failing`, `down` or `disabled`.
    state: &'static str,
    since: Time,
    /// The last SIP status that was no success.
    code: Option<u16>,
    /// Its words, or what happened instead of an answer.
    reason: Option<String>,
    last_ok_at: Option<Time>,
}

impl From<Shown> for LineView {
    fn from(shown: Shown) -> Self {
        let line = &shown.line;
        Self {
            id: line.id,
            name: line.name.clone(),
            mode: line.mode,
            host: line.host.clone(),
            port: line.port,
            transport: "udp",
            user: line.login.clone(),
            auth_user: line.auth_login.clone(),
            has_password: line.password.is_some(),
            realm: line.realm.clone(),
            expires_s: line.expires_s,
            caller_id: line.caller_id.clone(),
            channels: line.channels,
            calls_per_second: line.rate.calls_per_second(),
            codecs: line.codecs.clone(),
            enabled: line.enabled,
            demo: line.demo,
            version: line.version,
            health: HealthView {
                state: if line.enabled { shown.health.state.as_str() } else { "disabled" },
                since: shown.health.since.into(),
                code: shown.health.code,
                reason: shown.health.reason,
                last_ok_at: shown.health.last_ok_at.map(Time::from),
            },
            in_use: shown.in_use,
        }
    }
}

/// A new line, or the fields of one that change.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub(crate) struct LineChange {
    pub(super) name: Option<String>,
    pub(super) mode: Option<Mode>,
    host: Option<String>,
    /// 1 to 65535, or 0 to ask the DNS. 5060 when absent.
    port: Option<u16>,
    #[serde(default, deserialize_with = "http_kit::present")]
    user: Option<Option<String>>,
    #[serde(default, deserialize_with = "http_kit::present")]
    auth_user: Option<Option<String>>,
    /// Stored sealed and never shown; null removes it.
    #[serde(default, deserialize_with = "http_kit::present")]
    password: Option<Option<String>>,
    #[serde(default, deserialize_with = "http_kit::present")]
    realm: Option<Option<String>>,
    /// 60 to 7200; 300 when absent.
    expires_s: Option<u32>,
    #[serde(default, deserialize_with = "http_kit::present")]
    caller_id: Option<Option<String>>,
    /// 1 to 1000; 1 when absent.
    pub(super) channels: Option<u32>,
    /// 0.001 to 1000; 1 when absent.
    pub(super) calls_per_second: Option<f64>,
    codecs: Option<Vec<Codec>>,
    enabled: Option<bool>,
    /// Of a line of the demo carrier.
    pub(super) demo: Option<Demo>,
    /// The version that was changed; absent overwrites whatever is there.
    pub(super) version: Option<i64>,
}

impl LineChange {
    /// A new line of the demo carrier: ten channels, five calls a second.
    pub(super) fn of_demo(name: Option<String>, demo: Demo) -> Self {
        Self {
            name,
            mode: Some(Mode::Demo),
            channels: Some(10),
            calls_per_second: Some(5.0),
            demo: Some(demo),
            ..Self::default()
        }
    }
}

impl Line {
    /// A line with the defaults, yet without what it cannot do without.
    pub(super) fn blank(id: Id<kind::Line>, account: Id<kind::Account>, now: Timestamp) -> Self {
        Self {
            id,
            account,
            name: String::new(),
            mode: Mode::Registration,
            host: String::new(),
            port: 5060,
            login: None,
            auth_login: None,
            password: None,
            realm: None,
            expires_s: 300,
            caller_id: None,
            channels: 1,
            rate: Rate::ONE,
            codecs: vec![Codec::Pcmu, Codec::Pcma],
            enabled: true,
            demo: None,
            version: 0,
            created_at: now,
            updated_at: now,
        }
    }

    /// Lays a change over the line and checks the whole; the version rises.
    pub(super) fn change(
        &mut self,
        change: LineChange,
        secrets: &Secrets,
        now: Timestamp,
    ) -> http_kit::Result<()> {
        let mut fields = Fields::new();
        if let Some(rate) = change.calls_per_second {
            match Rate::per_second(rate) {
                Some(rate) => self.rate = rate,
                None => fields.number("calls_per_second", rate, 0.001..=1_000.0),
            }
        }
        set(&mut self.name, change.name.map(|name| name.trim().to_owned()));
        self.change_mode(change.mode, &mut fields);
        if let Some(demo) = change.demo.filter(|_| self.mode == Mode::Demo) {
            self.demo = Some(demo);
        }
        set(&mut self.host, change.host.map(|host| host.trim().to_owned()));
        set(&mut self.port, change.port);
        set(&mut self.login, change.user.map(filled));
        set(&mut self.auth_login, change.auth_user.map(filled));
        set(&mut self.realm, change.realm.map(filled));
        set(&mut self.expires_s, change.expires_s);
        set(&mut self.caller_id, change.caller_id.map(filled));
        set(&mut self.channels, change.channels);
        set(&mut self.codecs, change.codecs);
        set(&mut self.enabled, change.enabled);
        if let Some(password) = change.password {
            let password = password.filter(|password| !password.is_empty());
            fields.text("password", password.as_deref().unwrap_or_default(), 0..=256);
            let context = self.password_context();
            self.password = password.map(|password| secrets.seal(&context, password.as_bytes()));
        }
        self.check(&mut fields);
        fields.finish()?;
        self.version += 1;
        self.updated_at = now;
        Ok(())
    }

    /// A new line gets its mode; later it may change between real ones only, because what was
    /// called over a demo line must never be called over a real one.
    fn change_mode(&mut self, mode: Option<Mode>, fields: &mut Fields) {
        let Some(mode) = mode else { return };
        let real = mode != Mode::Demo;
        let fixed = self.version > 0 && real == self.demo.is_some();
        let detail = "A demo line stays one, and a real line too.";
        fields.check("mode", !fixed, "mode_fixed", detail);
        if fixed {
            return;
        }
        self.mode = mode;
        if !real {
            self.demo.get_or_insert_default();
        }
    }

    fn check(&self, fields: &mut Fields) {
        fields.text("name", &self.name, 1..=80);
        if let Some(demo) = self.demo {
            fields.number("demo.seed", demo.seed, 0..=1_000_000);
        } else if self.host.is_empty() {
            fields.fault("host", "required", "Fill this in.");
        } else {
            fields.check(
                "host",
                is_host(&self.host),
                "invalid_host",
                "This is no host name or address.",
            );
        }
        fields.number("expires_s", self.expires_s, 60..=7_200);
        fields.number("channels", self.channels, 1..=1_000);
        let mut distinct = self.codecs.clone();
        distinct.sort();
        distinct.dedup();
        let sound = !distinct.is_empty() && distinct.len() == self.codecs.len();
        fields.check("codecs", sound, "codecs_invalid", "Name each codec once, and at least one.");
        let logins =
            [("user", &self.login), ("auth_user", &self.auth_login), ("realm", &self.realm)];
        for (field, text) in logins {
            if let Some(text) = text {
                fields.text(field, text, 1..=128);
                let plain =
                    !text.chars().any(|c| c.is_control() || matches!(c, '"' | '<' | '>' | '\\'));
                fields.check(
                    field,
                    plain,
                    "invalid_characters",
                    "Quotes, angle brackets and backslashes are not allowed.",
                );
            }
        }
        if let Some(number) = &self.caller_id {
            let fits = number.len() <= 40
                && number.bytes().all(|b| b.is_ascii_alphanumeric() || b"+._-".contains(&b));
            fields.check(
                "caller_id",
                fits,
                "invalid_caller_id",
                "A number, or up to 40 letters and digits.",
            );
        }
        if self.mode == Mode::Registration {
            fields.check("user", self.login.is_some(), "required", "Fill this in.");
            fields.check("password", self.password.is_some(), "required", "Fill this in.");
        }
    }
}

fn set<T>(field: &mut T, change: Option<T>) {
    if let Some(value) = change {
        *field = value;
    }
}

/// A text without blanks at the ends; an empty one is none.
fn filled(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// A host name (RFC 1123, 2.1) or an IP address, an IPv6 one with or without brackets.
fn is_host(text: &str) -> bool {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    if bare.parse::<IpAddr>().is_ok() {
        return true;
    }
    text.len() <= 253
        && text.trim_end_matches('.').split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_and_addresses_and_nothing_else() {
        for host in
            ["sip.example.com", "192.0.2.7", "2001:db8::1", "[2001:db8::1]", "pbx", "a_b.example."]
        {
            assert!(is_host(host), "{host}");
        }
        for host in ["", "a b", "sip:example.com", "host:5060", "-a.example", "a..b", "exa\nmple"] {
            assert!(!is_host(host), "{host:?}");
        }
    }

    #[test]
    fn a_registration_needs_its_credentials_and_the_password_is_stored_sealed() {
        let secrets = Secrets::from_key([7; 32]);
        let now = Timestamp::from_seconds(9);
        let mut line = Line::blank(Id::from_raw(1), Id::from_raw(2), now);
        let wish = LineChange {
            name: Some(" Kyiv ".to_owned()),
            host: Some("sip.example.com".to_owned()),
            ..LineChange::default()
        };
        let problem = line.change(wish.clone(), &secrets, now).unwrap_err();
        let fields: Vec<_> = problem.fields().iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields, ["user", "password"]);
        let wish = LineChange {
            user: Some(Some("1001".to_owned())),
            password: Some(Some("secret".to_owned())),
            ..wish
        };
        line.change(wish, &secrets, now).unwrap();
        assert_eq!((line.name.as_str(), line.version), ("Kyiv", 1));
        let sealed = line.password.clone().unwrap();
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        assert_eq!(secrets.open(&line.password_context(), &sealed).unwrap(), b"secret");
        let kept = LineChange { channels: Some(5), ..LineChange::default() };
        line.change(kept, &secrets, now).unwrap();
        assert_eq!(line.password, Some(sealed));
    }
}
