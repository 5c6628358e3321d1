//! The bundle on a laptop: the same handlers over SQLite, behind loopback HTTP, and a Unix socket for operators.
//!
//! Operators never come over loopback HTTP, which any web page in a browser can reach; the socket's file mode (0600)
//! is who may operate.

use crate::{
    failure::{Failure, file},
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
    edge::{MAX_BODY, system_now},
    install,
    world::{INSTALL_CACHE, Office, Random, Stores, SystemRandom, World},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    fs::{File, TryLockError},
    io::ErrorKind,
    net::SocketAddr,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::net::{TcpListener, UnixSocket};

/// The files of a local bundle.
#[derive(Debug, Clone)]
pub struct Files(PathBuf);

impl Files {
    /// Below this folder.
    pub fn below(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    /// Makes the folder, for its owner only. One that is there stays as it is: it may be somebody's home. Where others may
    /// write in it, they could put keys and databases of their own there, so it is refused; where they may read, they see
    /// names and no content, so it is told: what it should be.
    pub fn make(&self) -> Result<Option<String>, Failure> {
        let folder = &self.0;
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(file("make", folder))?;
        let mode = std::fs::metadata(folder).map_err(file("read", folder))?.permissions().mode();
        let path = folder.display();
        if mode & 0o022 != 0 {
            return Err(Failure::new(format!(
                "others may write in the folder {path}, where keys are to be kept"
            ))
            .hint(format!(
                "`chmod 700 {path}`, or name another folder with --data; its mode was not changed"
            )));
        }
        let readable = mode & 0o055 != 0;
        Ok(readable.then(|| {
            format!(
                "Note: others may look into the folder {path}. The files that hold secrets are yours only (mode 0600); \
                 `chmod 700 {path}` closes the folder too."
            )
        }))
    }

    /// Keeps the folder for this process. The system lets go of it when the process ends, however it ends, so what a
    /// killed one left behind hinders nobody.
    pub fn lock(&self) -> Result<File, Failure> {
        let path = self.0.join("lock");
        // What stands there is nobody's to empty.
        let lock =
            File::options().create(true).append(true).mode(0o600).open(&path).map_err(file("make", &path))?;
        match lock.try_lock() {
            Ok(()) => Ok(lock),
            Err(TryLockError::WouldBlock) => {
                Err(Failure::new(format!("another `cloud-apps serve` uses the folder {}", self.0.display()))
                    .hint("use the one that runs, end it, or give this one a folder and ports of its own: --data DIR --port 0 --mattermost-port 0"))
            }
            Err(TryLockError::Error(error)) => Err(file("lock", &path)(error)),
        }
    }

    /// Removes what a killed process left behind. For who holds the lock.
    pub fn clear(&self) -> Result<(), Failure> {
        for path in [self.socket(), self.demo()] {
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(file("remove", &path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.0.join("bundle.db")
    }

    /// The folder of key rings.
    pub fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }

    /// The operators' socket.
    pub fn socket(&self) -> PathBuf {
        self.0.join("operator.sock")
    }

    /// The credentials of the demo, for `cloud-apps run`.
    pub fn demo(&self) -> PathBuf {
        self.0.join("demo.json")
    }
}

/// Builds the bundle over the files, and the queue that is to be worked on beside it.
pub fn bundle(files: &Files, apps: Vec<App>) -> Result<(Bundle, Sqlite), Failure> {
    let store = Arc::new(Sqlite::open(&files.database()).map_err(|e| Failure::new(e.to_string()))?);
    let keys = Arc::new(KeyFiles::open(&files.keys()).map_err(|e| Failure::new(e.to_string()))?);
    let stores = Stores {
        installs: store.clone(),
        apps: store.clone(),
        ledger: store.clone(),
        keys: keys.clone(),
        keep_installs: INSTALL_CACHE,
    };
    let http = Outbound::new(Policy { loopback: true, ..Policy::default() });
    let world = World::new(apps, stores, http, Arc::new(SystemRandom));
    let queue = Sqlite::clone(&store);
    let office = Office {
        world: Arc::new(world),
        registry: store.clone(),
        key_maker: keys,
        queue: store.clone(),
        dead_letters: store,
    };
    Ok((Bundle::new(office), queue))
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
    // One byte more than is allowed is enough for the handler to say that it is too much.
    let body = to_bytes(body, MAX_BODY + 1).await.unwrap_or_else(|_| vec![0; MAX_BODY + 1].into());
    bundle.handle(arrival(http::Request::from_parts(parts, body))).await.map(Body::from)
}

/// What the operators' socket tells of the bundle.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Whereabouts {
    /// The bundle's address as a Mattermost server reaches it.
    pub base_url: String,
}

/// How many operators may wait to be served.
const WAITING: u32 = 128;

/// Serves operators on the socket until `stop`: `POST /` is their request, `GET /` tells where the bundle serves.
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
    // Before anybody can connect: until it listens, connections are refused.
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
    Json(install::operator(bundle.office(), request, system_now(), &request_id).await)
}
