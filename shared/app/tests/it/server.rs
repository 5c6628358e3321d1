//! Servers on loopback: one that answers as told, and raw ones that misbehave.

use axum::{Router, body::Bytes, extract::State, http::Request, response::Response};
use cloud_apps_protocol::SiteUrl;
use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

type Answer = dyn Fn(&Request<Bytes>) -> Response + Send + Sync;

/// Answers as told, and remembers what it was asked.
#[derive(Clone)]
pub struct Server {
    pub site: SiteUrl,
    asked: Arc<Mutex<Vec<Request<Bytes>>>>,
    answer: Arc<Answer>,
}

impl Server {
    pub async fn start(answer: impl Fn(&Request<Bytes>) -> Response + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let site = SiteUrl::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let server = Self { site, asked: Arc::default(), answer: Arc::new(answer) };
        let router = Router::new().fallback(Self::handle).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        server
    }

    async fn handle(State(server): State<Self>, request: Request<axum::body::Body>) -> Response {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let request = Request::from_parts(parts, body);
        let answer = (server.answer)(&request);
        server.asked.lock().unwrap().push(request);
        answer
    }

    /// `GET /path` of each request, in order.
    pub fn asked(&self) -> Vec<String> {
        self.map(|request| format!("{} {}", request.method(), request.uri()))
    }

    pub fn map<T>(&self, of: impl Fn(&Request<Bytes>) -> T) -> Vec<T> {
        self.asked.lock().unwrap().iter().map(of).collect()
    }
}

/// Answers each request with these bytes, then sends nothing more and keeps the connection.
pub async fn raw(bytes: Vec<u8>) -> SiteUrl {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let site = SiteUrl::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let bytes = bytes.clone();
            tokio::spawn(async move {
                head(&mut stream).await;
                // The client may have gone, which is what some tests are about.
                let _ = stream.write_all(&bytes).await;
                std::future::pending::<()>().await;
            });
        }
    });
    site
}

/// Closes its first connection when a request came, without an answer, and answers on all later ones. How many requests came.
pub async fn closes_once() -> (SiteUrl, Arc<Mutex<usize>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let site = SiteUrl::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let came = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&came);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            head(&mut stream).await;
            let first = {
                let mut counted = counted.lock().unwrap();
                *counted += 1;
                *counted == 1
            };
            if !first {
                let answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
                stream.write_all(answer).await.unwrap();
            }
        }
    });
    (site, came)
}

/// An HTTPS server that closes after each answer. Its port, and the PEM of its certificate for these names.
pub async fn tls(names: &[&str]) -> (u16, String) {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                head(&mut stream).await;
                let answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
                stream.write_all(answer).await.unwrap();
                stream.shutdown().await.unwrap();
            });
        }
    });
    (port, made.cert.pem())
}

async fn head(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        read.push(byte);
    }
}
