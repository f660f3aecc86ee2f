//! Lists the roles.

use access::Role;
use http_kit::Json;

use crate::view::RoleView;

/// The roles
///
/// The presets with what each may do.
#[utoipa::path(
    get,
    path = "/roles",
    operation_id = "list_roles",
    tag = "people",
    responses((status = 200, body = Vec<RoleView>))
)]
pub(crate) async fn list_roles() -> Json<Vec<RoleView>> {
    let roles = Role::ALL.into_iter();
    Json(roles.map(|role| RoleView { role, permissions: role.permissions() }).collect())
}
