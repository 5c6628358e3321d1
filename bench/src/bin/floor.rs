//! The least that a Lambda runtime can do, with only the standard library: ask for an event, and answer with it. Nothing
//! can start faster.

use std::{
    io::{Error, Read, Write},
    net::TcpStream,
};

fn main() -> Result<(), Error> {
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API").map_err(Error::other)?;
    let mut stream = TcpStream::connect(&api)?;
    stream.set_nodelay(true)?;
    loop {
        let next = format!("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nhost: {api}\r\n\r\n");
        let Some((head, body)) = call(&mut stream, next.as_bytes())? else { return Ok(()) };
        let id = header(&head, "lambda-runtime-aws-request-id").unwrap_or_default();
        let mut answer = format!(
            "POST /2018-06-01/runtime/invocation/{id}/response HTTP/1.1\r\nhost: {api}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        answer.extend_from_slice(&body);
        if call(&mut stream, &answer)?.is_none() {
            return Ok(());
        }
    }
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(n, _)| n.eq_ignore_ascii_case(name))
        .map(|(_, v)| v.trim())
}

/// One request and its response; `None` when the other side has closed.
fn call(stream: &mut TcpStream, request: &[u8]) -> Result<Option<(String, Vec<u8>)>, Error> {
    stream.write_all(request)?;
    let mut got = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        let n = stream.read(&mut buffer)?;
        if n == 0 {
            return Ok(None);
        }
        got.extend_from_slice(buffer.get(..n).unwrap_or_default());
        if let Some(end) = got.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(got.get(..end).unwrap_or_default()).into_owned();
            let length = header(&head, "content-length").and_then(|v| v.parse().ok()).unwrap_or(0);
            let body = got.get(end + 4..).unwrap_or_default();
            if body.len() >= length {
                return Ok(Some((head, body.to_vec())));
            }
        }
    }
}
