//! The outer layers: request ids, panics, security headers, compression, hosts.

use std::any::Any;

use axum::{
    Extension,
    extract::Request,
    http::{HeaderName, HeaderValue, header},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
};
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{
        CompressionLayer, Predicate as _,
        predicate::{DefaultPredicate, NotForContentType},
    },
};
use tracing::Instrument as _;
use utoipa::openapi::OpenApi;

use crate::{ApiRouter, CommonProblem, Gate, Origins, Problem, Route, problem::Unexpected, router};

/// For a year, a browser that came encrypted comes in no other way.
const STRICT: &str = "max-age=31536000";

/// What surrounds every route.
pub struct Front {
    /// The addresses that are answered for.
    pub origins: Origins,
    /// What the permission check needs.
    pub gate: Gate,
    /// The version in the OpenAPI document.
    pub version: &'static str,
}

/// The whole HTTP side, ready to be served.
pub struct App {
    /// Serve it with [`crate::Peer`] as connect info.
    pub router: axum::Router,
    /// The description of the API.
    pub document: OpenApi,
    /// Every operation of the API.
    pub table: Vec<Route>,
}

impl Front {
    /// Puts the layers around the API and the `pages` that stand beside it (the web interface and
    /// its fallback, probes), which are made knowing the API's description.
    pub fn build<E>(
        self,
        api: ApiRouter,
        pages: impl FnOnce(&OpenApi) -> Result<axum::Router, E>,
    ) -> Result<App, E> {
        let (api, mut document, table) = api.into_parts();
        router::complete(&mut document, self.version);
        let origins = self.origins;
        let site = from_fn(move |request: Request, next: Next| {
            let checked = origins.check(&request);
            let strict = checked.as_ref().is_ok_and(|site| origins.strict(site));
            let instead = checked.as_ref().ok().and_then(|site| origins.demand(&request, site));
            async move {
                let mut response = match (checked, instead) {
                    (Ok(_), Some(instead)) => instead,
                    (Ok(site), None) => {
                        let mut request = request;
                        request.extensions_mut().insert(site);
                        next.run(request).await
                    }
                    (Err(problem), _) => problem.into_response(),
                };
                if strict {
                    let value = HeaderValue::from_static(STRICT);
                    response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, value);
                }
                response
            }
        });
        let quiet = DefaultPredicate::new()
            .and(NotForContentType::const_new("audio/"))
            .and(NotForContentType::const_new("application/octet-stream"));
        let router = api
            .merge(pages(&document)?)
            .method_not_allowed_fallback(|| async {
                Problem::from(CommonProblem::MethodNotAllowed)
            })
            .layer(Extension(self.gate))
            .layer(site)
            .layer(CompressionLayer::new().compress_when(quiet))
            .layer(CatchPanicLayer::custom(panicked))
            .layer(from_fn(secure))
            .layer(from_fn(identify));
        Ok(App { router, document, table })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that the layer asks for")]
fn panicked(payload: Box<dyn Any + Send + 'static>) -> Response {
    let text = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    Problem::unexpected(format!("a handler panicked: {text}")).into_response()
}

/// Gives the request an id, logs what was unexpected under it, once, and tells it to the client.
async fn identify(request: Request, next: Next) -> Response {
    let id = format!("{:032x}", rand::random::<u128>());
    let span = tracing::info_span!(
        "http", request.id = id, method = %request.method(), path = request.uri().path()
    );
    let mut response = next.run(request).instrument(span.clone()).await;
    if let Some(Unexpected(problem)) = response.extensions_mut().remove::<Unexpected>() {
        let cause = problem.cause().unwrap_or_default();
        span.in_scope(|| tracing::error!(request.id = id, cause, "a request failed: {id}"));
        let headers = std::mem::take(response.headers_mut());
        response = problem.render(Some(id.clone()));
        for (name, value) in &headers {
            let own = *name == header::CONTENT_LENGTH || *name == header::CONTENT_ENCODING;
            if !own && !response.headers().contains_key(name) {
                response.headers_mut().append(name, value.clone());
            }
        }
    }
    if let Ok(value) = HeaderValue::try_from(id) {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}

/// Headers that every answer has; a page brings its own policy with [`page_policy`].
async fn secure(request: Request, next: Next) -> Response {
    let api = request.uri().path().starts_with("/api/");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'");
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::REFERRER_POLICY, "same-origin");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    set(
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(self), payment=(), usb=()",
    );
    if api {
        set(header::CACHE_CONTROL, "no-store");
    }
    response
}

/// A fresh value for the one page that may carry `<style nonce>`.
pub fn nonce() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// The content security policy of the web interface: its own files only. Styles that its parts
/// make at run time carry the page's nonce; there are no inline scripts.
pub fn page_policy(nonce: &str) -> String {
    format!(
        "default-src 'self'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; \
         img-src 'self' blob:; media-src 'self' blob:; font-src 'self'; connect-src 'self'; \
         object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
}
