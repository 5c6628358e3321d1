//! The MAC over what is stored of a registered app.

use super::secret::current_key;
use crate::{
    apps::ServedAppError,
    http::Refusal,
    services::Management,
    store::{
        model::{Binding, RegisteredApp},
        ports::{Changed, TRIES},
    },
};
use cloud_apps_protocol::{AppId, Millis};

/// The app with a MAC made with the current key of its ring.
pub(super) async fn bound(
    management: &Management,
    app: RegisteredApp,
    now: Millis,
) -> Result<RegisteredApp, Refusal> {
    let (key, root) = current_key(management, &app.id, now).await?;
    let binding = Binding::new(&key, &root, &app);
    Ok(RegisteredApp { binding: Some(binding), ..app })
}

/// Makes an app's MAC again with the current key of its ring, after the ring was rotated. An item that has no valid MAC is left
/// alone, because nobody has checked it.
pub(crate) async fn bind_again(management: &Management, app: &AppId, now: Millis) -> Result<(), Refusal> {
    for _ in 0..TRIES {
        let found = match management.services.apps.store.find(app).await {
            Ok(None) => return Ok(()),
            Ok(Some(stored)) if management.services.apps.is_bound(&stored, now).await? => Ok(stored),
            Ok(Some(_)) => Err(ServedAppError::Unbound(app.clone())),
            Err(error) => Err(error.into()),
        };
        let stored = match found {
            Ok(stored) => stored,
            Err(error) if error.passes() => return Err(error.into()),
            // An error that does not pass must not stop the job that seals the installs again.
            Err(error) => {
                tracing::error!(app = app.as_str(), error = %error, "what is stored of an app did not get a MAC with its new key");
                return Ok(());
            }
        };
        let (rev, before) = (stored.rev, stored.binding.clone());
        let again = bound(management, stored, now).await?;
        if again.binding == before {
            return Ok(());
        }
        if management.registry.put_app(&again, rev).await? == Changed::Yes {
            management.services.apps.registered.forget(app);
            return Ok(());
        }
    }
    Err(Refusal::conflict("this app"))
}
