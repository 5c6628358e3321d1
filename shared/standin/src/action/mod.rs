//! Post actions: from the button or menu that a user clicks to the integration, and from its answer to the post.
//!
//! Source: `doPostAction` in mattermost-server `api4/integration_action.go`, `DoPostActionWithCookie` in
//! `app/integration_action.go`; checked against the recordings of both versions. The integration is in the stored post.
//! An ephemeral post is not stored; its client sends the integration back in a cookie.

mod click;
mod response;

pub(crate) use click::click;
