//! Country and city of a session.

use serde_json::Value;

use crate::support::*;

/// 192.0.2.0/25 is in Vienna, 192.0.2.128/25 in Switzerland, 2001:db8:1::/48 in Tokyo.
const PLACES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/collector/places.mmdb");

async fn from(collector: &Collector, address: &str) -> String {
    let session = new_session();
    let path = format!("/v1/beacon?session={session}&from=0");
    let answer = collector.request("POST", &path, &format!("X-Forwarded-For: {address}\r\n"), &lines(1)[0]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    session
}

async fn place(collector: &Collector, session: &str) -> [Value; 2] {
    let session = collector.session(session).await;
    [session["country"].clone(), session["city"].clone()]
}

#[tokio::test]
async fn a_session_is_where_its_client_is_and_the_address_is_hidden_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let places = dir.path().join("places.mmdb");
    std::fs::copy(PLACES, &places).unwrap();
    let settings = [
        ("RTCTRACE_GEO_DATABASE", places.to_str().unwrap()),
        ("RTCTRACE_ACCESS_TRUSTED_PROXIES", "127.0.0.0/8"),
        ("RTCTRACE_SESSION_RESUME_GRACE", "3s"),
    ];
    let mut collector = Collector::start(&settings);
    let vienna = from(&collector, "192.0.2.77").await;
    let switzerland = from(&collector, "192.0.2.177").await;
    let tokyo = from(&collector, "2001:db8:1::7").await;
    let nowhere = from(&collector, "198.51.100.7").await;
    let expected = [
        (&vienna, ["AT".into(), "Vienna".into()]),
        (&switzerland, ["CH".into(), Value::Null]),
        (&tokyo, ["JP".into(), "Tokyo".into()]),
        (&nowhere, [Value::Null, Value::Null]),
    ];
    for (session, expected) in &expected {
        assert_eq!(&place(&collector, session).await, expected);
    }
    // What the spool says of it is all that the next start knows.
    collector.crash();
    std::fs::remove_file(collector.dir.path().join("rtctrace.db")).unwrap();
    collector.restart();
    for (session, expected) in &expected {
        collector.stored(session).await;
        assert_eq!(&place(&collector, session).await, expected);
    }
    let (metadata, _) = collector.dump(&vienna).await;
    assert_eq!(metadata["remoteAddresses"][0], "192.0.2.x");
    assert_eq!(metadata["locations"][0]["country"]["iso_code"], "AT");
    assert_eq!(metadata["locations"][0]["city"]["names"]["en"], "Vienna");

    // A broken file changes nothing.
    std::fs::write(&places, "torn").unwrap();
    until("the file is looked at", async || {
        let failed = collector.metric("rtctrace_reloads_total{what=\"places\",result=\"failed\"}").await;
        (failed >= 1.0).then_some(())
    })
    .await;
    let again = from(&collector, "192.0.2.78").await;
    assert_eq!(place(&collector, &again).await, ["AT", "Vienna"]);
}
