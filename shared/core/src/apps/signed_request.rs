//! What is sent to a function outside the bundle: the request of section 3, and a JWT that proves its sender.
//!
//! The JWT has the tokens that the install was granted: the bot's and the acting user's. Both are for this app only. They are
//! in a header that is never logged, and never in an error.

use super::{call::Call, no_answer::NoAnswer, served::Registered};
use crate::{keys::KeyCache, random::Random};
use bytes::Bytes;
use cloud_apps_protocol::{
    FunctionName, Millis,
    manifest::Permission,
    token::{Direction, UpstreamClaims, UpstreamKid, body_sha256, sign},
};
use http::{HeaderMap, HeaderName, HeaderValue, Request, header};
use secrecy::ExposeSecret;

/// How long the JWT is valid, in seconds.
const LIFE: u64 = 60;

/// A call as a signed request.
pub(super) struct SignedRequest {
    pub function: FunctionName,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub request_id: String,
    pub now: Millis,
}

impl SignedRequest {
    /// Writes and signs the request of a call.
    pub async fn write(
        keys: &KeyCache,
        random: &dyn Random,
        app: &Registered,
        call: Call<'_>,
    ) -> Result<Self, NoAnswer> {
        let Registered { app, manifest, .. } = app;
        let Call {
            function,
            mut request,
            settings,
            bot,
            user_proof,
            user,
            now,
            deadline,
            request_id,
            trace,
            ..
        } = call;
        let install = &bot.install;
        // The body may name anybody. The JWT names a user only if the request proved that user.
        let acting = request.context.acting_user.as_ref();
        let proved = user_proof.zip(acting).map(|(proof, user)| (user.id.to_string(), proof));
        let (sub, proof) = proved.unzip();
        let delivery = request.delivery.clone().unwrap_or_default();
        if let Some(app) = &mut request.context.app {
            // A linked function gets passwords through its `Cx`. Here they can only be in the body.
            app.settings = settings;
        }
        let body = serde_json::to_vec(&request)
            .map_err(|error| NoAnswer::because("the request cannot be written", error))?;

        let id = &app.id;
        let (key, generation) = app.signs_with(now);
        let root = keys.root(id, key, now).await.map_err(NoAnswer::Store)?.ok_or_else(|| {
            NoAnswer::failed(format!(
                "the key {key} that its secret is derived from is gone or revoked: `cloud-apps operator apps rotate {id} --now` \
                 makes another secret"
            ))
        })?;
        let bot_token = if install.permits(manifest, Permission::ActAsBot) {
            let credential = keys.open_bot_token(install, now).await.map_err(NoAnswer::Store)?;
            Some(credential.token.expose_secret().to_owned())
        } else {
            None
        };
        let iat = now / 1000;
        let claims = UpstreamClaims {
            iss: UpstreamClaims::ISSUER.to_owned(),
            aud: id.to_string(),
            sub,
            proof,
            install: install.id.clone(),
            site_url: install.site.to_string(),
            iat,
            exp: iat.saturating_add(LIFE),
            jti: random.base32(),
            htm: "POST".to_owned(),
            htp: format!("/{function}"),
            bot_token,
            user_token: user.map(|user| user.token.expose_secret().to_owned()),
            body_sha256: body_sha256(&body),
        };
        let kid = UpstreamKid { app: id.clone(), key: key.clone(), generation };
        let token = sign(Direction::Upstream, &kid, &root.upstream(id, generation), &claims);

        let mut headers = HeaderMap::new();
        let mut add = |name: HeaderName, value: String, secret: bool| -> Result<(), NoAnswer> {
            let mut value = HeaderValue::try_from(value)
                .map_err(|_| NoAnswer::failed(format!("its header {name} cannot be written")))?;
            value.set_sensitive(secret);
            headers.insert(name, value);
            Ok(())
        };
        add(header::AUTHORIZATION, format!("Bearer {token}"), true)?;
        add(header::CONTENT_TYPE, "application/json".into(), false)?;
        add(header::ACCEPT, "application/json".into(), false)?;
        add(HeaderName::from_static("cloud-apps-delivery"), delivery.id, false)?;
        add(HeaderName::from_static("cloud-apps-attempt"), delivery.attempt.to_string(), false)?;
        add(HeaderName::from_static("cloud-apps-deadline"), deadline.to_string(), false)?;
        let parent = data_encoding::HEXLOWER.encode(random.nonce().get(..8).unwrap_or_default());
        add(HeaderName::from_static("traceparent"), format!("00-{trace}-{parent}-01"), false)?;
        Ok(Self {
            function: function.clone(),
            headers,
            body: body.into(),
            request_id: request_id.to_owned(),
            now,
        })
    }

    /// The HTTP request to a service at `url`.
    pub fn request(self, url: &str) -> Result<Request<Bytes>, NoAnswer> {
        let mut request = Request::post(format!("{url}/{}", self.function))
            .body(self.body)
            .map_err(|_| NoAnswer::failed("its address cannot be called"))?;
        *request.headers_mut() = self.headers;
        Ok(request)
    }
}
