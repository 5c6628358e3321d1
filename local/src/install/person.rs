//! Who sits at the terminal: is told what happens, and answers what only a person can.

use crate::failure::Failure;
use async_trait::async_trait;
use secrecy::SecretString;
use std::io::{BufRead, ErrorKind, IsTerminal, Write};
use tokio::sync::oneshot;

/// A person, or what stands in a person's place.
#[async_trait]
pub trait Person: Send + Sync {
    /// Shows a line.
    fn tell(&self, line: &str);
    /// Whether questions are answered.
    fn answers(&self) -> bool;
    /// Asks for a line.
    async fn ask(&self, question: &str) -> Result<String, Failure>;
    /// Asks for something that nobody else is to read: it is not shown while it is typed.
    async fn ask_secretly(&self, question: &str) -> Result<SecretString, Failure>;
}

/// The person at this terminal. What is told goes to standard error: standard output is the result's.
#[derive(Debug, Default)]
pub struct Terminal;

#[async_trait]
impl Person for Terminal {
    fn tell(&self, line: &str) {
        anstream::eprintln!("{line}");
    }

    fn answers(&self) -> bool {
        std::io::stdin().is_terminal()
    }

    async fn ask(&self, question: &str) -> Result<String, Failure> {
        let question = question.to_owned();
        off_thread(move || {
            anstream::eprint!("{question} ");
            let _ = std::io::stderr().flush();
            let mut line = String::new();
            let read = std::io::stdin().lock().read_line(&mut line)?;
            if read == 0 { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(line.trim().to_owned()) }
        })
        .await
    }

    async fn ask_secretly(&self, question: &str) -> Result<SecretString, Failure> {
        let question = format!("{question} ");
        off_thread(move || rpassword::prompt_password(question).map(SecretString::from)).await
    }
}

/// Reads on a thread of its own, which may be left waiting when the program is to end: one of the runtime's threads
/// would keep it alive.
async fn off_thread<T: Send + 'static>(
    read: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, Failure> {
    let (send, receive) = oneshot::channel();
    std::thread::spawn(move || {
        let _ = send.send(read());
    });
    match receive.await {
        Ok(Ok(typed)) => Ok(typed),
        Ok(Err(error)) => Err(Failure::usage(format!("nothing was typed: {error}"))),
        Err(_) => Err(Failure::usage("nothing was typed")),
    }
}
