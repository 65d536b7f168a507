//! How long the listener waits for a peer: for its next request, and for it to take what is sent to it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use crate::problem::Reason;
use crate::telemetry;

/// A stream whose writes fail when its peer takes nothing for too long: who does not read would hold his place for ever.
#[derive(Debug)]
pub(super) struct Impatient<S> {
    stream: S,
    limit: Duration,
    blocked: Option<Pin<Box<Sleep>>>,
}

impl<S> Impatient<S> {
    /// Waits so long for a peer to read.
    pub(super) fn new(stream: S, limit: Duration) -> Self {
        Self { stream, limit, blocked: None }
    }

    /// Passes a result on, and counts the time while there is none.
    fn timed<T>(&mut self, context: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.blocked = None;
            return result;
        }
        let limit = self.limit;
        let blocked = self.blocked.get_or_insert_with(|| Box::pin(sleep(limit)));
        blocked.as_mut().poll(context).map(|()| {
            telemetry::refused(Reason::SlowReader.name());
            Err(io::Error::from(io::ErrorKind::TimedOut))
        })
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Impatient<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, to)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Impatient<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, from);
        self.timed(context, result)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(context);
        self.timed(context, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_shutdown(context);
        self.timed(context, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        from: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(context, from);
        self.timed(context, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// What a connection does.
#[derive(Debug, Clone, Copy)]
struct Activity {
    requests: usize,
    since: Instant,
    asked: bool,
}

/// Counts a connection's requests. Each counts until its answer is sent.
#[derive(Debug, Clone)]
pub(super) struct Requests(watch::Sender<Activity>);

impl Requests {
    /// None yet.
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(Activity { requests: 0, since: Instant::now(), asked: false }))
    }

    /// One more.
    pub(super) fn begin(&self) -> RequestUnderWay {
        self.0.send_modify(|activity| {
            activity.requests += 1;
            activity.asked = true;
        });
        RequestUnderWay(self.0.clone())
    }

    /// Waits until the connection was without a request for too long: `first` until its first, `next` after that. Says which.
    pub(super) fn idle(&self, first: Duration, next: Duration) -> impl Future<Output = Reason> + use<> {
        let mut activity = self.0.subscribe();
        async move {
            loop {
                let now = *activity.borrow_and_update();
                let (limit, reason) =
                    if now.asked { (next, Reason::IdleConnection) } else { (first, Reason::SlowHead) };
                let silent = async {
                    if now.requests == 0 {
                        sleep_until(now.since + limit).await;
                    } else {
                        std::future::pending::<()>().await;
                    }
                };
                tokio::select! {
                    () = silent => return reason,
                    changed = activity.changed() => if changed.is_err() {
                        std::future::pending::<()>().await;
                    },
                }
            }
        }
    }
}

/// A request whose answer is not sent yet.
#[derive(Debug)]
pub(super) struct RequestUnderWay(watch::Sender<Activity>);

impl RequestUnderWay {
    /// The body of its answer; with it, the request ends.
    pub(super) fn until_sent(self, body: Body) -> Body {
        Body::new(Sending { body, _request: self })
    }
}

impl Drop for RequestUnderWay {
    fn drop(&mut self) {
        self.0.send_modify(|activity| {
            activity.requests -= 1;
            activity.since = Instant::now();
        });
    }
}

struct Sending {
    body: Body,
    _request: RequestUnderWay,
}

impl hyper::body::Body for Sending {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_reads_nothing_is_not_waited_for() {
        let (stream, peer) = tokio::io::duplex(16);
        let mut stream = Impatient::new(stream, Duration::from_secs(5));
        let start = Instant::now();
        let error = stream.write_all(&[0; 64]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(start.elapsed().as_secs(), 5);
        drop(peer);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_idle_between_requests_only() {
        let (first, next) = (Duration::from_secs(3), Duration::from_secs(10));
        let requests = Requests::new();
        let start = Instant::now();
        assert_eq!(requests.idle(first, next).await, Reason::SlowHead);
        assert_eq!(start.elapsed().as_secs(), 3);

        let under_way = requests.begin();
        let idle = requests.idle(first, next);
        assert!(tokio::time::timeout(next * 5, requests.idle(first, next)).await.is_err());
        let start = Instant::now();
        drop(under_way.until_sent(Body::empty()));
        assert_eq!(idle.await, Reason::IdleConnection);
        assert_eq!(start.elapsed().as_secs(), 10);
    }
}
