//! The body of a request, read as a whole: so long, and no longer than it may take.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use crate::config::Size;
use crate::problem::{Problem, Reason};

/// From the request's headers to the end of its body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// All of it.
pub(crate) async fn collect(body: Body, limit: Size) -> Result<Bytes, Problem> {
    let body = Limited::new(body, usize::try_from(limit.0).unwrap_or(usize::MAX));
    match tokio::time::timeout(BODY_TIMEOUT, body.collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(Problem::new(Reason::TooLarge, format!("The body is longer than {limit}.")))
        }
        Ok(Err(_)) | Err(_) => Err(Problem::new(Reason::SlowBody, "The body did not arrive.")),
    }
}
