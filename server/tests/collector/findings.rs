//! What was wrong in a session: told while it runs, stored once with its end, and gone with it.

use serde_json::{Value, json};

use crate::support::*;

/// A page whose capture is denied, and a connection whose ICE fails.
fn lines() -> Vec<String> {
    [
        r#"["create",null,{},1795159383861]"#,
        r#"["navigator.mediaDevices.getUserMedia",null,{"audio":true,"video":true},"60-0",100]"#,
        r#"["navigator.mediaDevices.getUserMediaOnFailure",null,"NotAllowedError: no \"way\"","60-0",50]"#,
        r#"["create","PC_0",{"iceServers":[{"urls":"stun:s.example"}]},10]"#,
        r#"["onicecandidate","PC_0",{"candidate":"candidate:1 1 udp 1 192.0.2.7 9 typ host"},10]"#,
        r#"["oniceconnectionstatechange","PC_0","checking",30]"#,
        r#"["oniceconnectionstatechange","PC_0","failed",15000]"#,
        r#"["visibilitychange",null,"visible",800]"#,
    ]
    .map(str::to_owned)
    .to_vec()
}

/// Of what they make, what is told of each finding but its values.
fn expected() -> Vec<Value> {
    vec![
        json!({
            "rule": "capture-denied",
            "severity": "critical",
            "begin": 1_795_159_384_011_i64,
            "end": 1_795_159_384_011_i64,
            "sentence": "Use of the microphone and camera was refused once: NotAllowedError: no \"way\"",
        }),
        json!({
            "rule": "ice-failed",
            "severity": "critical",
            "connection": "PC_0",
            "begin": 1_795_159_399_061_i64,
            "end": 1_795_159_399_061_i64,
            "sentence": "ICE failed once: no candidate of the other side was added",
        }),
    ]
}

fn without_values(findings: &Value) -> Vec<Value> {
    let mut findings = findings.as_array().unwrap().clone();
    for finding in &mut findings {
        assert!(finding.as_object_mut().unwrap().remove("values").is_some_and(|values| values.is_object()));
    }
    findings
}

#[tokio::test(flavor = "multi_thread")]
async fn findings_are_told_of_what_runs_and_stored_once_with_its_end_whatever_happens_between() {
    let mut collector = Collector::start(&[]);
    let (session, lines) = (new_session(), lines());
    let (mut socket, _) = collector.v1(&session, 0).await;
    socket.send(lines.join("\n")).await;
    socket.acknowledged(lines.len()).await;
    let live = collector.session(&session).await;
    assert_eq!(live["state"], "live");
    assert_eq!(without_values(&live["findings"]), expected());
    let counts = |session: &Value| [session["criticalFindings"].clone(), session["warningFindings"].clone()];
    assert_eq!(counts(&live), [Value::Null, Value::Null], "they are counted at its end");

    collector.crash();
    collector.restart();
    let back = collector.session(&session).await;
    assert_eq!((&back["state"], &back["findings"]), (&live["state"], &live["findings"]));
    let (mut socket, received) = collector.v1(&session, lines.len()).await;
    assert_eq!(received as usize, lines.len());
    // It dies while the end is on its way, or when that is stored.
    socket.send("[36,null,null,1]").await;
    socket.acknowledged(lines.len() + 1).await;
    collector.crash();
    collector.restart();
    let stored = collector.stored(&session).await;
    assert_eq!(stored["findings"], live["findings"]);
    assert_eq!(counts(&stored), [json!(2), json!(0)]);
    until("the spool is empty", async || (!collector.spool(&session).exists()).then_some(())).await;

    let rows = "SELECT position, rule, severity, connection_id, kind, stats_id, sentence, measured FROM findings ORDER BY position";
    let found = collector.query(rows).await;
    assert_eq!(found.len(), 2);
    for (position, (row, finding)) in found.iter().zip(expected()).enumerate() {
        assert_eq!(row["position"], position);
        for (column, member) in
            [("rule", "rule"), ("severity", "severity"), ("connection_id", "connection"), ("sentence", "sentence")]
        {
            assert_eq!(row[column], finding[member], "{column}");
        }
        assert_eq!((&row["kind"], &row["stats_id"]), (&Value::Null, &Value::Null));
        let measured = match &row["measured"] {
            Value::String(text) => serde_json::from_str(text).unwrap(),
            value => value.clone(),
        };
        assert_eq!(measured, stored["findings"][position]["values"]);
    }

    let listed =
        async |query: &str| collector.get(&format!("/api/v1/sessions?{query}")).await.json()["sessions"].take();
    let list = listed("severity=critical&finding=ice-failed&finding=capture-denied").await;
    assert_eq!((list.as_array().unwrap().len(), counts(&list[0])), (1, [json!(2), json!(0)]));
    assert_eq!(listed("severity=warning").await, json!([]));
    assert_eq!(listed("finding=ice-failed&finding=packet-loss").await, json!([]));
    let export = collector.get("/api/v1/export/findings?finding=ice-failed").await;
    assert_eq!(export.header("content-disposition"), "attachment; filename=\"findings.csv\"");
    assert_eq!(export.text().lines().count(), 3, "{}", export.text());

    // From its dump they are the same, and no more.
    let other = "UPDATE findings SET sentence = 'x'; INSERT INTO findings SELECT session_id, 7, rule, severity, connection_id, kind, direction, mid, rid, \
         track_identifier, stats_id, begin_time, end_time, sentence, measured FROM findings WHERE position = 0; UPDATE sessions SET critical_findings = NULL";
    crate::seed::execute(&collector, other.to_owned()).await;
    let dir = collector.dir.path().to_owned();
    let url = collector.server.as_ref().map(|server| server.url.clone());
    let reprocess = move || {
        let url: Vec<_> = url.iter().map(|url| ("RTCTRACE_DATABASE_URL", url.as_str())).collect();
        run(&dir, &["reprocess"], &url)
    };
    let (success, _, errors) = tokio::task::spawn_blocking(reprocess).await.unwrap();
    assert!(success, "{errors}");
    let again = collector.session(&session).await;
    assert_eq!((&again["findings"], counts(&again)), (&live["findings"], counts(&stored)));

    let answer = collector.request("DELETE", &format!("/api/v1/sessions/{session}"), "", "").await;
    assert_eq!(answer.status, 204);
    assert_eq!(collector.query("SELECT 1 FROM findings").await.len(), 0);
}

#[tokio::test]
async fn what_goes_on_is_not_found_by_what_its_last_end_said() {
    let collector = Collector::start(&[("RTCTRACE_SESSION_RESUME_GRACE", "200ms")]);
    let (session, lines) = (new_session(), lines());
    let (mut socket, _) = collector.v1(&session, 0).await;
    socket.send(lines.join("\n")).await;
    socket.acknowledged(lines.len()).await;
    drop(socket);
    let found = async || {
        let severity = collector.get("/api/v1/sessions?severity=critical").await.json();
        let rule = collector.get("/api/v1/sessions?finding=ice-failed").await.json();
        let rows = collector.get("/api/v1/export/findings").await.text().lines().count() - 1;
        [&severity, &rule]
            .map(|list| list["sessions"].as_array().unwrap().len())
            .into_iter()
            .chain([rows])
            .sum::<usize>()
    };
    collector.stored(&session).await;
    assert_eq!(found().await, 1 + 1 + 2);
    until("the spool is empty", async || (!collector.spool(&session).exists()).then_some(())).await;

    // Behind the line by which the collector closed it, which goes again.
    let (mut socket, _) = collector.v1(&session, lines.len()).await;
    assert_eq!(found().await, 0);
    let live = collector.session(&session).await;
    assert_eq!((live["state"].as_str(), live["criticalFindings"].as_u64()), (Some("live"), None));
    socket.send("[36,null,null,1]").await;
    socket.acknowledged(lines.len() + 1).await;
    until("it is stored again", async || (found().await == 1 + 1 + 2).then_some(())).await;
}
