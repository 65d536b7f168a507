//! What nobody may read, when something fails: in the log, at its most talkative, and in what a start says that does not
//! come about. (What is said of tokens that come in, good and bad, is in `access.rs`.)

use crate::support::*;

const HIDDEN: &str = "h1dden";

#[tokio::test]
async fn no_secret_of_the_store_is_in_the_log_while_it_cannot_be_reached() {
    // A port where nobody listens.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let collector = Collector::start(&[
        ("RTCTRACE_STORAGE_URL", "s3://calls/dumps"),
        ("RTCTRACE_STORAGE_ENDPOINT", &format!("http://{nobody}")),
        ("RTCTRACE_STORAGE_REGION", "eu-1"),
        ("RTCTRACE_STORAGE_ACCESS_KEY_ID", "AKIDRTCTRACE"),
        ("RTCTRACE_STORAGE_SECRET_ACCESS_KEY", "h1dden-secret-key"),
        ("RTCTRACE_STORAGE_SESSION_TOKEN", "h1dden-session-token"),
        ("RTCTRACE_ACCESS_CLIENT_SECRET", "h1dden-secret-of-clients-that-is-long-enough"),
        ("RTCTRACE_SESSION_RESUME_GRACE", "100ms"),
    ]);
    let (success, token, _) = run(
        collector.dir.path(),
        &["token", "client"],
        &[("RTCTRACE_ACCESS_CLIENT_SECRET", "h1dden-secret-of-clients-that-is-long-enough")],
    );
    assert!(success);
    let (session, token) = (new_session(), token.trim());
    let mut socket = collector.socket(&format!("/v1/ws?session={session}&from=0&token={token}"), V1).await;
    socket.send(lines(2).join("\n")).await;
    socket.send("[\"close\",null,null,1]").await;
    socket.close().await;
    let failures = "rtctrace_store_failures_total{store=\"objects\"}";
    until("the store fails", async || (collector.metric(failures).await >= 2.0).then_some(())).await;
    let log = std::fs::read_to_string(collector.dir.path().join("log")).unwrap();
    assert!(log.contains("storing the dump"), "{log}");
    for secret in [HIDDEN, token, token.rsplit('.').next().unwrap()] {
        assert!(!log.contains(secret), "`{secret}` is in the log:\n{log}");
    }
}

#[test]
fn no_secret_is_in_what_a_start_says_that_does_not_come_about() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let short = file("short", "h1dden-short");
    let pem = file("key.pem", "-----BEGIN PRIVATE KEY-----\nh1ddenkey\n-----END PRIVATE KEY-----\n");
    let jwks = file("keys.json", r#"{"keys":[{"kty":"oct","k":"h1dden"}]}"#);
    let broken = file("broken.json", r#"{"keys":[{"kty":"oct","k":h1dden"#);
    let hashes = file("hashes", "h1dden nonsense, h1dden h1dden\n");
    let unknown = file("settings.toml", "[access]\nclient_secre = \"h1dden\"\n");
    let mistyped = file("mistyped.toml", "[storage]\nsecret_access_key = [\"h1dden\"]\n");
    let torn = file("torn.toml", "[storage]\nsecret_access_key = \"h1dden\n");
    let settings = [
        ("RTCTRACE_ACCESS_CLIENT_SECRET", "h1dden-too-short"),
        ("RTCTRACE_ACCESS_CLIENT_SECRET_FILE", &short),
        ("RTCTRACE_ACCESS_CLIENT_KEY_FILES", &pem),
        ("RTCTRACE_ACCESS_CLIENT_KEY_FILES", &jwks),
        ("RTCTRACE_ACCESS_CLIENT_KEY_FILES", &broken),
        ("RTCTRACE_ACCESS_API_TOKEN_FILE", &hashes),
        ("RTCTRACE_DATABASE_URL", "postgres://rtctrace:h1dden@127.0.0.1:h1dden/rtctrace"),
        ("RTCTRACE_DATABASE_URL", "postgres://rtctrace:h1dden@127.0.0.1/rtctrace?pasword=h1dden"),
        ("RTCTRACE_DATABASE_URL", "nonsense://rtctrace:h1dden@127.0.0.1/rtctrace?password=h1dden"),
        ("RTCTRACE_STORAGE_URL", "nonsense://key:h1dden@127.0.0.1/dumps?secret=h1dden"),
        ("RTCTRACE_STORAGE_URL", "key:h1dden@nowhere"),
        ("RTCTRACE_STORAGE_URL", "s3:///calls?secret=h1dden"),
        ("RTCTRACE_STORAGE_ENDPOINT", "http://key:h1dden@127.0.0.1:9"),
        ("RTCTRACE_STORAGE_SECRET_ACCESS_KEYS", "h1dden"),
    ];
    let mut said = String::new();
    for (name, value) in settings {
        let (success, output, errors) =
            run(dir.path(), &["serve", "--listen", "127.0.0.1:0", "--verbose"], &[(name, value)]);
        assert!(!success, "{name}={value} starts");
        said = said + &output + &errors;
    }
    for path in [&unknown, &mistyped, &torn] {
        let (success, output, errors) = run(dir.path(), &["serve", "--listen", "127.0.0.1:0", "--config", path], &[]);
        assert!(!success, "{path} starts");
        said = said + &output + &errors;
    }
    assert!(said.lines().count() >= settings.len());
    assert!(!said.contains(HIDDEN), "{said}");
}

#[tokio::test]
async fn a_token_in_the_url_of_a_dump_that_is_uploaded_is_not_kept() {
    let collector = Collector::start(&[]);
    let dump = "RTCStatsDump\n{\"fileFormat\":3,\"url\":\"/room?a=1&rtcstats-token=h1dden\"}\n[\"create\",null,{},1795159383861]\n";
    let answer = collector.request("POST", "/api/v1/dumps", "", dump).await;
    let id = answer.json()["dumps"][0]["session"].as_str().unwrap().to_owned();
    assert_eq!(collector.stored(&id).await["url"], "/room?a=1");
    let (header, _) = collector.dump(&id).await;
    assert_eq!(header["url"], "/room?a=1");
    assert!(!header.to_string().contains(HIDDEN));
}
