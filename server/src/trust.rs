//! What a device needs before it can sign in over HTTPS: the local authority's certificate and how to
//! trust it, without a session, without TLS and without scripts. And the proofs that a directory
//! looks for.

use std::{collections::BTreeMap, sync::LazyLock};

use axum::{
    Router,
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use base::Locale;
use http_kit::{CommonProblem, Problem, nonce};
use serde::Deserialize;
use serde_json::Value;
use tls::{AuthorityCard, Tls};

/// Paths that are served without TLS.
pub(crate) const OPEN: &[&str] = &["/trust", "/.well-known/acme-challenge"];

/// The words of the pages about HTTPS; these and the settings say the same.
const CATALOGUES: [(Locale, &str); 5] = [
    (Locale::En, include_str!("../../web/packages/i18n/locales/en/https.json")),
    (Locale::Uk, include_str!("../../web/packages/i18n/locales/uk/https.json")),
    (Locale::Ru, include_str!("../../web/packages/i18n/locales/ru/https.json")),
    (Locale::Uz, include_str!("../../web/packages/i18n/locales/uz/https.json")),
    (Locale::Vi, include_str!("../../web/packages/i18n/locales/vi/https.json")),
];

/// What each language calls itself.
const LANGUAGES: [(Locale, &str); 5] = [
    (Locale::En, "English"),
    (Locale::Uk, "Українська"),
    (Locale::Ru, "Русский"),
    (Locale::Uz, "Oʻzbekcha"),
    (Locale::Vi, "Tiếng Việt"),
];

/// Systems and browsers, in the order in which they are told.
const SYSTEMS: &[&str] = &["windows", "macos", "ios", "android", "linux", "firefox"];

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:1rem/1.5 system-ui,sans-serif;max-width:42rem;margin:0 auto;padding:1rem;\
color:#1c2126;background:#fff}\
h1{font-size:1.5rem}h2{font-size:1.125rem;margin-bottom:.25rem}\
code{overflow-wrap:anywhere;font-size:1rem}\
a{color:#0b5cad}nav a{margin-right:1rem}\
.get{display:inline-block;margin:.25rem 1rem .25rem 0;padding:.5rem 1rem;border-radius:.375rem;\
background:#0b5cad;color:#fff;text-decoration:none}\
:focus-visible{outline:3px solid #d97706;outline-offset:2px}\
@media(prefers-color-scheme:dark){body{color:#e6e9ec;background:#15191d}a{color:#7db8f0}\
.get{background:#7db8f0;color:#10151a}}";

static WORDS: LazyLock<BTreeMap<Locale, Value>> = LazyLock::new(|| {
    let parsed = |text: &str| serde_json::from_str(text).unwrap_or_default();
    CATALOGUES.iter().map(|(locale, text)| (*locale, parsed(text))).collect()
});

/// `/trust` and what lies below it, and the proofs.
pub(crate) fn router(tls: Tls) -> Router {
    Router::new()
        .route("/trust", get(page))
        .route("/trust/switchbell-ca.pem", get(pem))
        .route("/trust/switchbell-ca.crt", get(der))
        .route("/.well-known/acme-challenge/{token}", get(proof))
        .with_state(tls)
}

#[derive(Deserialize)]
struct Wish {
    lang: Option<String>,
}

async fn page(State(tls): State<Tls>, Query(wish): Query<Wish>, headers: HeaderMap) -> Response {
    let Some(authority) = tls.status().authority else {
        // Nobody has to be taught anything.
        return Redirect::temporary("/").into_response();
    };
    let asked = wish.lang.and_then(|lang| lang.parse().ok());
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let locale = asked.unwrap_or_else(|| accepted.map(preferred).unwrap_or_default());
    let nonce = nonce();
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    let Ok(policy) = HeaderValue::try_from(policy) else {
        return Problem::unexpected("the page's policy is no header").into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::VARY, HeaderValue::from_static("accept-language")),
        (header::CONTENT_SECURITY_POLICY, policy),
    ];
    (headers, html(locale, &authority, &nonce)).into_response()
}

async fn pem(State(tls): State<Tls>) -> Response {
    let kept = "attachment; filename=\"switchbell-ca.pem\"";
    let headers =
        [(header::CONTENT_TYPE, "application/x-pem-file"), (header::CONTENT_DISPOSITION, kept)];
    certificate(&tls, |card| (headers, card.pem).into_response())
}

async fn der(State(tls): State<Tls>) -> Response {
    // Phones offer to install what has this type, unless it is to be kept as a file.
    let headers = [(header::CONTENT_TYPE, "application/x-x509-ca-cert")];
    certificate(&tls, |card| (headers, card.der).into_response())
}

fn certificate(tls: &Tls, answer: impl FnOnce(AuthorityCard) -> Response) -> Response {
    let card = tls.status().authority;
    card.map_or_else(|| Problem::from(CommonProblem::NotFound).into_response(), answer)
}

async fn proof(State(tls): State<Tls>, Path(token): Path<String>) -> Response {
    match tls.proof(&token) {
        Some(proof) => {
            ([(header::CONTENT_TYPE, "application/octet-stream")], proof).into_response()
        }
        None => Problem::from(CommonProblem::NotFound).into_response(),
    }
}

/// The language of ours that the browser likes best (RFC 9110, 12.5.4).
fn preferred(accepted: &str) -> Locale {
    let mut best = (0.0, Locale::default());
    for wish in accepted.split(',') {
        let mut parts = wish.split(';');
        let tag = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        let quality = parts.find_map(|part| part.trim().strip_prefix("q=")?.parse::<f64>().ok());
        let quality = quality.unwrap_or(1.0);
        let language = tag.split('-').next().unwrap_or_default();
        if let Ok(locale) = language.parse::<Locale>()
            && quality > best.0
        {
            best = (quality, locale);
        }
    }
    best.1
}

/// The words at a path of the catalogue.
fn words(locale: Locale, path: &str) -> String {
    let found = WORDS.get(&locale).and_then(|words| words.pointer(path));
    escaped(found.and_then(Value::as_str).unwrap_or_default())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn html(locale: Locale, authority: &AuthorityCard, nonce: &str) -> String {
    let say = |path: &str| words(locale, path);
    let languages = LANGUAGES.iter().map(|(other, name)| {
        let code = other.code();
        let current = if *other == locale { " aria-current=\"true\"" } else { "" };
        format!("<a href=\"?lang={code}\" lang=\"{code}\"{current}>{name}</a>")
    });
    let languages = languages.collect::<Vec<_>>().concat();
    let systems = SYSTEMS.iter().map(|system| steps(locale, system)).collect::<Vec<_>>().concat();
    let (name, fingerprint) = (escaped(&authority.name), &authority.fingerprint);
    format!(
        "<!doctype html><html lang=\"{code}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>{title} – Switchbell</title><style nonce=\"{nonce}\">{STYLE}</style></head><body>\
         <nav aria-label=\"{language}\">{languages}</nav><main><h1>{title}</h1><p>{text}</p>\
         <p><a class=\"get\" href=\"/trust/switchbell-ca.crt\">{get}</a>\
         <a href=\"/trust/switchbell-ca.pem\">{get_pem}</a></p>\
         <h2>{check}</h2><p>{check_text}</p><p>{name}<br><code>{fingerprint}</code></p>\
         {systems}<p><a class=\"get\" href=\"/\">{go_on}</a></p></main></body></html>",
        code = locale.code(),
        title = say("/trust/title"),
        language = say("/trust/language"),
        text = say("/trust/text"),
        get = say("/trust/download"),
        get_pem = say("/trust/download_pem"),
        check = say("/trust/check"),
        check_text = say("/trust/check_text"),
        go_on = say("/trust/go_on"),
    )
}

/// How a system is told, step by step.
fn steps(locale: Locale, system: &str) -> String {
    let title = words(locale, &format!("/systems/{system}"));
    let path = format!("/steps/{system}");
    let steps = WORDS.get(&locale).and_then(|words| words.pointer(&path)?.as_object());
    let steps = steps.into_iter().flat_map(serde_json::Map::values).filter_map(Value::as_str);
    let items: Vec<String> = steps.map(|step| format!("<li>{}</li>", escaped(step))).collect();
    format!("<h2>{title}</h2><ol>{}</ol>", items.concat())
}

#[cfg(test)]
mod tests {
    use base::Timestamp;

    use super::*;

    #[test]
    fn the_browser_says_which_language() {
        for (accepted, locale) in [
            ("", Locale::En),
            ("de-DE,de;q=0.9", Locale::En),
            ("uk-UA,uk;q=0.9,en;q=0.8", Locale::Uk),
            ("en;q=0.4, vi;q=0.7", Locale::Vi),
            ("de, uz-Latn-UZ;q=0.5, ru;q=0.4", Locale::Uz),
            ("ru;q=0", Locale::En),
            (";;q=x,,ru", Locale::Ru),
        ] {
            assert_eq!(preferred(accepted), locale, "{accepted}");
        }
    }

    #[test]
    fn the_page_is_whole_in_every_language() {
        let card = AuthorityCard {
            name: "Switchbell on <pbx>".to_owned(),
            pem: String::new(),
            der: Vec::new(),
            fingerprint: "AB:CD".to_owned(),
            not_after: Timestamp::EPOCH,
        };
        for locale in Locale::ALL {
            let page = html(locale, &card, "n");
            assert!(page.contains(&format!("<html lang=\"{}\">", locale.code())));
            assert!(page.contains("Switchbell on &lt;pbx&gt;") && page.contains("AB:CD"));
            assert_eq!(page.matches("<ol><li>").count(), SYSTEMS.len(), "{locale:?}");
            for empty in ["<h1></h1>", "<h2></h2>", "<p></p>", "<li></li>", "\"></a>", "{{"] {
                assert!(!page.contains(empty), "{locale:?}: {empty}");
            }
            assert!(!page.contains("<script"));
        }
    }
}
