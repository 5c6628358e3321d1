//! The codes that operators make and revoke.

use super::{apps::no_such_app, installs, key_rings, messages::OperatorAnswer};
use crate::{
    http::Refusal,
    install::{address, codes, state::unchangeable},
    services::Management,
    store::{
        cache::Freshness,
        model::{Install, InstallCode, ManageCode, Sha256},
        ports::{Changed, TRIES},
        rules::next,
    },
};
use cloud_apps_protocol::{AppId, Code, InstallId, Millis, SiteUrl};

/// Makes an install code.
pub(super) async fn install_code(
    management: &Management,
    app: AppId,
    site: SiteUrl,
    base_url: &SiteUrl,
    (valid_seconds, replace): (u64, bool),
    now: Millis,
) -> Result<OperatorAnswer, Refusal> {
    if management.services.apps.app(&app, Freshness::Reread, now).await?.is_none() {
        return Err(no_such_app(management, &app).await?);
    }
    address::private(management, "/operator/site_url", &site)?;
    address::private(management, "/operator/base_url", base_url)?;
    valid_for(valid_seconds)?;
    key_rings::make_if_absent(management, &app, now).await?;
    let code = codes::generate(&*management.services.random);
    let expires_at = now.saturating_add(valid_seconds.saturating_mul(1_000));
    let kept = InstallCode {
        sha256: Sha256::of(&code),
        app,
        site,
        base_url: base_url.to_string(),
        exp: expires_at,
        install: None,
        spent: false,
        replace,
    };
    management.registry.put_code(&kept).await?;
    Ok(OperatorAnswer::Code { code: code.to_string(), expires_at })
}

/// Makes a manage code.
pub(super) async fn manage_code(
    management: &Management,
    id: &InstallId,
    valid_seconds: u64,
    now: Millis,
) -> Result<OperatorAnswer, Refusal> {
    let install = installs::find(management, id, now).await?;
    valid_for(valid_seconds)?;
    if let Some(message) = unchangeable(&install) {
        return Err(Refusal::new(Code::VersionConflict, message));
    }
    let code = codes::generate(&*management.services.random);
    let expires_at = now.saturating_add(valid_seconds.saturating_mul(1_000));
    let kept =
        ManageCode { sha256: Sha256::of(&code), install: id.clone(), created_at: now, exp: expires_at };
    management.registry.put_manage_code(&kept).await?;
    Ok(OperatorAnswer::Code { code: code.to_string(), expires_at })
}

/// Revokes all manage codes that were made until now.
pub(super) async fn revoke_codes(
    management: &Management,
    id: &InstallId,
    now: Millis,
) -> Result<OperatorAnswer, Refusal> {
    for _ in 0..TRIES {
        let install = installs::find(management, id, now).await?;
        let revoked = Install { codes_void_until: Some(now), ..(*install).clone() };
        let changed = management.registry.change(&revoked, install.rev).await?;
        management.services.installs.forget(id);
        if changed == Changed::Yes {
            let install = Install { rev: next(install.rev), ..revoked };
            // An error now would read as if the codes were still valid.
            return Ok(installs::show_what_can_be_read(management, &install, now).await);
        }
    }
    Err(Refusal::conflict("this install"))
}

fn valid_for(seconds: u64) -> Result<(), Refusal> {
    if (1..=codes::MAX_VALID).contains(&seconds) {
        return Ok(());
    }
    let message = format!("A code is good for 1 to {} seconds (24 hours).", codes::MAX_VALID);
    Err(Refusal::bad_request("/operator/valid_seconds", message))
}
