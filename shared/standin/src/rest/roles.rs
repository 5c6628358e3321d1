//! `/api/v4/roles`: the permissions of each role, as far as the stand-in checks them: `MakeDefaultRoles` in
//! `model/role.go`, `SetRolePermissionsFromConfig` in 5.37's `utils/authorization.go`.

use crate::api::{ApiRequest, ApiResult, Reply};
use crate::app_error::AppError;
use crate::database::Database;
use crate::ids;
use serde_json::{Value, json};

const SYSTEM_USER: &[&str] = &[
    "list_public_teams",
    "join_public_teams",
    "create_direct_channel",
    "create_group_channel",
    "view_members",
    "create_team",
];
const TEAM_USER: &[&str] = &[
    "list_team_channels",
    "join_public_channels",
    "read_public_channel",
    "view_team",
    "create_public_channel",
    "create_private_channel",
    "invite_user",
    "add_user_to_team",
];
const TEAM_ADMIN: &[&str] =
    &["remove_user_from_team", "manage_team", "manage_team_roles", "manage_channel_roles"];
const OTHERS: &[&str] =
    &["manage_others_incoming_webhooks", "manage_others_outgoing_webhooks", "manage_others_slash_commands"];
const CHANNEL_USER: &[&str] = &[
    "read_channel",
    "add_reaction",
    "remove_reaction",
    "manage_public_channel_members",
    "create_post",
    "use_channel_mentions",
    "manage_private_channel_members",
    "delete_post",
    "edit_post",
];
const TOKENS: &[&str] = &["create_user_access_token", "read_user_access_token", "revoke_user_access_token"];
const SYSTEM_ADMIN: &[&str] = &[
    "manage_system",
    "manage_roles",
    "manage_oauth",
    "manage_system_wide_oauth",
    "edit_other_users",
    "create_bot",
    "assign_bot",
    "read_bots",
    "read_others_bots",
    "manage_bots",
    "manage_others_bots",
    "create_post_ephemeral",
    "join_private_teams",
    "list_private_teams",
];

/// The roles that can be asked for. Users can also have the other built-in roles, which give no permission here.
const SERVED: &[&str] = &[
    "system_admin",
    "system_user",
    "system_user_access_token",
    "system_post_all",
    "team_user",
    "team_admin",
    "channel_user",
    "channel_admin",
];

/// Whether a user can be given the role.
pub(super) fn is_known(role: &str) -> bool {
    SERVED.contains(&role)
        || ["system_guest", "system_manager", "system_post_all_public", "system_user_manager"].contains(&role)
}

/// The permissions to manage the integrations that the user created. 11.2 renamed them.
fn own(db: &Database) -> [&'static str; 3] {
    if db.version.since_11() {
        ["manage_own_incoming_webhooks", "manage_own_outgoing_webhooks", "manage_own_slash_commands"]
    } else {
        ["manage_incoming_webhooks", "manage_outgoing_webhooks", "manage_slash_commands"]
    }
}

fn permissions(db: &Database, role: &str) -> Vec<&'static str> {
    let all = !db.settings.enable_only_admin_integrations;
    let mut list: Vec<&'static str> = match role {
        "system_admin" => {
            [SYSTEM_ADMIN, TOKENS, SYSTEM_USER, TEAM_USER, TEAM_ADMIN, OTHERS, CHANNEL_USER].concat()
        }
        "system_user" => SYSTEM_USER.to_vec(),
        "system_user_access_token" => TOKENS.to_vec(),
        "system_post_all" => vec!["create_post", "use_channel_mentions"],
        "team_user" => TEAM_USER.to_vec(),
        "team_admin" => [TEAM_ADMIN, OTHERS].concat(),
        "channel_user" => CHANNEL_USER.to_vec(),
        _ => vec!["manage_channel_roles", "use_group_mentions"],
    };
    if role == "system_admin" || role == "team_admin" || (role == "team_user" && all) {
        list.extend(own(db));
    }
    if role == "system_user" && all {
        list.push("manage_oauth");
    }
    if role == "channel_user" && !db.version.since_11() {
        list.push("use_slash_commands");
    }
    list
}

fn shape(db: &Database, role: &str) -> Value {
    let by_scheme = !["system_admin", "system_user_access_token", "system_post_all"].contains(&role);
    let shown = role.replace("system_user", "global_user").replace("system_admin", "global_admin");
    let shown = if role.starts_with("system_user_") { role.to_owned() } else { shown };
    json!({
        "id": ids::named(role), "name": role, "display_name": format!("authentication.roles.{shown}.name"),
        "description": format!("authentication.roles.{shown}.description"), "create_at": 0, "update_at": 0,
        "delete_at": 0, "permissions": permissions(db, role),
        "scheme_managed": by_scheme || role == "system_admin", "built_in": true,
    })
}

/// Unknown names are skipped.
pub(super) fn by_names(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let names: Vec<String> = request.body("rolenames")?;
    if names.is_empty() {
        return Err(AppError::bad_body("rolenames"));
    }
    let known = SERVED.iter().filter(|role| names.iter().any(|name| name == *role));
    Reply::ok(known.map(|role| shape(db, role)).collect::<Value>())
}

pub(super) fn by_name(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let name = request.path("role_name")?;
    let known = SERVED.iter().find(|role| **role == name);
    let role =
        known.ok_or_else(|| AppError::missing("app.role.get_by_name.app_error", "Unable to get role."))?;
    Reply::ok(shape(db, role))
}
