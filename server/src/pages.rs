//! The web interface, which is inside the program.

use std::borrow::Cow;

use axum::{
    Router,
    body::Body,
    http::{HeaderValue, Method, Request, StatusCode, header},
    response::{IntoResponse, Response},
};
use http_kit::{CommonProblem, Problem, nonce, page_policy};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../web/dist"]
#[allow_missing = true]
struct Files;

/// Shown when the program was built without the pages.
const MISSING: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
    <title>Switchbell</title></head><body><h1>The pages are not built</h1>\
    <p>The server runs, but it was built before its pages. Run <code>make run</code>, or \
    <code>npm ci &amp;&amp; npm run build</code> in <code>web/</code> and build the server \
    again.</p></body></html>";

/// Serves the files, and the one page for every other address that could be a page.
pub(crate) fn router() -> Router {
    Router::new().fallback(page)
}

async fn page(request: Request<Body>) -> Response {
    let path = request.uri().path().trim_start_matches('/').to_owned();
    if path.starts_with("api/") || !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Problem::from(CommonProblem::NotFound).into_response();
    }
    match Files::get(&path) {
        Some(file) if path != "index.html" => {
            let kept = if path.starts_with("assets/") {
                // Their names hold a hash of what is in them.
                "public, max-age=31536000, immutable"
            } else {
                "no-cache"
            };
            let headers = [
                (header::CONTENT_TYPE, mime(&file.metadata)),
                (header::CACHE_CONTROL, HeaderValue::from_static(kept)),
            ];
            (headers, file.data.into_owned()).into_response()
        }
        // A file that is not there is not the page, or an old page would read HTML as a script.
        None if path.starts_with("assets/") => {
            Problem::from(CommonProblem::NotFound).into_response()
        }
        Some(_) | None => index(),
    }
}

fn mime(metadata: &rust_embed::Metadata) -> HeaderValue {
    HeaderValue::from_str(metadata.mimetype())
        .unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

/// The one page. Its nonce lets the components put in the styles that they make at run time; they
/// read it from `<meta name="csp-nonce">`.
fn index() -> Response {
    let nonce = nonce();
    let (status, html) = match Files::get("index.html") {
        Some(file) => {
            let meta = format!("<meta name=\"csp-nonce\" content=\"{nonce}\"></head>");
            let html = String::from_utf8_lossy(&file.data).replacen("</head>", &meta, 1);
            (StatusCode::OK, Cow::Owned(html))
        }
        None => (StatusCode::SERVICE_UNAVAILABLE, Cow::Borrowed(MISSING)),
    };
    let Ok(policy) = HeaderValue::try_from(page_policy(&nonce)) else {
        return Problem::unexpected("the page's policy is no header").into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::CONTENT_SECURITY_POLICY, policy),
    ];
    (status, headers, html.into_owned()).into_response()
}
