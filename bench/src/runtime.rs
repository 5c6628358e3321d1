//! A stub of Lambda's runtime API on loopback. It starts a bootstrap, gives it events, and measures it from outside.

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
    routing::{get, post},
};
use std::{
    collections::BTreeMap,
    fs::File,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::sync::{Mutex, mpsc};

/// A bootstrap and the environment it is started with.
#[derive(Clone)]
pub struct Program {
    /// Its name in the table.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// Its environment, in addition to what Lambda sets.
    pub env: BTreeMap<String, String>,
    /// The file to which its output is appended. With `None`, its standard error goes to ours, and its standard output is
    /// dropped.
    pub log: Option<PathBuf>,
}

/// What a bootstrap did.
enum Seen {
    /// It asked for its first event, or for the next one.
    Next(Instant),
    /// It answered.
    Answered(Instant, Bytes),
    /// It said that it cannot start, or that an event failed.
    Failed(Bytes),
}

struct Api {
    events: Mutex<mpsc::UnboundedReceiver<Vec<u8>>>,
    seen: mpsc::UnboundedSender<Seen>,
    count: AtomicU64,
}

/// A running bootstrap.
pub struct Running {
    child: Child,
    events: mpsc::UnboundedSender<Vec<u8>>,
    seen: mpsc::UnboundedReceiver<Seen>,
    server: tokio::task::JoinHandle<()>,
    /// The time from its start until it first asks for an event.
    pub init: Duration,
}

/// How long a bootstrap may take to start or to answer.
const TIME_LIMIT: Duration = Duration::from_secs(10);

impl Program {
    /// Starts it and waits until it asks for its first event.
    pub async fn start(&self) -> Result<Running, String> {
        let (events, queue) = mpsc::unbounded_channel();
        let (tell, seen) = mpsc::unbounded_channel();
        let api = Arc::new(Api { events: Mutex::new(queue), seen: tell, count: AtomicU64::new(0) });
        let routes = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(answered))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(failed))
            .route("/2018-06-01/runtime/init/error", post(init_failed))
            .layer(DefaultBodyLimit::disable())
            .with_state(api);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.map_err(|e| e.to_string())?;
        let address = listener.local_addr().map_err(|e| e.to_string())?;
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, routes).await;
        });
        let (stdout, stderr) = self.output().map_err(|e| format!("no log: {e}"))?;
        let started = Instant::now();
        let child = Command::new(&self.path)
            .env_clear()
            .envs([
                ("AWS_LAMBDA_RUNTIME_API", address.to_string().as_str()),
                ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
                ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
                ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
                ("AWS_LAMBDA_LOG_GROUP_NAME", "bench"),
                ("_HANDLER", "bootstrap"),
                ("AWS_REGION", "us-east-1"),
                ("AWS_ACCESS_KEY_ID", "test"),
                ("AWS_SECRET_ACCESS_KEY", "test"),
                ("AWS_SESSION_TOKEN", "test"),
            ])
            .envs(&self.env)
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .map_err(|e| format!("{} does not start: {e}", self.path.display()))?;
        let mut running = Running { child, events, seen, server, init: Duration::ZERO };
        match tokio::time::timeout(TIME_LIMIT, running.seen.recv()).await {
            Ok(Some(Seen::Next(at))) => running.init = at - started,
            Ok(Some(Seen::Failed(why))) => {
                return Err(format!("{} says: {}", self.name, String::from_utf8_lossy(&why)));
            }
            _ => return Err(format!("{} did not ask for an event within {TIME_LIMIT:?}", self.name)),
        }
        Ok(running)
    }

    fn output(&self) -> std::io::Result<(Stdio, Stdio)> {
        let Some(path) = &self.log else { return Ok((Stdio::null(), Stdio::inherit())) };
        let file = File::options().create(true).append(true).open(path)?;
        Ok((file.try_clone()?.into(), file.into()))
    }
}

impl Running {
    /// Gives it an event and waits for the answer; returns how long that took, and the answer.
    pub async fn invoke(&mut self, event: Vec<u8>) -> Result<(Duration, Bytes), String> {
        let sent = Instant::now();
        self.events.send(event).map_err(|_| "the bootstrap is gone".to_owned())?;
        let mut answer = None;
        // The call ends when the bootstrap asks for the next event, because only then it is ready again.
        loop {
            match tokio::time::timeout(TIME_LIMIT, self.seen.recv()).await {
                Ok(Some(Seen::Answered(at, body))) => answer = Some(Ok((at - sent, body))),
                Ok(Some(Seen::Failed(why))) => answer = Some(Err(String::from_utf8_lossy(&why).into_owned())),
                Ok(Some(Seen::Next(_))) => {
                    return answer.unwrap_or_else(|| {
                        Err("the bootstrap asked for the next event without an answer".to_owned())
                    });
                }
                _ => return Err(format!("no answer within {TIME_LIMIT:?}")),
            }
        }
    }

    /// The most memory that it used, in MB (10⁶ bytes).
    pub fn peak_mb(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let kb: f64 = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .and_then(|v| v.trim().trim_end_matches(" kB").parse().ok())
            .unwrap_or(f64::NAN);
        kb * 1024.0 / 1e6
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.server.abort();
    }
}

async fn next(State(api): State<Arc<Api>>) -> impl IntoResponse {
    let _ = api.seen.send(Seen::Next(Instant::now()));
    let Some(event) = api.events.lock().await.recv().await else {
        return (StatusCode::GONE, HeaderMap::new(), Vec::new());
    };
    let id = api.count.fetch_add(1, Ordering::Relaxed);
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + Duration::from_secs(29);
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", format!("bench-{id}")),
        ("lambda-runtime-deadline-ms", deadline.as_millis().to_string()),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:us-east-1:000000000000:function:bench".to_owned(),
        ),
    ] {
        if let Ok(value) = value.parse() {
            headers.insert(name, value);
        }
    }
    (StatusCode::OK, headers, event)
}

async fn answered(State(api): State<Arc<Api>>, Path(_): Path<String>, body: Bytes) -> StatusCode {
    let _ = api.seen.send(Seen::Answered(Instant::now(), body));
    StatusCode::ACCEPTED
}

async fn failed(State(api): State<Arc<Api>>, Path(_): Path<String>, body: Bytes) -> StatusCode {
    let _ = api.seen.send(Seen::Failed(body));
    StatusCode::ACCEPTED
}

async fn init_failed(State(api): State<Arc<Api>>, body: Bytes) -> StatusCode {
    let _ = api.seen.send(Seen::Failed(body));
    StatusCode::ACCEPTED
}
