//! What a connection hears for which there is no place: a short answer, for so many at a time, and nobody waits long for it.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::problem::Reason;
use crate::telemetry;

/// So many are answered at one time; others are closed without a word.
const AT_A_TIME: usize = 64;
/// For the answer, and for the peer to read it.
const PATIENCE: Duration = Duration::from_secs(1);
/// As much as a peer may have asked for already.
const ASKED: usize = 16 * 1024;

/// Answers connections that have no place.
#[derive(Debug, Clone)]
pub(super) struct Full {
    answer: Arc<str>,
    places: Arc<Semaphore>,
}

impl Full {
    /// Nobody is answered yet; `setting` says how many connections there may be.
    pub(super) fn new(setting: &str) -> Self {
        let body = format!(
            "{{\"type\":\"urn:rtctrace:problem:too-many-connections\",\"title\":\"Too many connections\",\"status\":503,\
             \"detail\":\"There are as many connections as `{setting}` allows; come back later.\"}}"
        );
        // In HTTP/1.1, which whoever speaks HTTP/2 does not understand; but it is closed all the same.
        let answer = format!(
            "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\nConnection: close\r\n\
             Content-Type: application/problem+json\r\nCache-Control: no-store\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        Self { answer: answer.into(), places: Arc::new(Semaphore::new(AT_A_TIME)) }
    }

    /// Closes a connection; one without TLS, which would cost more than the answer, hears why.
    pub(super) fn refuse(&self, stream: TcpStream, is_encrypted: bool) {
        telemetry::refused(Reason::TooManyConnections.name());
        if is_encrypted {
            return;
        }
        let Ok(permit) = Arc::clone(&self.places).try_acquire_owned() else { return };
        let said = Arc::clone(&self.answer);
        tokio::spawn(async move {
            let _ = timeout(PATIENCE, answer(stream, &said)).await;
            drop(permit);
        });
    }
}

/// Closing a connection with unread input resets it, and the peer would never see the answer.
async fn answer(mut stream: TcpStream, said: &str) -> std::io::Result<()> {
    stream.write_all(said.as_bytes()).await?;
    stream.shutdown().await?;
    let (mut asked, mut buffer) = (0, [0; 1024]);
    while asked < ASKED {
        match stream.read(&mut buffer).await? {
            0 => break,
            read => asked += read,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_a_problem_document() {
        let full = Full::new("limits.sockets");
        let (head, body) = full.answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}", body.len())), "{}", body.len());
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert!(body["detail"].as_str().unwrap().contains("limits.sockets"));
        let kind = format!("urn:rtctrace:problem:{}", Reason::TooManyConnections.name().replace('_', "-"));
        assert_eq!(body["type"], kind);
    }
}
