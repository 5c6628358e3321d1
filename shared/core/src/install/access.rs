//! Who may look at an install and change it: the server itself with its token, or whoever holds a manage code. Operators
//! come by their own door, and are asked nothing here. The credential is always judged before the body is read.

use super::{codes, remove, stored};
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

/// What a good credential leads to.
pub(crate) enum Found {
    /// The install, in whatever state.
    Stands(Arc<Install>, By),
    /// The install, for a server with the secret before the current one. Nothing is shown to it and nothing changed
    /// for it; it may get the lost answer to its own rotation again.
    Replaced(Arc<Install>),
    /// It was removed a while ago; this is what was answered then.
    Gone(InstallRemoved),
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// The server, with its current secret.
    Server,
    /// The holder of a manage code. It ends after a day at most, and so does all that it gives.
    Holder {
        /// When the code was made.
        made_at: Millis,
    },
    /// An operator of the bundle.
    Operator,
}

impl By {
    /// Refuses the holder of a manage code what would outlive the code. `what` is the change; `command` is how an operator
    /// makes it.
    pub fn outlives(self, what: &str, command: &str) -> Result<(), Refusal> {
        match self {
            Self::Server | Self::Operator => Ok(()),
            Self::Holder { .. } => {
                let message = format!(
                    "A manage code does not {what}: that would outlive the code. The operator of the bundle does it with \
                     `cloud-apps {command}`; a server that speaks V2 does it itself."
                );
                Err(Refusal::new(Code::Forbidden, message))
            }
        }
    }
}

/// Finds the install of a path for who may change it; a server's token is spent.
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
            // Both are awaited together: a token is spent although its install turns out to be gone.
            let jti = verified.once();
            let (looked, spent) = tokio::join!(
                stored(management, &verified.kid.install, arrival.now),
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
                None => remove::remembered(management, &verified.kid.install, arrival.now)
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
    match stored(management, &kept.install, arrival.now).await? {
        Some(install) if install.voids(kept.created_at) => Err(refused()),
        Some(install) => {
            line.app = Some(install.app.to_string());
            Ok(Found::Stands(install, By::Holder { made_at: kept.created_at }))
        }
        None => remove::remembered(management, &kept.install, arrival.now)
            .await?
            .filter(|gone| !gone.revoked(&kept))
            .map(|gone| Found::Gone(gone.answer))
            .ok_or_else(refused),
    }
}

/// The app that a request's code is for, be it an install code or a manage code: whoever holds one may see that app. A
/// credential that cannot be a code is refused without a read; the rest alike, after the same look-ups.
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
    let (first, manages) =
        tokio::join!(management.registry.code(&sha256), management.registry.manage_code(&sha256));
    if let Some(code) = first?.filter(|code| codes::unused(code, arrival.now).is_ok()) {
        return Ok(code.app);
    }
    let kept = manages?.filter(|kept| !over(kept.exp, arrival.now)).ok_or_else(refused)?;
    let install = stored(management, &kept.install, arrival.now).await?;
    let install = install.filter(|install| !install.voids(kept.created_at)).ok_or_else(refused)?;
    Ok(install.app.clone())
}

/// What every manage code is answered that is not good here, whatever is wrong with it.
fn refused() -> Refusal {
    let message = "This needs a manage code that is good here: for this install, not expired, not revoked. Ask the \
                   operator of the bundle for a new one (`cloud-apps operator manage-code`), and send it as \
                   Authorization: Bearer.";
    Refusal { message: message.into(), ..Refusal::unauthorized() }
}
