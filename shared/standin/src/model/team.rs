//! Teams and their members.

use super::Millis;

#[derive(Debug, Clone)]
pub(crate) struct Team {
    pub id: String,
    pub name: String,
    pub display_name: String,
    pub email: String,
    pub invite_id: String,
    pub create_at: Millis,
    pub update_at: Millis,
    /// When it was archived; 0 until then.
    pub delete_at: Millis,
}

#[derive(Debug, Clone)]
pub(crate) struct TeamMember {
    pub team_id: String,
    pub user_id: String,
    pub admin: bool,
}
