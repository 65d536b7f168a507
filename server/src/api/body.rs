//! The body of a request, read as a whole: so long, and no longer than it may take.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;

use crate::config::Size;
use crate::problem::{Problem, Reason};

/// From the request's headers to the end of its body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// A body that nobody wants may take so long to be passed over.
const PATIENCE: Duration = Duration::from_secs(5);

/// Reads what nobody wants, up to so many bytes, and keeps nothing of it. In HTTP/1 the connection could not go on else, and in HTTP/2
/// each stream that is cut in its middle counts as an error of its connection, which ends by too many of them.
pub(crate) async fn pass_over(mut body: Body, most: Size) {
    let mut left = most.0;
    let passing = async {
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, Bytes::len) as u64;
            let Some(rest) = left.checked_sub(length) else { return };
            left = rest;
        }
    };
    let _ = tokio::time::timeout(PATIENCE, passing).await;
}

/// All of it, if there is room for it: `room` is asked how much there may be, as it comes. Of a body that is not taken the rest is left.
pub(crate) async fn collect_within(
    body: &mut Body,
    limit: Size,
    mut room: impl FnMut(u64) -> Result<(), Problem>,
) -> Result<Bytes, Problem> {
    let reading = async {
        let mut all = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return Err(slow()) };
            let Ok(data) = frame.into_data() else { continue };
            let length = (all.len() + data.len()) as u64;
            if length > limit.0 {
                return Err(too_long(limit));
            }
            room(length)?;
            all.extend_from_slice(&data);
        }
        Ok(all.freeze())
    };
    tokio::time::timeout(BODY_TIMEOUT, reading).await.unwrap_or_else(|_| Err(slow()))
}

fn too_long(limit: Size) -> Problem {
    Problem::new(Reason::TooLarge, format!("The body is longer than {limit}."))
}

fn slow() -> Problem {
    Problem::new(Reason::SlowBody, "The body did not arrive.")
}

/// All of it.
pub(crate) async fn collect(mut body: Body, limit: Size) -> Result<Bytes, Problem> {
    collect_within(&mut body, limit, |_| Ok(())).await
}
