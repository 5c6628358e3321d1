//! Who may see and change an install: its server, with a token, and the holder of a manage code. The credential is always
//! checked before the body is read. Operators have their own way in.

use super::{codes, removed::remembered, stored};
use crate::{
    authenticate::{
        self,
        jwt::{self, Signed},
    },
    http::{Arrival, LogLine, Refusal},
    services::Management,
    store::{
        model::{Install, Sha256},
        rules::over,
    },
};
use cloud_apps_protocol::{
    AppId, Code, Millis,
    install::InstallRemoved,
    token::{Credential, Scope},
};
use std::sync::Arc;
use zeroize::Zeroizing;

/// What a valid credential gives access to.
pub(crate) enum Found {
    /// The install, in any state.
    Stands(Arc<Install>, By),
    /// The install, for a server that has the previous secret. It may see and change nothing. It may only get the lost answer
    /// to its own rotation again.
    Replaced(Arc<Install>),
    /// The install was removed. This was the answer.
    Gone(InstallRemoved),
}

/// Who makes a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// The server, with its current secret.
    Server,
    /// The holder of a manage code. The code ends after a day at most, and so does everything that was done with it.
    Holder {
        /// When the code was made.
        made_at: Millis,
    },
    /// An operator of the bundle.
    Operator,
}

impl By {
    /// Refuses a change that would outlive a manage code, if a holder of one asks for it. `what` is the change, and `command`
    /// is the operator's command for it.
    pub fn outlives(self, what: &str, command: &str) -> Result<(), Refusal> {
        match self {
            Self::Server | Self::Operator => Ok(()),
            Self::Holder { .. } => {
                let message = format!(
                    "A manage code cannot {what}, because that would outlive the code. The operator of the bundle does it with \
                     `cloud-apps {command}`; a server that speaks V2 does it itself."
                );
                Err(Refusal::new(Code::Forbidden, message))
            }
        }
    }
}

/// Finds the install of a path for a caller who may change it. A server's token is spent.
pub(crate) async fn admin(
    management: &Management,
    arrival: &Arrival,
    install: &str,
    line: &mut LogLine,
) -> Result<Found, Refusal> {
    match authenticate::credential(arrival)? {
        Credential::Opaque(code) => holder(management, arrival, install, &Zeroizing::new(code), line).await,
        Credential::Jwt(token) => {
            let verified = jwt::verify(&management.services, arrival, &token, line).await?;
            if verified.kid.install.as_str() != install {
                return Err(Refusal::unauthorized());
            }
            if verified.claims.scope != Scope::Admin {
                return Err(Refusal::new(
                    Code::Forbidden,
                    "Only an admin of the server changes an install: send a token with the scope admin.",
                ));
            }
            // Both run at the same time, so the token is spent even if its install is gone.
            let jti = verified.once();
            let (looked, spent) = tokio::join!(
                stored::find(management, &verified.kid.install, arrival.now),
                jti.spend(&management.services, arrival.now)
            );
            spent?;
            match looked? {
                Some(install) => {
                    let signed = verified.signed(&install).ok_or_else(Refusal::unauthorized)?;
                    verified.comes_from(&install)?;
                    Ok(match signed {
                        Signed::Current => Found::Stands(install, By::Server),
                        Signed::Previous => Found::Replaced(install),
                    })
                }
                None => remembered(management, &verified.kid.install, arrival.now)
                    .await?
                    .filter(|gone| gone.signed_by(&verified.kid))
                    .map(|gone| Found::Gone(gone.answer))
                    .ok_or_else(Refusal::unauthorized),
            }
        }
    }
}

/// Finds the install of a path for the holder of a manage code.
pub(crate) async fn holder(
    management: &Management,
    arrival: &Arrival,
    install: &str,
    code: &str,
    line: &mut LogLine,
) -> Result<Found, Refusal> {
    if !codes::shaped(code) {
        return Err(refused());
    }
    let kept = management.registry.manage_code(&Sha256::of(code)).await?.ok_or_else(refused)?;
    if over(kept.exp, arrival.now) || kept.install.as_str() != install {
        return Err(refused());
    }
    line.install = Some(kept.install.to_string());
    match stored::find(management, &kept.install, arrival.now).await? {
        Some(install) if install.voids(kept.created_at) => Err(refused()),
        Some(install) => {
            line.app = Some(install.app.to_string());
            Ok(Found::Stands(install, By::Holder { made_at: kept.created_at }))
        }
        None => remembered(management, &kept.install, arrival.now)
            .await?
            .filter(|gone| !gone.revoked(&kept))
            .map(|gone| Found::Gone(gone.answer))
            .ok_or_else(refused),
    }
}

/// The app for which a request's code is. The holder of an install code or a manage code may see that app. A credential that
/// cannot be a code is refused without a read. All others are refused in the same way, after the same reads.
pub(crate) async fn app(management: &Management, arrival: &Arrival) -> Result<AppId, Refusal> {
    let refused = || {
        let message = "This needs an install code or a manage code that is good here, because the catalogue of this bundle is \
                       not public. Ask the operator of the bundle for one, and send it as Authorization: Bearer.";
        Refusal { message: message.into(), ..Refusal::unauthorized() }
    };
    let Ok(Credential::Opaque(code)) = authenticate::credential(arrival) else { return Err(refused()) };
    let code = Zeroizing::new(code);
    if !codes::shaped(&code) {
        return Err(refused());
    }
    let sha256 = Sha256::of(&code);
    let (install_code, manage_code) =
        tokio::join!(management.registry.code(&sha256), management.registry.manage_code(&sha256));
    if let Some(code) = install_code?.filter(|code| codes::unused(code, arrival.now).is_ok()) {
        return Ok(code.app);
    }
    let kept = manage_code?.filter(|kept| !over(kept.exp, arrival.now)).ok_or_else(refused)?;
    let install = stored::find(management, &kept.install, arrival.now).await?;
    let install = install.filter(|install| !install.voids(kept.created_at)).ok_or_else(refused)?;
    Ok(install.app.clone())
}

/// The refusal of every manage code that is not valid here, whatever the reason.
fn refused() -> Refusal {
    let message = "This needs a manage code that is good here: for this install, not expired, not revoked. Ask the \
                   operator of the bundle for a new one (`cloud-apps operator manage-code`), and send it as \
                   Authorization: Bearer.";
    Refusal { message: message.into(), ..Refusal::unauthorized() }
}
