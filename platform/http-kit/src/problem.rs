//! What a request is answered with when it is refused or fails: RFC 9457 with a stable code.

use std::{borrow::Cow, fmt, time::Duration};

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::CommonProblem;

/// The result of a route.
pub type Result<T, E = Problem> = std::result::Result<T, E>;

/// A refusal or failure on its way to the client. Made from the enums of [`crate::problems!`], by
/// [`crate::Fields`], or from an error of the database.
#[derive(Clone)]
pub struct Problem(Box<Inner>);

#[derive(Clone)]
struct Inner {
    status: StatusCode,
    code: &'static str,
    detail: Cow<'static, str>,
    params: Map<String, Value>,
    errors: Vec<FieldError>,
    retry_after: Option<Duration>,
    /// Why an unexpected failure happened: logged, never sent.
    cause: Option<String>,
}

/// What is wrong with one field of a request body.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FieldError {
    /// The JSON path of the field, such as `hours.mon[0]`; empty for the body as a whole.
    pub field: String,
    /// The stable code of the fault, such as `required`.
    pub code: Cow<'static, str>,
    /// The fault in English.
    pub detail: String,
    /// The values named in the detail.
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    pub params: Map<String, Value>,
}

/// The body of every answer with a status of 400 or more (RFC 9457).
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// A URN made from the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The meaning of the status, in English.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The stable code of the problem, such as `campaign_not_found`.
    pub code: String,
    /// What happened, in English.
    pub detail: String,
    /// The values named in the detail.
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    pub params: Map<String, Value>,
    /// The fields at fault, for `validation_failed`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// For unexpected failures, the id under which the cause is logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
}

/// One line of a [`crate::problems!`] enum, for the reference and the translations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProblemInfo {
    /// The HTTP status.
    pub status: u16,
    /// The stable code.
    pub code: &'static str,
    /// The English sentence, with `{param}` where a value goes.
    pub detail: &'static str,
    /// The names of the values.
    pub params: &'static [&'static str],
    /// The doc comment: when it happens and what to do about it.
    pub about: &'static str,
}

/// Carried by an unexpected failure's response, so that it is logged once with its request id.
#[derive(Clone)]
pub(crate) struct Unexpected(pub(crate) Problem);

impl Problem {
    /// A problem with a `status` of 400 to 599 and its stable `code`. Prefer [`crate::problems!`],
    /// which puts the code into the reference.
    pub fn new(status: u16, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            code,
            detail: detail.into(),
            params: Map::new(),
            errors: Vec::new(),
            retry_after: None,
            cause: None,
        }))
    }

    /// An opaque 500. `cause` is logged with the request's id and never sent.
    pub fn unexpected(cause: impl fmt::Display) -> Self {
        let mut problem = Self::from(CommonProblem::Internal);
        problem.0.cause = Some(cause.to_string());
        problem
    }

    /// Adds a value that the detail names. A value that is no JSON is left out.
    pub fn param(mut self, name: &str, value: impl Serialize) -> Self {
        if let Ok(value) = serde_json::to_value(value) {
            self.0.params.insert(name.to_owned(), value);
        }
        self
    }

    /// Adds the fields at fault.
    pub fn errors(mut self, errors: Vec<FieldError>) -> Self {
        self.0.errors = errors;
        self
    }

    /// Tells the client when to try again, in whole seconds and at least one.
    pub fn retry_after(mut self, span: Duration) -> Self {
        self.0.retry_after = Some(span);
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// The values that the detail names.
    pub fn params(&self) -> &Map<String, Value> {
        &self.0.params
    }

    /// The faults by field.
    pub fn fields(&self) -> &[FieldError] {
        &self.0.errors
    }

    /// Why an unexpected failure happened.
    pub(crate) fn cause(&self) -> Option<&str> {
        self.0.cause.as_deref()
    }

    /// The answer, with the id under which the cause is logged.
    pub(crate) fn render(&self, trace_id: Option<String>) -> Response {
        let inner = &self.0;
        let body = ProblemBody {
            kind: format!("urn:switchbell:problem:{}", inner.code),
            title: inner.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: inner.status.as_u16(),
            code: inner.code.to_owned(),
            detail: inner.detail.clone().into_owned(),
            params: inner.params.clone(),
            errors: inner.errors.clone(),
            trace_id,
        };
        let mut response = (inner.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(span) = inner.retry_after {
            let seconds = span.as_secs() + u64::from(span.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Problem")
            .field("status", &self.0.status.as_u16())
            .field("code", &self.0.code)
            .field("params", &self.0.params)
            .field("errors", &self.0.errors)
            .field("cause", &self.0.cause)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.detail)?;
        self.0.cause.as_ref().map_or(Ok(()), |cause| write!(f, " ({cause})"))
    }
}

impl std::error::Error for Problem {}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.render(None);
        if self.0.cause.is_some() {
            response.extensions_mut().insert(Unexpected(self));
        }
        response
    }
}

impl From<db::Error> for Problem {
    fn from(error: db::Error) -> Self {
        match error {
            db::Error::NotFound => CommonProblem::NotFound.into(),
            db::Error::Unavailable(_)
            | db::Error::CommitUnknown(_)
            | db::Error::Retry(_)
            | db::Error::Closed => {
                tracing::warn!(%error, "the database is not available");
                Self::from(CommonProblem::Unavailable).retry_after(Duration::from_secs(5))
            }
            db::Error::Conflict(_) | db::Error::Db(_) | db::Error::Decode(_) => {
                Self::unexpected(error)
            }
        }
    }
}

/// Declares the ways in which the routes of a feature refuse, each with an HTTP status, a stable
/// code, an English sentence and a doc comment that becomes its page in the reference.
///
/// Values are named fields; the sentence may show them as `{name}`, and they are sent as `params`
/// for the translations. The enum turns into a [`Problem`] with `?` or `.into()`.
///
/// ```
/// http_kit::problems! {
///     /// Refusals about kettles.
///     pub enum KettleProblem {
///         /// The kettle was deleted or belongs to another account. Reload the list.
///         NotFound = (404, "kettle_not_found", "There is no such kettle."),
///         /// Wait until it has cooled down.
///         TooHot { degrees: u32 } = (409, "kettle_too_hot", "It has {degrees} degrees."),
///     }
/// }
/// let problem = http_kit::Problem::from(KettleProblem::TooHot { degrees: 99 });
/// assert_eq!(problem.to_string(), "kettle_too_hot: It has 99 degrees.");
/// assert_eq!(KettleProblem::ALL[1].params, ["degrees"]);
/// ```
#[macro_export]
macro_rules! problems {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $(
        $(#[doc = $doc:literal])+
        $variant:ident $({ $($param:ident : $type:ty),+ $(,)? })?
            = ($status:literal, $code:literal, $detail:literal)
    ),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        $vis enum $name { $(
            $(#[doc = $doc])+
            #[doc = ""]
            #[doc = concat!("HTTP ", $status, ", `", $code, "`: ", $detail)]
            $variant $({ $(#[doc = concat!("`", stringify!($param), "` of the sentence.")] $param: $type),+ })?,
        )+ }

        impl $name {
            /// Every problem, in the order of the enum.
            $vis const ALL: &'static [$crate::ProblemInfo] = &[$(
                $crate::ProblemInfo {
                    status: $status,
                    code: $code,
                    detail: $detail,
                    params: &[$($(stringify!($param)),+)?],
                    about: concat!($($doc, "\n"),+),
                },
            )+];
        }

        impl ::core::convert::From<$name> for $crate::Problem {
            fn from(problem: $name) -> Self {
                match problem { $(
                    $name::$variant $({ $($param),+ })? => {
                        let detail = ::std::format!($detail);
                        $crate::Problem::new($status, $code, detail)
                            $($(.param(stringify!($param), $param))+)?
                    }
                )+ }
            }
        }
    };
}
