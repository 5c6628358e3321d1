//! The HTTP client of the AWS SDKs: `reqwest`, which also calls Mattermost.
//!
//! The SDKs' own client would add a second HTTP stack with HTTP/2 to every function, which is half a megabyte that neither
//! DynamoDB nor Secrets Manager needs. No call streams its body, so this connector only converts requests and answers. The
//! SDK does retries, and limits attempts and operations; the time to connect is limited here.

use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
            SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

/// How long a connection may take to open.
const CONNECT: Duration = Duration::from_secs(1);
/// How long an idle connection is kept. AWS closes it after about 20 s, also while the function is frozen.
const IDLE: Duration = Duration::from_secs(15);

/// The client, built at its first call and shared by all SDK clients of a process.
#[derive(Clone)]
struct Reqwest(Arc<OnceLock<Result<reqwest::Client, String>>>);

/// A client for the configuration of an SDK.
pub fn client() -> SharedHttpClient {
    SharedHttpClient::new(Reqwest(Arc::default()))
}

impl fmt::Debug for Reqwest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reqwest")
    }
}

impl HttpClient for Reqwest {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Reqwest {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.get_or_init(build).clone();
        HttpConnectorFuture::new(async move {
            let client = client.map_err(|why| ConnectorError::user(why.into()))?;
            send(&client, request).await
        })
    }
}

fn build() -> Result<reqwest::Client, String> {
    let mut roots = Vec::with_capacity(webpki_root_certs::TLS_SERVER_ROOT_CERTS.len());
    for root in webpki_root_certs::TLS_SERVER_ROOT_CERTS {
        roots.push(reqwest::Certificate::from_der(root).map_err(|e| e.to_string())?);
    }
    reqwest::Client::builder()
        .tls_certs_only(roots)
        .connect_timeout(CONNECT)
        .pool_idle_timeout(IDLE)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .referer(false)
        .build()
        .map_err(|e| format!("the HTTP client cannot be built: {e}"))
}

async fn send(client: &reqwest::Client, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let user = |e: Box<dyn std::error::Error + Send + Sync>| ConnectorError::user(e);
    let (parts, body) = request.try_into_http1x().map_err(|e| user(e.into()))?.into_parts();
    let body =
        body.bytes().map(bytes::Bytes::copy_from_slice).ok_or_else(|| user("a body that streams".into()))?;
    let request =
        reqwest::Request::try_from(http::Request::from_parts(parts, body)).map_err(|e| user(e.into()))?;
    let answer = client.execute(request).await.map_err(failed)?;
    let status =
        StatusCode::try_from(answer.status().as_u16()).map_err(|e| ConnectorError::other(e.into(), None))?;
    let headers = answer.headers().clone();
    let body = answer.bytes().await.map_err(failed)?;
    let mut response = HttpResponse::new(status, SdkBody::from(body));
    for (name, value) in &headers {
        // AWS sends no header values that are not text, so nothing is lost.
        if let Ok(value) = value.to_str() {
            response.headers_mut().append(name.as_str().to_owned(), value.to_owned());
        }
    }
    Ok(response)
}

/// The error of a connection that failed, broke or took too long, which the SDK may try again.
fn failed(error: reqwest::Error) -> ConnectorError {
    // The URL is left out, because it is long and shows nothing but the region.
    let error = error.without_url();
    if error.is_timeout() { ConnectorError::timeout(error.into()) } else { ConnectorError::io(error.into()) }
}
