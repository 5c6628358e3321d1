//! The stand-in on a socket: HTTP/1.1 by hyper, plain or with TLS. It only carries requests to
//! [`Standin::respond`](crate::Standin::respond).

mod tls;

use crate::error::{ConnectionCut, StandinError};
use crate::rest;
use crate::standin::Standin;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// The most bytes that are read of a body. `FileSettings.MaxFileSize` is about as large.
const LARGEST_BODY: usize = 100 * 1024 * 1024;

/// How long a running call may still take after the server was told to stop.
const SHUTDOWN_TIME: Duration = Duration::from_secs(2);

/// A stand-in that listens. It stops at once when it is dropped; [`Server::shutdown`] lets running calls finish.
#[derive(Debug)]
pub struct Server {
    url: String,
    ca_pem: Option<String>,
    stop: watch::Sender<bool>,
    task: Option<tokio::task::JoinHandle<()>>,
}

impl Server {
    /// `http://127.0.0.1:port` or `https://127.0.0.1:port`, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The certificate authority that clients must trust; `None` without TLS.
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// Takes no new connections and requests, gives running requests two seconds to finish, and frees the port.
    pub async fn shutdown(mut self) {
        // This fails only when the task has ended already.
        let _ = self.stop.send(true);
        if let Some(task) = self.task.take() {
            let _ = task.await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl Standin {
    /// Listens for HTTP; port 0 takes a free one.
    ///
    /// # Errors
    /// The stand-in cannot listen on the address.
    pub async fn serve_http(&self, address: SocketAddr) -> Result<Server, StandinError> {
        serve(self.clone(), address, None).await
    }

    /// Listens for HTTPS with a new certificate authority of its own. `names` are further host names or addresses
    /// for the certificate, which always has `localhost` and the loopback addresses.
    ///
    /// # Errors
    /// The stand-in cannot listen on the address, or a name cannot be in a certificate.
    pub async fn serve_https(&self, address: SocketAddr, names: &[&str]) -> Result<Server, StandinError> {
        serve(self.clone(), address, Some(names)).await
    }
}

/// Listens and serves until it is told to stop.
async fn serve(standin: Standin, address: SocketAddr, tls: Option<&[&str]>) -> Result<Server, StandinError> {
    let identity = tls.map(tls::identity).transpose()?;
    let listen = |source| StandinError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(listen)?;
    let here = listener.local_addr().map_err(listen)?;
    let scheme = if identity.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://{here}");
    standin.set_site_url(&url);
    let (stop, stopped) = watch::channel(false);
    let acceptor = identity.as_ref().map(|identity| TlsAcceptor::from(identity.config.clone()));
    let task = tokio::spawn(accept(standin, listener, acceptor, stopped));
    Ok(Server { url, ca_pem: identity.map(|identity| identity.ca_pem), stop, task: Some(task) })
}

async fn accept(
    standin: Standin,
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        let stream = tokio::select! {
            stream = listener.accept() => stream,
            _ = stopped.changed() => break,
            // This removes finished connections from the set.
            Some(_) = connections.join_next() => continue,
        };
        // One failed accept (the client left, or there are no descriptors) does not end the server.
        let Ok((stream, _)) = stream else {
            tokio::task::yield_now().await;
            continue;
        };
        let (standin, acceptor, stopped) = (standin.clone(), acceptor.clone(), stopped.clone());
        connections.spawn(async move {
            match acceptor {
                None => connection(standin, false, stream, stopped).await,
                Some(acceptor) => match acceptor.accept(stream).await {
                    Ok(stream) => connection(standin, true, stream, stopped).await,
                    Err(error) => tracing::debug!(%error, "a TLS handshake failed"),
                },
            }
        });
    }
    drop(listener);
    // A call that was ordered to hang never finishes, so the wait has a limit.
    let finish = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(SHUTDOWN_TIME, finish).await;
}

async fn connection<S>(standin: Standin, secure: bool, stream: S, mut stopped: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| {
        let standin = standin.clone();
        async move { answer(&standin, secure, request).await }
    });
    let connection =
        http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let result = tokio::select! {
        result = connection.as_mut() => result,
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "a connection ended early");
    }
}

async fn answer(
    standin: &Standin,
    secure: bool,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, ConnectionCut> {
    let (head, body) = request.into_parts();
    let body = match Limited::new(body, LARGEST_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            let mut response = Response::new(Full::default());
            *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
            return Ok(response);
        }
        // The client left before its body was complete.
        Err(_) => return Err(ConnectionCut),
    };
    let response = rest::respond(standin, secure, Request::from_parts(head, body)).await?;
    Ok(response.map(Full::new))
}
