//! Routes that each name a permission, or say why they need none.

use access::Permission;
use axum::{
    extract::{DefaultBodyLimit, Request},
    http::Method,
    middleware::{Next, from_fn},
    routing::MethodRouter,
};
use serde_json::{Value, json};
use utoipa::{
    PartialSchema as _,
    openapi::{
        Content, OpenApi, OpenApiBuilder, RefOr, ResponseBuilder,
        extensions::ExtensionsBuilder,
        path::{Operation, PathItem, Paths},
        security::SecurityRequirement,
    },
};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::{ProblemBody, gate};

/// The largest body that a route takes unless it says otherwise: 1 MiB.
pub const BODY_LIMIT: u64 = 1 << 20;

/// Routes with their OpenAPI description and what each asks of the caller.
///
/// There is no way to add a route without [`ApiRouter::with`] or [`ApiRouter::public`], so a route
/// without a permission cannot be written:
///
/// ```compile_fail
/// # #[utoipa::path(get, path = "/kettles", responses((status = 200)))]
/// # async fn kettles() {}
/// http_kit::ApiRouter::<()>::new().routes(http_kit::routes!(kettles));
/// ```
///
/// ```
/// # #[utoipa::path(get, path = "/kettles", responses((status = 200)))]
/// # async fn kettles() {}
/// use access::Permission;
/// let api = http_kit::ApiRouter::<()>::new()
///     .with(Permission::LineView, http_kit::routes!(kettles));
/// assert_eq!(api.table()[0].path, "/kettles");
/// ```
pub struct ApiRouter<S = ()> {
    inner: OpenApiRouter<S>,
    table: Vec<Route>,
}

/// One operation of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, with `{name}` where a value goes.
    pub path: String,
    /// What it asks of the caller.
    pub access: Access,
    /// The name of the operation in the OpenAPI document.
    pub operation: String,
}

/// What a route asks of the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// A session whose role has this permission.
    Permission(Permission),
    /// Nothing, for this reason.
    Public(&'static str),
}

impl<S: Clone + Send + Sync + 'static> Default for ApiRouter<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Clone + Send + Sync + 'static> ApiRouter<S> {
    /// No routes yet.
    pub fn new() -> Self {
        let document = OpenApiBuilder::new().build();
        Self { inner: OpenApiRouter::with_openapi(document), table: Vec::new() }
    }

    /// Adds routes that need `permission`, which is checked before the body is read. A `POST` with
    /// an `Idempotency-Key` is answered once. The body may have up to [`BODY_LIMIT`] bytes.
    pub fn with(self, permission: Permission, routes: UtoipaMethodRouter<S>) -> Self {
        self.add(Access::Permission(permission), BODY_LIMIT, true, routes)
    }

    /// Adds routes that need `permission` and read up to `max_bytes` as they arrive, with
    /// [`crate::Upload`]. `Idempotency-Key` is not looked at, since the body is not held.
    pub fn upload(
        self,
        permission: Permission,
        max_bytes: u64,
        routes: UtoipaMethodRouter<S>,
    ) -> Self {
        self.add(Access::Permission(permission), max_bytes, false, routes)
    }

    /// Adds routes that anybody may call, with the reason why.
    pub fn public(self, reason: &'static str, routes: UtoipaMethodRouter<S>) -> Self {
        self.add(Access::Public(reason), BODY_LIMIT, false, routes)
    }

    /// All routes of both.
    pub fn merge(mut self, other: Self) -> Self {
        self.table.extend(other.table);
        Self { inner: self.inner.merge(other.inner), table: self.table }
    }

    /// The routes under `prefix`, such as `/api/v1`.
    pub fn under(self, prefix: &str) -> Self {
        let mut table = self.table;
        for route in &mut table {
            route.path.insert_str(0, prefix);
        }
        let outer = OpenApiRouter::with_openapi(OpenApiBuilder::new().build());
        Self { inner: outer.nest(prefix, self.inner), table }
    }

    /// Gives the handlers their state.
    pub fn with_state<T: Clone + Send + Sync + 'static>(self, state: S) -> ApiRouter<T> {
        ApiRouter { inner: self.inner.with_state(state), table: self.table }
    }

    /// Every operation, in the order in which they were added.
    pub fn table(&self) -> &[Route] {
        &self.table
    }

    /// The router, the OpenAPI description and the table.
    pub(crate) fn into_parts(self) -> (axum::Router<S>, OpenApi, Vec<Route>) {
        let (router, document) = self.inner.split_for_parts();
        (router, document, self.table)
    }

    fn add(
        mut self,
        access: Access,
        max_bytes: u64,
        idempotent: bool,
        (schemas, mut paths, routes): UtoipaMethodRouter<S>,
    ) -> Self {
        self.describe(access, &mut paths);
        let routes: MethodRouter<S> = routes
            .layer(DefaultBodyLimit::max(usize::try_from(max_bytes).unwrap_or(usize::MAX)))
            .route_layer(from_fn(gate::attribute))
            .route_layer(from_fn(move |request: Request, next: Next| {
                gate::guard(access, max_bytes, idempotent, request, next)
            }));
        self.inner = self.inner.routes((schemas, paths, routes));
        self
    }

    /// Writes the permission and the common answers into the operations, and the operations into
    /// the table.
    fn describe(&mut self, access: Access, paths: &mut Paths) {
        for (path, item) in &mut paths.paths {
            for (method, operation) in operations(item) {
                mark(operation, access);
                self.table.push(Route {
                    method,
                    path: path.clone(),
                    access,
                    operation: operation.operation_id.clone().unwrap_or_default(),
                });
            }
        }
    }
}

/// The operations of a path with their methods.
fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    [
        (Method::GET, &mut item.get),
        (Method::PUT, &mut item.put),
        (Method::POST, &mut item.post),
        (Method::DELETE, &mut item.delete),
        (Method::OPTIONS, &mut item.options),
        (Method::HEAD, &mut item.head),
        (Method::PATCH, &mut item.patch),
        (Method::TRACE, &mut item.trace),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

fn mark(operation: &mut Operation, access: Access) {
    let (name, value): (&str, Value) = match access {
        Access::Permission(permission) => ("x-permission", json!(permission)),
        Access::Public(reason) => ("x-public", json!(reason)),
    };
    let marks = ExtensionsBuilder::new().add(name, value).build();
    operation.extensions.get_or_insert_default().merge(marks);
    operation.security = Some(match access {
        Access::Permission(_) => {
            vec![SecurityRequirement::new("session", Vec::<String>::new())]
        }
        Access::Public(_) => Vec::new(),
    });
    operation.responses.responses.entry("default".to_owned()).or_insert_with(|| {
        let body = Content::new(Some(utoipa::openapi::Ref::from_schema_name("Problem")));
        RefOr::T(
            ResponseBuilder::new()
                .description("A problem (RFC 9457).")
                .content("application/problem+json", body)
                .build(),
        )
    });
}

/// Completes the document of the whole API: title, version, the session cookie, the problem schema.
pub(crate) fn complete(document: &mut OpenApi, version: &str) {
    use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};

    "Switchbell".clone_into(&mut document.info.title);
    version.clone_into(&mut document.info.version);
    document.info.description = Some(
        "Ids are decimal strings, moments RFC 3339 in UTC, spans whole seconds in fields that \
         end in `_s`. `x-permission` names what the caller's role must allow. On plain HTTP the \
         session cookie is named `sb_session`."
            .to_owned(),
    );
    let components = document.components.get_or_insert_default();
    let mut schemas = vec![("Problem".to_owned(), ProblemBody::schema())];
    <ProblemBody as utoipa::ToSchema>::schemas(&mut schemas);
    components.schemas.extend(schemas);
    components.add_security_scheme(
        "session",
        SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("__Host-sb_session"))),
    );
}
