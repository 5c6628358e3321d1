//! The person at the terminal, who is told what happens and is asked.

use super::stop::Stop;
use crate::{failure::Failure, terminal};
use async_trait::async_trait;
use secrecy::SecretString;
use std::io::{BufRead, ErrorKind, IsTerminal};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// A person, or a test that answers like one.
#[async_trait]
pub trait Person: Send + Sync {
    /// Shows a line. It stays one line, whatever stands in it.
    fn tell(&self, line: &str);
    /// Whether somebody answers questions.
    fn answers(&self) -> bool;
    /// Asks for a line.
    async fn ask(&self, question: &str) -> Result<String, Stop>;
    /// Asks for a secret. It is not shown while it is typed.
    async fn ask_secretly(&self, question: &str) -> Result<SecretString, Stop>;
}

/// The person at this terminal. Lines go to standard error, because standard output is for the result.
#[derive(Debug, Default)]
pub struct Terminal;

#[async_trait]
impl Person for Terminal {
    fn tell(&self, line: &str) {
        terminal::err(line);
    }

    fn answers(&self) -> bool {
        std::io::stdin().is_terminal()
    }

    async fn ask(&self, question: &str) -> Result<String, Stop> {
        let question = question.to_owned();
        off_thread(move || {
            terminal::ask(&question);
            let mut line = String::new();
            let read = std::io::stdin().lock().read_line(&mut line)?;
            if read == 0 { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(line.trim().to_owned()) }
        })
        .await
    }

    async fn ask_secretly(&self, question: &str) -> Result<SecretString, Stop> {
        let question = terminal::secret_prompt(question);
        off_thread(move || rpassword::prompt_password(question).map(SecretString::from)).await
    }
}

/// Reads on its own thread, which may still wait when the program ends. A thread of the runtime would keep the program alive.
async fn off_thread<T: Send + 'static>(
    read: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, Stop> {
    let (send, receive) = oneshot::channel();
    std::thread::spawn(move || {
        let _ = send.send(read());
    });
    match receive.await {
        Ok(Ok(typed)) => Ok(typed),
        // Ctrl-C on a terminal that does not turn it into a signal.
        Ok(Err(error)) if error.kind() == ErrorKind::Interrupted => Err(Stop::Interrupted),
        Ok(Err(error)) => Err(Failure::usage(format!("nothing was typed: {error}")).into()),
        Err(_) => Err(Failure::usage("nothing was typed").into()),
    }
}

/// A person whose answers are waited for only until somebody wants to stop.
pub struct Interruptible<'a> {
    /// The person.
    pub person: &'a dyn Person,
    /// Cancelled when somebody wants to stop.
    pub interrupt: &'a CancellationToken,
}

impl Interruptible<'_> {
    async fn wait<T>(&self, answer: impl Future<Output = Result<T, Stop>>) -> Result<T, Stop> {
        tokio::select! {
            answer = answer => answer,
            () = self.interrupt.cancelled() => Err(Stop::Interrupted),
        }
    }
}

#[async_trait]
impl Person for Interruptible<'_> {
    fn tell(&self, line: &str) {
        self.person.tell(line);
    }

    fn answers(&self) -> bool {
        self.person.answers()
    }

    async fn ask(&self, question: &str) -> Result<String, Stop> {
        self.wait(self.person.ask(question)).await
    }

    async fn ask_secretly(&self, question: &str) -> Result<SecretString, Stop> {
        // This is not interrupted from outside: the terminal shows what is typed again only when the prompt ends. Ctrl-C ends
        // the prompt by itself.
        self.person.ask_secretly(question).await
    }
}
