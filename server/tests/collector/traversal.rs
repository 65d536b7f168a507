//! No id leads out of its folder: what names a session in a URL, a message, a token or a dump is a UUID or becomes one.

use std::path::{Path, PathBuf};

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::support::*;

/// What a path must not become. `escaped` is in all names that could be made somewhere.
fn wrong_ids() -> Vec<String> {
    let uuid = "0190163d-8694-739b-aea5-966c26f8ad90";
    let mut ids: Vec<String> = [
        "../escaped",
        "../../escaped",
        "..%2fescaped",
        "%2e%2e%2fescaped",
        "%252e%252e%252fescaped",
        "..%5cescaped",
        "/escaped",
        "%2fescaped",
        "./escaped",
        "escaped%00",
        "..%c0%afescaped",
        "escaped.jsonl",
        "....//escaped",
        "~/escaped",
        "C:%5cescaped",
    ]
    .map(str::to_owned)
    .into();
    ids.extend([
        format!("{uuid}%2f..%2fescaped"),
        format!("../spool/{uuid}"),
        format!("{uuid}%00"),
        format!("{{{uuid}}}"),
    ]);
    ids.push("../".repeat(40) + "escaped");
    ids
}

/// Every file under a folder, and none of them reached by a link.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files(&path, found),
            false => found.push(path),
        }
    }
}

/// A collector some folders below one that only the test knows.
fn collector() -> (tempfile::TempDir, Collector) {
    let around = tempfile::tempdir().unwrap();
    let dir = tempfile::tempdir_in(around.path()).unwrap();
    std::fs::write(around.path().join("canary.jsonl"), "canary").unwrap();
    std::fs::write(dir.path().join("canary.jsonl"), "canary").unwrap();
    (around, Collector::start_in(dir, &[("RTCTRACE_SESSION_RESUME_GRACE", "100ms")]))
}

#[tokio::test]
async fn no_id_leads_out_of_its_folder() {
    let (around, collector) = collector();
    let mut asked: Vec<String> = wrong_ids();
    asked.extend(["../canary", "..%2fcanary", "%2e%2e/canary", "../../canary.jsonl"].map(str::to_owned));
    let mut taken = 0;
    for id in &asked {
        for (method, path) in [
            ("GET", format!("/api/v1/sessions/{id}")),
            ("GET", format!("/api/v1/sessions/{id}/dump")),
            ("DELETE", format!("/api/v1/sessions/{id}")),
            ("GET", format!("/{id}")),
            ("GET", format!("/assets/{id}")),
            ("GET", format!("/demo/{id}")),
            ("GET", format!("/demo/rtctrace/{id}")),
            ("POST", format!("/v1/beacon?session={id}&from=0")),
        ] {
            let answer = collector.request(method, &path, "", "[1,null,1,1]").await;
            assert!((400..500).contains(&answer.status), "{method} {path}: {}", answer.status);
            assert!(!answer.text().contains("canary\n") && answer.body != b"canary", "{method} {path}");
        }
        assert!(Socket::open(&collector.address, &format!("/v1/ws?session={id}&from=0"), V1).await.is_err(), "{id}");
        // Jitsi's clients may name a session as they like, within limits; what is no name is not taken.
        let plain = id.replace("%2f", "/").replace("%2e", ".").replace("%5c", "\\");
        for reconnects in [false, true] {
            let path = format!("/{plain}?statsSessionId={id}&isReconnect={reconnects}");
            let Ok(mut socket) = Socket::open(&collector.address, &path, "3.1_STANDARD").await else { continue };
            let message = json!({ "statsSessionId": plain, "type": "stats-entry", "data": "[\"a\",null,1,1,1]" });
            socket.try_send(Message::text(message.to_string())).await;
            socket.close_or_lost().await;
        }
        let header =
            json!({ "fileFormat": 3, "session": plain, "clientSession": plain, "clientProtocol": plain, "url": plain });
        let dump = format!("RTCStatsDump\n{header}\n[\"create\",null,\"{}\",1795159383861]\n", plain.len());
        let answer = collector.request("POST", "/api/v1/dumps", "", &dump).await;
        taken += usize::from(answer.status == 201);
    }
    // What was uploaded has another name, each its own.
    let (dumps, spool) = (collector.dir.path().join("dumps"), collector.dir.path().join("spool"));
    let mut found = Vec::new();
    until("uploads are stored", async || {
        let sessions = collector.sessions().await;
        found.clear();
        files(around.path(), &mut found);
        let count = |folder: &Path| found.iter().filter(|path| path.starts_with(folder)).count();
        let are_over = sessions.iter().all(|session| session["state"] == "ended");
        (are_over && count(&spool) == 0 && count(&dumps) == taken && sessions.len() == taken).then_some(())
    })
    .await;
    assert!(taken > 10);
    for path in &found {
        assert!(!path.display().to_string().contains("escaped"), "{}", path.display());
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.starts_with(&dumps) || path.starts_with(&spool) {
            let id = name.split('.').next().unwrap();
            assert!(id.parse::<uuid::Uuid>().is_ok() && id.len() == 36, "{}", path.display());
        }
    }
    for canary in [around.path().join("canary.jsonl"), collector.dir.path().join("canary.jsonl")] {
        assert_eq!(std::fs::read_to_string(canary).unwrap(), "canary");
    }
}
