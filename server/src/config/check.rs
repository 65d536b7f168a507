//! What no type of a setting can say: numbers that would refuse everything, and paths that something else has.

use std::path::Path;
use std::time::Duration;

use anyhow::{bail, ensure};
use rtctrace_protocol::dump::MAX_LINE;

use super::{Config, Limits, Size, Sora, Upload};
use crate::api::assets;

/// What the collector's own paths begin with.
const OWN_PATHS: [&str; 7] = ["", "api", "v1", "demo", "healthz", "readyz", "metrics"];
/// No limit of bytes is smaller: a session's first line has more.
const SMALLEST: Size = Size(1 << 10);
/// No time that somebody is waited for is shorter.
const SHORTEST: Duration = Duration::from_secs(1);

/// Refuses settings that nothing can be done with.
pub(crate) fn check(config: &Config) -> anyhow::Result<()> {
    limits(&config.limits)?;
    upload(&config.upload)?;
    sora(&config.sora)?;
    let times = [
        ("session.idle_timeout", config.session.idle_timeout),
        ("sora.idle_timeout", config.sora.idle_timeout),
        ("limits.header_time", config.limits.header_time),
        ("limits.idle_time", config.limits.idle_time),
        ("limits.query_time", config.limits.query_time),
        ("sora.keep_open", config.sora.keep_open),
    ];
    for (name, time) in times {
        ensure!(time.0 >= SHORTEST, "{name} is {time}; it is at least 1s");
    }
    for (name, size) in [("spool.part_bytes", config.spool.part_bytes), ("stats.queue_bytes", config.stats.queue_bytes)]
    {
        ensure!(size >= SMALLEST, "{name} is {size}; it is at least {SMALLEST}");
    }
    Ok(())
}

fn limits(limits: &Limits) -> anyhow::Result<()> {
    let sizes = [
        ("line_bytes", limits.line_bytes),
        ("frame_bytes", limits.frame_bytes),
        ("session_bytes", limits.session_bytes),
        ("body_bytes", limits.body_bytes),
        ("upload_bytes", limits.upload_bytes),
    ];
    for (name, size) in sizes {
        ensure!(size >= SMALLEST, "limits.{name} is {size}; it is at least {SMALLEST}");
    }
    let (line, longest) = (limits.line_bytes, MAX_LINE as u64);
    ensure!(line.0 <= longest, "limits.line_bytes is {line}; readers of dumps take lines of at most {longest} bytes");
    let (unfinished, frame) = (limits.unfinished_bytes, limits.frame_bytes);
    ensure!(
        unfinished >= frame,
        "limits.unfinished_bytes is {unfinished}; it is at least limits.frame_bytes, {frame}: else no message of that size ever ends"
    );
    for (name, count) in [("sessions", limits.sessions), ("sockets", limits.sockets)] {
        ensure!(count > 0, "limits.{name} is 0; it is at least 1");
    }
    ensure!(!limits.session_age.0.is_zero(), "limits.session_age is 0s; write 3650d for sessions of any age");
    if limits.rate {
        let off = "; limits.rate = false switches it off";
        ensure!(limits.lines_per_second > 0, "limits.lines_per_second is 0; it is at least 1{off}");
        ensure!(limits.bytes_per_second.0 > 0, "limits.bytes_per_second is 0B; it is at least 1B{off}");
        ensure!(!limits.work_per_second.0.is_zero(), "limits.work_per_second is 0s; it is at least 1ms{off}");
    }
    Ok(())
}

fn sora(sora: &Sora) -> anyhow::Result<()> {
    let (bodies, body) = (sora.request_bytes, sora.body_bytes);
    ensure!(body >= SMALLEST, "sora.body_bytes is {body}; it is at least {SMALLEST}");
    ensure!(bodies >= body, "sora.request_bytes is {bodies}; it is at least sora.body_bytes, {body}");
    for (name, count) in [("connections", sora.connections), ("requests", sora.requests)] {
        ensure!(count > 0, "sora.{name} is 0; it is at least 1");
    }
    let is_named = |file: &Path| !file.as_os_str().is_empty();
    ensure!(
        !is_named(&sora.tls.client_ca) || is_named(&sora.tls.certificate),
        "sora.tls.client_ca asks for certificates, which takes TLS: set sora.tls.certificate and sora.tls.key"
    );
    Ok(())
}

fn upload(upload: &Upload) -> anyhow::Result<()> {
    let path = &upload.path;
    let is_plain = |path: &str| path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte));
    let is_taken = |path: &str| {
        let first = path.split('/').nth(1).unwrap_or_default();
        OWN_PATHS.contains(&first) || path.ends_with('/') || path.contains("//") || assets::exists(path)
    };
    if !path.is_empty() && (!path.starts_with('/') || !is_plain(path) || is_taken(path)) {
        bail!(
            "upload.path is `{path}`; it is a path that nothing else has, such as /upload, of letters, digits and -_.~"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::load::tests::with_file;
    use super::*;

    #[test]
    fn what_would_refuse_everything_is_refused() {
        check(&Config::default()).unwrap();
        for (text, said) in [
            ("[limits]\nline_bytes = 0", "limits.line_bytes is 0B; it is at least 1KiB"),
            ("[limits]\nframe_bytes = 7", "limits.frame_bytes is 7B"),
            ("[limits]\nsession_bytes = 0", "limits.session_bytes is 0B"),
            ("[limits]\nbody_bytes = 0", "limits.body_bytes is 0B"),
            ("[limits]\nupload_bytes = 0", "limits.upload_bytes is 0B"),
            ("[limits]\nline_bytes = \"1GiB\"", "readers of dumps"),
            ("[limits]\nunfinished_bytes = \"1MiB\"", "at least limits.frame_bytes, 4MiB"),
            ("[limits]\nsessions = 0", "limits.sessions is 0"),
            ("[limits]\nsockets = 0", "limits.sockets is 0"),
            ("[limits]\nsession_age = 0", "limits.session_age is 0s"),
            ("[limits]\nlines_per_second = 0", "limits.rate = false"),
            ("[limits]\nbytes_per_second = 0", "limits.bytes_per_second is 0B"),
            ("[limits]\nwork_per_second = 0", "limits.work_per_second is 0s"),
            ("[limits]\nheader_time = \"1ms\"", "limits.header_time is 1ms; it is at least 1s"),
            ("[limits]\nidle_time = 0", "limits.idle_time is 0s"),
            ("[limits]\nquery_time = \"10ms\"", "limits.query_time is 10ms; it is at least 1s"),
            ("[session]\nidle_timeout = 0", "session.idle_timeout is 0s"),
            ("[sora]\nidle_timeout = 0", "sora.idle_timeout is 0s"),
            ("[spool]\npart_bytes = 0", "spool.part_bytes is 0B"),
            ("[stats]\nqueue_bytes = 0", "stats.queue_bytes is 0B"),
            ("[sora]\nconnections = 0", "sora.connections is 0"),
            ("[sora]\nrequests = 0", "sora.requests is 0"),
            ("[sora]\nbody_bytes = 0", "sora.body_bytes is 0B"),
            ("[sora]\nrequest_bytes = \"1MiB\"", "at least sora.body_bytes, 4MiB"),
            ("[sora]\nkeep_open = 0", "sora.keep_open is 0s"),
            ("[sora.tls]\nclient_ca = \"ca.pem\"", "set sora.tls.certificate and sora.tls.key"),
            ("[upload]\npath = \"/api/x\"", "upload.path is `/api/x`"),
        ] {
            let error = check(&with_file(text, &[]).unwrap()).expect_err(text).to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
        check(&with_file("[limits]\nrate = false\nlines_per_second = 0\nuploads = 0", &[]).unwrap()).unwrap();
    }
}
