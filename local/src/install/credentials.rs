//! The admin's own credentials: a personal access token from the environment or the prompt, or a login at the prompt. They stay
//! on this machine, and the bundle never sees them.

use super::{person::Person, stop::Stop};
use crate::{
    failure::Failure,
    mattermost::{Login, Mattermost, Session},
};
use secrecy::{ExposeSecret, SecretString};

/// The variable that holds the admin's personal access token.
pub const ADMIN_TOKEN: &str = "CLOUD_APPS_ADMIN_TOKEN";

/// How often somebody may log in with a wrong name or password. A server locks an account after ten.
const LOGINS: usize = 3;

/// Does `work` as the admin, and then logs out if a session was opened for it.
pub async fn as_admin<T>(
    server: &Mattermost,
    token: Option<&SecretString>,
    person: &dyn Person,
    work: impl AsyncFnOnce(&Mattermost) -> Result<T, Stop>,
) -> Result<T, Stop> {
    let session = session(server, token, person).await?;
    let admin = session.server.clone();
    let outcome = work(&admin).await;
    if let Err(trouble) = session.close().await {
        person.tell(&format!(
            "Note: {trouble}. The session that was opened ends by itself; Profile > Security > View and SharedJournal Out of \
             Active Sessions ends it now."
        ));
    }
    outcome
}

async fn session(
    server: &Mattermost,
    token: Option<&SecretString>,
    person: &dyn Person,
) -> Result<Session, Stop> {
    if let Some(token) = token {
        return Ok(Session::of_token(server, token.clone()));
    }
    let site = server.site();
    if !person.answers() {
        return Err(Failure::usage(format!("nobody is at the terminal to log in to {site}"))
            .hint(format!(
                "set {ADMIN_TOKEN} to a personal access token of a system admin of that server (Profile > Security > \
                 Personal Access Tokens)"
            ))
            .into());
    }
    person.tell(&format!("Log in to {site}. What you type stays on this machine: the bundle never sees it."));
    let typed = person
        .ask_secretly(
            "Personal access token of a system admin, not shown (empty: log in with name and password):",
        )
        .await?;
    if !typed.expose_secret().trim().is_empty() {
        let token = SecretString::from(typed.expose_secret().trim());
        return Ok(Session::of_token(server, token));
    }
    for left in (0..LOGINS).rev() {
        match login(server, person).await {
            Err(Stop::Server(trouble)) if trouble.status() == Some(401) && left > 0 => {
                person.tell(&format!("  {trouble}"));
            }
            outcome => return outcome,
        }
    }
    Err(Failure::new("the login failed").into())
}

async fn login(server: &Mattermost, person: &dyn Person) -> Result<Session, Stop> {
    let name = person.ask("User name or e-mail:").await?;
    let password = person.ask_secretly("Password, not shown:").await?;
    let mut login = Login { name, password, code: None };
    match Session::login(server, &login).await {
        Err(trouble) if Session::wants_code(&trouble) => {
            login.code = Some(person.ask("Code of your authenticator:").await?);
            Ok(Session::login(server, &login).await?)
        }
        other => Ok(other?),
    }
}
