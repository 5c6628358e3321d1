//! The bundle on a laptop: the same handlers over SQLite, behind loopback HTTP, and a Unix socket for operators.
//!
//! Operators never use loopback HTTP, because any web page in a browser can reach it. The mode of the socket's file (0600) decides
//! who may operate.

use crate::{
    certificates::Authorities,
    failure::{Failure, file},
    folder::Files,
    store::{KeyFiles, Sqlite},
};
use axum::{
    Json, Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    response::Response,
    routing::get,
};
use cloud_app::{
    App,
    http::{Outbound, Policy},
};
use cloud_app_testkit::arrival;
use cloud_apps_core::{
    bundle::Bundle,
    http::{MAX_BODY, system_now},
    operator,
    random::{Random, SystemRandom},
    services::{Management, Services, Stores},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{io::ErrorKind, net::SocketAddr, os::unix::fs::PermissionsExt, path::PathBuf, sync::Arc};
use tokio::net::{TcpListener, UnixSocket};

/// Builds the bundle over the files, and the queue for its consumer. It trusts the public authorities and these.
pub fn bundle(files: &Files, apps: Vec<App>, authorities: &Authorities) -> Result<(Bundle, Sqlite), Failure> {
    let store = Arc::new(Sqlite::open(&files.database()).map_err(|e| Failure::new(e.to_string()))?);
    let keys = Arc::new(KeyFiles::open(&files.keys()).map_err(|e| Failure::new(e.to_string()))?);
    let stores = Stores::new(store.clone(), keys.clone());
    let http =
        Outbound::new(Policy { loopback: true, extra_certificates: authorities.pem(), ..Policy::default() });
    let services = Services::new(apps, stores, http, Arc::new(SystemRandom));
    let queue = Sqlite::clone(&store);
    Ok((Bundle::new(Management::new(services, store, keys)), queue))
}

/// Listens for Mattermost servers.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let failure = Failure::new(format!("cannot listen on {address}: {error}"));
        match error.kind() {
            ErrorKind::AddrInUse => failure.hint(
                "another program has this port: stop it, or choose another with --port or --mattermost-port",
            ),
            _ => failure,
        }
    })
}

/// Serves the bundle until `stop`.
pub async fn serve(bundle: Bundle, listener: TcpListener, stop: impl Future<Output = ()> + Send + 'static) {
    let app = Router::new().fallback(answer).with_state(bundle);
    if let Err(error) = axum::serve(listener, app).with_graceful_shutdown(stop).await {
        tracing::error!(%error, "the bundle stopped listening");
    }
}

async fn answer(State(bundle): State<Bundle>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    // With one byte more than allowed, the handler can say that the body is too long.
    let body = to_bytes(body, MAX_BODY + 1).await.unwrap_or_else(|_| vec![0; MAX_BODY + 1].into());
    bundle.handle(arrival(http::Request::from_parts(parts, body))).await.map(Body::from)
}

/// What the operators' socket tells about the bundle.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Whereabouts {
    /// The bundle's address, as a Mattermost server reaches it.
    pub base_url: String,
}

/// How many operators may wait.
const WAITING: u32 = 128;

/// Serves operators on the socket until `stop`: `POST /` takes a request, `GET /` tells the bundle's address.
pub fn serve_operators(
    bundle: Bundle,
    base_url: String,
    socket: PathBuf,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<impl Future<Output = ()>, Failure> {
    let bound = UnixSocket::new_stream().and_then(|bound| bound.bind(&socket).map(|()| bound));
    let bound = bound.map_err(|error| {
        file("listen on", &socket)(error)
            .hint("a socket's path may have about 100 characters: choose a shorter --data")
    })?;
    // Before anybody can connect: connections are refused until it listens.
    std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o600))
        .map_err(file("set the mode of", &socket))?;
    let listener = bound.listen(WAITING).map_err(file("listen on", &socket))?;
    let app = Router::new()
        .route(
            "/",
            get(move || std::future::ready(Json(Whereabouts { base_url: base_url.clone() }))).post(operate),
        )
        .with_state(bundle);
    Ok(async move {
        if let Err(error) = axum::serve(listener, app).with_graceful_shutdown(stop).await {
            tracing::error!(%error, "the operators' socket is closed");
        }
        let _ = std::fs::remove_file(&socket);
    })
}

async fn operate(State(bundle): State<Bundle>, Json(request): Json<Value>) -> Json<Value> {
    let request_id = (&SystemRandom as &dyn Random).request_id();
    Json(operator::handle(bundle.management(), request, system_now(), &request_id).await)
}
