//! The client of a bundle: with its operator's rights, or with a code.

use super::bundle_error::BundleError;
use crate::{
    bounded::{self, Pages, Unread},
    certificates::{Authorities, CertificateFault},
    failure::Failure,
    mattermost::{CallError, client, date, one_line, why},
};
use async_trait::async_trait;
use cloud_apps_core::{
    operator::{Listed, OperatorAnswer, OperatorRequest, Patch},
    store::model::UnreadSite,
};
use cloud_apps_protocol::{
    AppId, Code, ErrorBody, InstallId, SiteUrl,
    install::{
        AppView, CompleteRequest, InstallChanged, InstallCompleted, InstallCreated, InstallPatch,
        InstallRemoved, InstallRequest, InstallView,
    },
};
use http::{StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::time::Duration;

/// For how many minutes an install code that is made here is valid: longer than any installation takes.
const CODE_MINUTES: u64 = 15;
/// The most entries of one request that registers something (protocol, section 12).
pub const ENTRIES: usize = 90;

/// How an operator's requests reach the bundle.
#[async_trait]
pub trait Operator: Send + Sync {
    /// Sends one request. A refusal comes as [`OperatorAnswer::Error`].
    async fn ask(&self, request: &OperatorRequest) -> Result<OperatorAnswer, Failure>;
}

/// A bundle.
pub struct Bundle {
    http: reqwest::Client,
    base_url: SiteUrl,
    rights: Rights,
}

/// With which rights a bundle is asked.
pub enum Rights {
    /// An operator's.
    Operator(Box<dyn Operator>),
    /// Those of a code: for one install, and what anybody may do.
    Code(SecretString),
}

/// `GET /`.
#[derive(Debug, Clone, Deserialize)]
pub struct Index {
    /// The protocols that it speaks.
    pub protocol: Vec<u32>,
    /// Its version.
    pub bundle: String,
}

/// `GET /apps`.
#[derive(Deserialize)]
struct Apps {
    apps: Vec<AppView>,
}

/// An answer, and the time of the bundle's clock.
struct Received<T> {
    value: T,
    date: Option<i64>,
}

impl Bundle {
    /// A bundle at an address. A call that takes longer than `timeout` is given up.
    pub fn new(
        base_url: SiteUrl,
        rights: Rights,
        timeout: Duration,
        authorities: &Authorities,
    ) -> Result<Self, CallError> {
        Ok(Self { http: client(base_url.as_str(), timeout, authorities)?, base_url, rights })
    }

    /// Its address.
    pub fn base_url(&self) -> &SiteUrl {
        &self.base_url
    }

    /// Whether its operator asks.
    pub fn is_operator(&self) -> bool {
        matches!(self.rights, Rights::Operator(_))
    }

    /// Fails without an operator's rights. `what` says what needs them.
    pub fn needs_operator(&self, what: &'static str) -> Result<(), BundleError> {
        if self.is_operator() { Ok(()) } else { Err(BundleError::NeedsOperator(what)) }
    }

    /// The bundle's versions, and the time of its clock in seconds since 1970.
    pub async fn index(&self) -> Result<(Index, Option<i64>), BundleError> {
        let heard = self.call(self.http.get(format!("{}/", self.base_url))).await?;
        Ok((heard.value, heard.date))
    }

    /// An app, with all that it asks for.
    pub async fn app(&self, app: &AppId) -> Result<AppView, BundleError> {
        let Rights::Code(_) = &self.rights else {
            return match self.operate(&OperatorRequest::App { app: app.clone() }).await? {
                OperatorAnswer::App { app, .. } => Ok(*app),
                _ => Err(self.unreadable()),
            };
        };
        let request = self.authorised(self.http.get(format!("{}/apps", self.base_url)));
        let Received { value: Apps { apps }, .. } = self.call(request).await?;
        let names: Vec<String> = apps.iter().map(|app| app.id.to_string()).collect();
        apps.into_iter().find(|known| known.id == *app).ok_or_else(|| BundleError::Refused {
            code: Code::BadRequest,
            message: format!("{} has no app {app}; it offers {}.", self.base_url, names.join(", ")),
            install: None,
            after: None,
        })
    }

    /// The install of an app on a site, in any state. Operators only.
    pub async fn find(&self, app: &AppId, site: &SiteUrl) -> Result<Option<InstallView>, BundleError> {
        let (installs, unread) = self.installs(app).await?;
        if let Some(line) = unread.iter().find(|line| line.site == site.as_str()) {
            return Err(BundleError::Refused {
                code: Code::Internal,
                message: format!(
                    "What {} stores of {app} on {site} cannot be read: {}",
                    self.base_url,
                    one_line(&line.why)
                ),
                install: None,
                after: None,
            });
        }
        match installs.into_iter().find(|install| install.site_url == *site) {
            Some(found) => self.show(&found.install_id).await,
            None => Ok(None),
        }
    }

    /// The installs of an app, and the entries that the bundle cannot read. Operators only.
    pub async fn installs(&self, app: &AppId) -> Result<(Vec<Listed>, Vec<UnreadSite>), BundleError> {
        let page = async |cursor| {
            let list = OperatorRequest::List { app: app.clone(), cursor };
            match self.operate(&list).await? {
                OperatorAnswer::Installs { installs, unread, cursor } => {
                    Ok((vec![(installs, unread)], cursor))
                }
                _ => Err(self.unreadable()),
            }
        };
        let (installs, unread): (Vec<_>, Vec<_>) = self.pages(page).await?.into_iter().unzip();
        Ok((installs.concat(), unread.concat()))
    }

    /// All pages of a list. `page` asks for one of them, by its cursor.
    pub async fn pages<T>(
        &self,
        page: impl AsyncFn(Option<String>) -> Result<(Vec<T>, Option<String>), BundleError>,
    ) -> Result<Vec<T>, BundleError> {
        let (mut all, mut pages, mut cursor) = (Vec::new(), Pages::new(), None);
        loop {
            let (items, next) = page(cursor).await?;
            all.extend(items);
            let Some(next) = next else { return Ok(all) };
            pages.read(0).map_err(|endless| self.unreadable_because(&endless.to_string()))?;
            cursor = Some(next);
        }
    }

    /// One install; `None` if the bundle does not have it.
    pub async fn show(&self, install: &InstallId) -> Result<Option<InstallView>, BundleError> {
        let shown = if self.is_operator() {
            match self.operate(&OperatorRequest::Show { install_id: install.clone() }).await {
                Ok(OperatorAnswer::Install(view)) => Ok(*view),
                Ok(_) => Err(self.unreadable()),
                Err(trouble) => Err(trouble),
            }
        } else {
            let url = format!("{}/install/{install}", self.base_url);
            self.call(self.authorised(self.http.get(url))).await.map(|heard| heard.value)
        };
        match shown {
            Ok(view) => Ok(Some(view)),
            // An operator gets this for an id that names no install.
            Err(trouble) if self.is_operator() && trouble.code() == Some(Code::BadRequest) => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    /// A code to install with: the one that was given, or else a new one.
    pub async fn code(&self, app: &AppId, site: &SiteUrl) -> Result<SecretString, BundleError> {
        if let Rights::Code(code) = &self.rights {
            return Ok(code.clone());
        }
        let request = OperatorRequest::Code {
            app: app.clone(),
            site_url: site.clone(),
            base_url: self.base_url.clone(),
            valid_seconds: CODE_MINUTES * 60,
            replace: false,
        };
        match self.operate(&request).await? {
            OperatorAnswer::Code { code, .. } => Ok(SecretString::from(code)),
            _ => Err(self.unreadable()),
        }
    }

    /// `POST /install`. The second value is what has to be registered and this program does not know.
    pub async fn begin(
        &self,
        code: &SecretString,
        request: &InstallRequest,
    ) -> Result<(InstallCreated, Vec<Value>), BundleError> {
        let mut answer: Value = self.with_code("/install", code, request).await?;
        let unknown = set_aside_unknown(&mut answer);
        let created = serde_json::from_value(answer).map_err(|_| self.unreadable())?;
        Ok((created, unknown))
    }

    /// `POST /install/{id}/complete`. It goes to the address that was given, and not to one that an answer names, because the
    /// code is sent along.
    pub async fn complete(
        &self,
        code: &SecretString,
        install: &InstallId,
        request: &CompleteRequest,
    ) -> Result<InstallCompleted, BundleError> {
        self.with_code(&format!("/install/{install}/complete"), code, request).await
    }

    /// `PATCH /install/{id}`.
    pub async fn change(
        &self,
        install: &InstallId,
        patch: &InstallPatch,
    ) -> Result<InstallChanged, BundleError> {
        self.change_at(install, patch, None).await
    }

    /// The same, if the install still has this revision.
    pub async fn change_at(
        &self,
        install: &InstallId,
        patch: &InstallPatch,
        rev: Option<u64>,
    ) -> Result<InstallChanged, BundleError> {
        if self.is_operator() {
            let request = OperatorRequest::Change {
                install_id: install.clone(),
                patch: Patch(patch.body()),
                if_match: rev,
            };
            return match self.operate(&request).await? {
                OperatorAnswer::Changed { changed } => Ok(*changed),
                _ => Err(self.unreadable()),
            };
        }
        let mut request = self.http.patch(format!("{}/install/{install}", self.base_url)).json(&patch.body());
        if let Some(rev) = rev {
            request = request.header(header::IF_MATCH, format!("\"{rev}\""));
        }
        self.call(self.authorised(request)).await.map(|heard| heard.value)
    }

    /// `DELETE /install/{id}`.
    pub async fn remove(&self, install: &InstallId) -> Result<InstallRemoved, BundleError> {
        if self.is_operator() {
            let request = OperatorRequest::Remove { install_id: install.clone(), if_match: None };
            return match self.operate(&request).await? {
                OperatorAnswer::Removed { removed } => Ok(removed),
                _ => Err(self.unreadable()),
            };
        }
        let request = self.http.delete(format!("{}/install/{install}", self.base_url));
        self.call(self.authorised(request)).await.map(|heard| heard.value)
    }

    async fn operate(&self, request: &OperatorRequest) -> Result<OperatorAnswer, BundleError> {
        self.operator("looking for installs", request).await
    }

    /// A request of an operator. `what` says what needs the rights.
    pub async fn operator(
        &self,
        what: &'static str,
        request: &OperatorRequest,
    ) -> Result<OperatorAnswer, BundleError> {
        let Rights::Operator(operator) = &self.rights else {
            return Err(BundleError::NeedsOperator(what));
        };
        match operator.ask(request).await {
            Ok(OperatorAnswer::Error(body)) => Err(refused(&body, None)),
            Ok(answer) => Ok(answer),
            Err(failure) => Err(BundleError::Lost { what: failure.to_string() }),
        }
    }

    async fn with_code<T: DeserializeOwned>(
        &self,
        path: &str,
        code: &SecretString,
        body: &impl Serialize,
    ) -> Result<T, BundleError> {
        let request = self.http.post(format!("{}{path}", self.base_url));
        let request = request.bearer_auth(code.expose_secret()).json(body);
        self.call(request).await.map(|heard| heard.value)
    }

    fn authorised(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        match &self.rights {
            Rights::Code(code) => request.bearer_auth(code.expose_secret()),
            Rights::Operator(_) => request,
        }
    }

    async fn call<T: DeserializeOwned>(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<Received<T>, BundleError> {
        let lost = |error: reqwest::Error| {
            let address = self.base_url.to_string();
            match CertificateFault::behind(&error) {
                Some(fault) => BundleError::Certificate { address, fault: fault.clone() },
                None => BundleError::Lost { what: format!("{address}: {}", why(&error)) },
            }
        };
        let response = request.send().await.map_err(lost)?;
        let (status, date) = (response.status(), date(response.headers()));
        let after = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let after = after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
        let body = bounded::read(response).await.map_err(|unread| match unread {
            Unread::TooLong => self.unreadable_because(bounded::TOO_LONG),
            Unread::Lost(error) => lost(error),
        })?;
        let unlike = || BundleError::Unlike { address: self.base_url.to_string(), status: status.as_u16() };
        if matches!(status, StatusCode::OK | StatusCode::CREATED) {
            let value = serde_json::from_slice(&body).map_err(|_| unlike())?;
            return Ok(Received { value, date });
        }
        match serde_json::from_slice::<ErrorBody>(&body) {
            Ok(error) => Err(refused(&error, after)),
            Err(_) => Err(unlike()),
        }
    }

    /// An answer that cannot be read, for this reason.
    fn unreadable_because(&self, why: &str) -> BundleError {
        BundleError::Refused {
            code: Code::BadAnswer,
            message: format!("{} does not answer as a bundle does: {why}.", self.base_url),
            install: None,
            after: None,
        }
    }

    /// An answer that does not fit the request.
    fn unreadable(&self) -> BundleError {
        BundleError::Refused {
            code: Code::BadAnswer,
            message: format!(
                "The answer of {} cannot be read. Use the `cloud-apps` of the version that is deployed.",
                self.base_url
            ),
            install: None,
            after: None,
        }
    }
}

fn refused(body: &ErrorBody, after: Option<Duration>) -> BundleError {
    let install = body.error.more.get("install_id").and_then(Value::as_str);
    BundleError::Refused {
        code: body.error.code,
        install: install.and_then(|id| InstallId::new(id).ok()),
        message: one_line(&body.error.message),
        after,
    }
}

/// Takes out of `register` what this program does not know, so that it can be reported.
fn set_aside_unknown(answer: &mut Value) -> Vec<Value> {
    let Some(register) = answer.get_mut("register").and_then(Value::as_array_mut) else { return Vec::new() };
    let known = |wanted: &Value| cloud_apps_protocol::install::Wanted::deserialize(wanted).is_ok();
    let unknown = register.iter().filter(|wanted| !known(wanted)).cloned().collect();
    register.retain(known);
    unknown
}
