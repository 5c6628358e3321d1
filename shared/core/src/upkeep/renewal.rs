//! The renewal of a bot's token: a second token is made, tried and stored, and only then the first one is revoked.
//!
//! The server also has a call that gives an existing token a new secret (`POST /users/tokens/rotate`, from 11.10). It is not
//! used: it ends the old secret at once, so if its answer is lost, nobody has a token that works.
//!
//! | step | stored before it | if the process dies after it |
//! |---|---|---|
//! | look at the bot's tokens | – | nothing happened |
//! | store that a renewal begins | – | the next try begins again |
//! | revoke what earlier tries made | `Begun` | the next try revokes the rest |
//! | make a token, and try it | `Begun` | the next try revokes it, because nobody has its secret |
//! | store it | `Begun` | it is used; the first one still works |
//! | revoke the first one | `Stored` | the next try looks again, and revokes what is left |
//! | store that it is finished | `Stored` | there is nothing left to revoke |
//!
//! To begin is to write the next revision of the install. What an earlier try made can then not be stored any more, because
//! that try builds on another revision. So it is safe to revoke it, even if that try still runs somewhere.

use super::mattermost::{client, longest_life, make_token, refusal, revoke, said_no, tokens};
use crate::{
    http::Refusal,
    install::{DAY, TokenEnd, WARNINGS},
    keys::sealed::seal_bot_token,
    services::Management,
    store::{
        model::{Install, Renewal, TokenUpkeep},
        ports::Changed,
        rules::next,
    },
};
use cloud_app::{
    Mattermost,
    mattermost::{Credential, Error},
};
use cloud_apps_protocol::{Code, Millis, TokenId};
use http::StatusCode;
use secrecy::ExposeSecret;
use std::fmt;

/// How much earlier than allowed a new token ends, in ms. The clocks of server and bundle may differ by as much.
const SKEW: Millis = 5 * 60_000;

/// Whether a token was renewed.
pub(super) enum Renewed {
    /// The new one is stored. The first one is still to be revoked.
    Yes,
    /// The server lets tokens live for a short time only, and this one has more than half of it left.
    NotYet,
    /// The server does not let the bot do that.
    No(NotRenewed),
}

/// Why a token was not renewed.
pub(super) enum NotRenewed {
    /// The server refused a call.
    Refused(Error),
    /// The server made a token that is of no use.
    Useless,
}

impl fmt::Display for NotRenewed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) if error.status() == Some(StatusCode::FORBIDDEN) => {
                f.write_str("the server does not let a bot make its own tokens")
            }
            Self::Refused(error) => match error.status() {
                Some(status) => write!(f, "the server refused a new token with status {}", status.as_u16()),
                None => f.write_str("the server refused a new token"),
            },
            Self::Useless => f.write_str("the server made a token for the bot that does not work"),
        }
    }
}

/// Renews the token of an install, up to the point where the new one is stored.
pub(super) async fn renew(
    management: &Management,
    install: &Install,
    end: TokenEnd,
    now: Millis,
) -> Result<Renewed, Refusal> {
    let credential = management.services.keys.open_bot_token(install, now).await?;
    let mattermost = client(management, credential);
    let bot = &install.bot.id;
    let there = match tokens(&mattermost, bot).await {
        Ok(there) => there,
        Err(error) => return said_no("list the bot's tokens", error).map(no),
    };
    let days = match longest_life(&mattermost).await {
        Ok(days) => days,
        Err(error) => return said_no("say how long a token may live", error).map(no),
    };
    if days.is_some_and(|days| end.days_left(now) > days.div_ceil(2).clamp(2, u64::from(WARNINGS[0]))) {
        return Ok(Renewed::NotYet);
    }
    let begun = with_renewal(install, Some(Renewal::Begun));
    let begun = stored(management, begun).await?;
    let mark = mark(install);
    for lost in there.iter().filter(|token| token.description.starts_with(&mark)) {
        if begun.bot_token_id.as_ref() != Some(&lost.id) {
            revoke_or_tell(&mattermost, install, &lost.id).await?;
        }
    }
    let expires_at = days.map(|days| now.saturating_add(days.saturating_mul(DAY)).saturating_sub(SKEW));
    let new = match make_token(&mattermost, bot, &format!("{mark}{}", begun.rev), expires_at).await {
        Ok(new) => new,
        Err(error) => {
            let error = said_no("make a token for the bot", error)?;
            // Nothing was made, so there is nothing to look for.
            stored(management, with_renewal(&begun, None)).await?;
            return Ok(no(error));
        }
    };
    let fresh = Credential { origin: install.site.clone(), token: new.token.clone() };
    match client(management, fresh).me().await {
        Ok(me) if me.id == *bot => {}
        Ok(_) => return Ok(Renewed::No(NotRenewed::Useless)),
        Err(error) => {
            said_no("say whose the new token is", error)?;
            return Ok(Renewed::No(NotRenewed::Useless));
        }
    }
    let key = management.services.keys.current(&install.app, now).await?.ok_or_else(|| {
        Refusal::new(Code::Unavailable, format!("The key ring of {} cannot be used.", install.app))
    })?;
    let nonce = management.services.random.nonce();
    let renewed = Install {
        bot_token: seal_bot_token(&key, &begun, nonce, new.token.expose_secret()),
        bot_token_id: Some(new.id),
        bot_token_expires_at: Some(new.expires_at).filter(|end| *end > 0).or(expires_at),
        token_upkeep: TokenUpkeep {
            warned: None,
            renewal: Some(Renewal::Stored { replaces: install.bot_token_id.clone() }),
        },
        ..begun
    };
    stored(management, renewed).await?;
    tracing::info!(
        app = install.app.as_str(),
        install = install.id.as_str(),
        site = install.site.as_str(),
        "the bot has a new token; the one before it is revoked next"
    );
    Ok(Renewed::Yes)
}

/// Revokes the token that was replaced, with the token that replaced it: if the new one does not work, the first one is not
/// revoked.
pub(super) async fn finish(
    management: &Management,
    install: &Install,
    replaces: Option<&TokenId>,
    now: Millis,
) -> Result<(), Refusal> {
    let credential = management.services.keys.open_bot_token(install, now).await?;
    let mattermost = client(management, credential);
    let there = match tokens(&mattermost, &install.bot.id).await {
        Ok(there) => there,
        Err(error) if error.status() == Some(StatusCode::FORBIDDEN) => {
            // The bot lost its rights meanwhile. The first token works until its own end.
            tell_of_old_token(install);
            Vec::new()
        }
        Err(error) => return Err(refusal("list the bot's tokens", error)),
    };
    let mark = mark(install);
    for token in &there {
        let old = replaces == Some(&token.id) || token.description.starts_with(&mark);
        if old && install.bot_token_id.as_ref() != Some(&token.id) {
            revoke_or_tell(&mattermost, install, &token.id).await?;
        }
    }
    stored(management, with_renewal(install, None)).await?;
    Ok(())
}

/// Revokes a token of the bot. If the bot may not do that, the token works until its own end, and the upkeep goes on: otherwise
/// nobody would renew the bot's token again, or warn of its end.
async fn revoke_or_tell(mattermost: &Mattermost, install: &Install, token: &TokenId) -> Result<(), Refusal> {
    match revoke(mattermost, token).await {
        Err(error) if error.status() == Some(StatusCode::FORBIDDEN) => {
            tell_of_old_token(install);
            Ok(())
        }
        revoked => revoked.map_err(|error| refusal("revoke a token of the bot", error)),
    }
}

fn tell_of_old_token(install: &Install) {
    tracing::warn!(
        app = install.app.as_str(),
        install = install.id.as_str(),
        site = install.site.as_str(),
        "the bot may not revoke its old token any more: `cloud-apps rotate bot-token` revokes it"
    );
}

fn no(error: Error) -> Renewed {
    Renewed::No(NotRenewed::Refused(error))
}

/// How the descriptions of the tokens begin that the upkeep of this install makes. `cloud-apps` begins its own in the same way,
/// and so recognises them.
fn mark(install: &Install) -> String {
    format!("Cloud App {}, made by cloud-apps, run upkeep-{}-", install.app, install.id)
}

fn with_renewal(install: &Install, renewal: Option<Renewal>) -> Install {
    let token_upkeep = TokenUpkeep { renewal, ..install.token_upkeep.clone() };
    Install { token_upkeep, ..install.clone() }
}

/// Replaces the install, which must have the revision that this one has. A conflict may also come from an answer that was lost:
/// the next try looks at what is stored.
async fn stored(management: &Management, install: Install) -> Result<Install, Refusal> {
    let expected = install.rev;
    let changed = management.registry.change(&install, expected).await?;
    management.services.installs.forget(&install.id);
    match changed {
        Changed::Yes => Ok(Install { rev: next(expected), ..install }),
        Changed::Conflict => Err(Refusal::conflict(&format!("install {}", install.id))),
    }
}
