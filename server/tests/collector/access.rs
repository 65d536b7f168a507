//! Who may send and who may read: tokens, origins, proxies, and what none of them may lead to.

use std::path::Path;

use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::support::*;

const SECRET: &str = "a secret of clients that nobody may see";
const CLIENT: (&str, &str) = ("RTCTRACE_ACCESS_CLIENT_SECRET", SECRET);
const RSA: &str = include_str!("rsa-for-tests.pem");

/// What `rtctrace token client` prints.
fn token(arguments: &[&str]) -> String {
    minted(&[&["token", "client"], arguments].concat(), &[CLIENT])
}

fn minted(arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let (success, token, errors) = run(dir.path(), arguments, variables);
    assert!(success && errors.is_empty(), "{errors}");
    token.trim().to_owned()
}

fn api_token(dir: &Path, name: &str, scopes: &str) -> String {
    let (success, token, said) = run(dir, &["token", "api", "--name", name, "--scope", scopes], &[]);
    assert!(success && said.contains("shown once") && !said.contains(token.trim()), "{said}");
    token.trim().to_owned()
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

/// How the collector closes a socket.
async fn verdict(collector: &Collector, path: &str, protocol: &str) -> (u16, String) {
    let (code, reason, _) = collector.socket(path, protocol).await.closed().await;
    (code, reason)
}

async fn refused(collector: &Collector, reason: &str) -> f64 {
    collector.metric(&format!("rtctrace_refused_total{{reason=\"{reason}\"}}")).await
}

#[tokio::test]
async fn a_client_without_a_good_token_hears_why_and_stores_nothing() {
    let collector = Collector::start(&[CLIENT]);
    let others = minted(&["token", "client"], &[(CLIENT.0, "the secret of another collector, 32")]);
    // {"alg":"none"}, no signature.
    let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", token(&[]).split('.').nth(1).unwrap());
    let mut count = 0.0;
    for (token, said) in [
        (String::new(), "token is missing"),
        ("nonsense".to_owned(), "no JWT"),
        (token(&["--ttl", "0s"]), "has expired"),
        (others, "signature is not accepted"),
        (unsigned, "algorithm is not accepted"),
    ] {
        let session = new_session();
        for (path, protocol) in [
            (format!("/v1/ws?session={session}&from=0&token={token}"), V1),
            (format!("/room?rtcstats-token={token}"), RTCSTATS),
        ] {
            let (code, reason) = verdict(&collector, &path, protocol).await;
            assert!(code == 1008 && reason.contains(said), "{code} {reason}");
            assert!(token.is_empty() || !reason.contains(&token));
        }
        let path = format!("/v1/beacon?session={session}&from=0&token={token}");
        let answer = collector.request("POST", &path, "", "[36,null,null,1]").await;
        assert!(answer.problem(401, "unauthorized").contains(said));
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"rtctrace\"");
        count += 3.0;
    }
    assert_eq!(refused(&collector, "unauthorized").await, count);
    assert!(collector.sessions().await.is_empty());
    assert_eq!(std::fs::read_dir(collector.dir.path().join("spool")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_token_names_the_user_of_its_session_even_after_a_crash() {
    let mut collector = Collector::start(&[CLIENT]);
    let token = token(&["--user", "ann \"x\"", "--conference", "weekly"]);
    let session = new_session();
    let mut socket = collector.socket(&format!("/v1/ws?session={session}&from=0&token={token}"), V1).await;
    assert!(socket.text().await.contains("welcome"));
    socket.send(lines(2).join("\n")).await;
    socket.acknowledged(2).await;
    assert_eq!(collector.session(&session).await["user"], "ann \"x\"");
    collector.crash();
    collector.restart();

    // This time it travels as a subprotocol, as pages do that keep tokens out of URLs.
    let path = format!("/v1/ws?session={session}&from=2");
    let mut socket = collector.socket(&path, &format!("rtctrace.v1, token.{token}")).await;
    assert!(socket.text().await.contains("\"received\":2"));
    socket.send("[36,null,null,1]").await;
    socket.acknowledged(3).await;
    let (metadata, _) = collector.dump(&session).await;
    assert_eq!((&metadata["user"], &metadata["conference"]), (&json!("ann \"x\""), &json!("weekly")));
    assert!(!metadata.to_string().contains(&token));
    let described = collector.session(&session).await;
    assert_eq!((&described["user"], &described["conference"]), (&json!("ann \"x\""), &json!("weekly")));

    let mut socket = collector.socket(&format!("/room?rtcstats-token={token}"), RTCSTATS).await;
    socket.send(&lines(1)[0]).await;
    socket.close().await;
    until("both are listed with their user", async || {
        let sessions = collector.sessions().await;
        (sessions.len() == 2 && sessions.iter().all(|session| session["conference"] == "weekly")).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_token_opens_its_own_session_and_nobody_elses() {
    let collector = Collector::start(&[CLIENT]);
    let (mine, other) = (new_session(), new_session());
    let (ann, bob) = (token(&["--user", "ann", "--session", &mine]), token(&["--user", "bob"]));
    let path = |session: &str, token: &str| format!("/v1/ws?session={session}&from=0&token={token}");
    let (code, reason) = verdict(&collector, &path(&other, &ann), V1).await;
    assert_eq!((code, reason.as_str()), (1008, "the token is for another session"));
    let mut socket = collector.socket(&path(&mine, &ann), V1).await;
    assert!(socket.text().await.contains("welcome"));
    socket.send(&lines(1)[0]).await;
    socket.acknowledged(1).await;

    // Who learns the session's id does not get to write into it.
    let (code, reason) = verdict(&collector, &path(&mine, &bob), V1).await;
    assert_eq!((code, reason.as_str()), (1008, "the session belongs to another user"));
    for (session, token) in [(&mine, &bob), (&other, &ann)] {
        let path = format!("/v1/beacon?session={session}&from=0&token={token}");
        collector.request("POST", &path, "", "[36,null,null,1]").await.problem(403, "forbidden");
    }
    socket.send(&lines(2)[1]).await;
    socket.acknowledged(2).await;
    // In upstream's dialect `session` is a name of the app's own.
    let named = token(&["--session", "Friday"]);
    let mut upstream = collector.socket(&format!("/?rtcstats-token={named}"), RTCSTATS).await;
    upstream.send(&lines(1)[0]).await;
    until("it is taken", async || (collector.sessions().await.len() == 2).then_some(())).await;
}

#[tokio::test]
async fn a_page_that_goes_away_may_show_the_token_that_it_once_connected_with() {
    let collector = Collector::start(&[CLIENT]);
    let session = new_session();
    let (good, expired) = (token(&["--user", "ann"]), token(&["--user", "ann", "--ttl", "0s"]));
    let beacon = format!("/v1/beacon?session={session}&from=2&token={expired}");
    collector.request("POST", &beacon, "", "[36,null,null,1]").await.problem(401, "unauthorized");
    let mut socket = collector.socket(&format!("/v1/ws?session={session}&from=0&token={good}"), V1).await;
    socket.text().await;
    socket.send(lines(2).join("\n")).await;
    socket.acknowledged(2).await;
    let answer = collector.request("POST", &beacon, "", "[36,null,null,1]").await;
    assert_eq!(answer.json(), json!({ "received": 3 }));
}

#[tokio::test]
async fn every_algorithm_is_verified_by_its_own_kind_of_key_and_keys_change_while_it_runs() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let ec = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let ed = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    for (name, text) in [("rsa", RSA), ("ec", &ec.serialize_pem()), ("ed", &ed.serialize_pem())] {
        std::fs::write(at(name), text).unwrap();
    }
    let rsa_public = rsa_public_pem();
    std::fs::write(at("keys.pem"), format!("{rsa_public}{}", ec.public_key_pem())).unwrap();
    let set = |key: &KeyPair| {
        let x = base64url(key.public_key_raw());
        json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "1", "use": "sig", "x": x }] }).to_string()
    };
    std::fs::write(at("jwks.json"), set(&ed)).unwrap();
    let files = format!("{},{}", at("keys.pem"), at("jwks.json"));
    let collector = Collector::start(&[("RTCTRACE_ACCESS_CLIENT_KEY_FILES", &files)]);
    let outcome = async |token: &str| {
        let mut socket = collector.socket(&format!("/?rtcstats-token={token}"), RTCSTATS).await;
        socket.try_send(Message::binary(vec![0])).await;
        // 1003: it was let in, and its binary frame was not.
        socket.closed().await.0
    };
    let by = |name: &str| minted(&["token", "client", "--key", &at(name)], &[]);
    for name in ["rsa", "ec", "ed"] {
        assert_eq!(outcome(&by(name)).await, 1003, "{name}");
    }
    // The oldest trick: a public key taken for a secret.
    let confused = minted(&["token", "client"], &[(CLIENT.0, rsa_public.as_str())]);
    assert_eq!(outcome(&confused).await, 1008);

    let next = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    std::fs::write(at("next"), next.serialize_pem()).unwrap();
    assert_eq!(outcome(&by("next")).await, 1008);
    std::fs::write(at("jwks.json"), set(&next)).unwrap();
    until("the new key is known", async || (outcome(&by("next")).await == 1003).then_some(())).await;
    assert_eq!(outcome(&by("ed")).await, 1008);
    // A file that cannot be read changes nothing.
    std::fs::write(at("jwks.json"), "{").unwrap();
    until("it was looked at", async || {
        let failed = "rtctrace_reloads_total{what=\"client_keys\",result=\"failed\"}";
        (collector.metric(failed).await == 1.0).then_some(())
    })
    .await;
    assert_eq!(outcome(&by("next")).await, 1003);
}

#[tokio::test]
async fn pages_of_other_origins_do_not_record() {
    let origins = ("RTCTRACE_ACCESS_ORIGINS", "https://*.app.example, http://other.example");
    let collector = Collector::start(&[origins]);
    let session = new_session();
    // The tests' socket says http://app.example.
    let (code, reason) = verdict(&collector, &format!("/v1/ws?session={session}&from=0"), V1).await;
    assert_eq!((code, reason.as_str()), (1008, "pages of this origin are not allowed to record"));
    let path = format!("/v1/beacon?session={session}&from=0");
    for (origin, status) in [
        ("Origin: http://app.example\r\n", 403),
        ("Origin: null\r\n", 403),
        ("Origin: https://a.app.example\r\n", 200),
        ("", 200),
    ] {
        let answer = collector.request("POST", &path, origin, &lines(1)[0]).await;
        assert_eq!(answer.status, status, "{origin}");
    }
    assert_eq!(refused(&collector, "origin_refused").await, 3.0);
}

#[tokio::test]
async fn the_api_asks_for_a_token_with_the_scope_that_it_takes() {
    let collector = Collector::start(&[]);
    assert_eq!(collector.get("/api/v1/sessions").await.status, 200, "nobody made a token yet");
    let dir = collector.dir.path();
    let (reader, writer) = (api_token(dir, "grafana", "read"), api_token(dir, "jobs", "upload,delete"));
    let admin = api_token(dir, "ops", "admin");
    until("the file is read", async || (collector.get("/api/v1/sessions").await.status == 401).then_some(())).await;

    let with = async |method: &str, path: &str, token: &str| collector.request(method, path, &bearer(token), "").await;
    for path in [
        "/api/v1/sessions",
        "/api/v1/sessions/x",
        "/api/v1/sessions/x/stats/codec",
        "/api/v1/export/features/track",
        "/api/v1/export/findings",
        "/api/v1/openapi.json",
        "/api/v1/nothing",
        "/metrics",
    ] {
        let answer = collector.get(path).await;
        assert!(answer.problem(401, "unauthorized").contains("rtctrace token api"));
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"rtctrace\"");
        with("GET", path, "rtct_0000").await.problem(401, "unauthorized");
        assert!(with("GET", path, &writer).await.problem(403, "forbidden").contains("`read`"));
        assert_ne!(with("GET", path, &reader).await.status, 401, "{path}");
    }
    for token in [&reader, &admin] {
        assert_eq!(with("GET", "/api/v1/sessions", token).await.status, 200);
        assert_eq!(with("GET", "/metrics", token).await.status, 200);
    }
    assert!(with("DELETE", "/api/v1/sessions/x", &reader).await.problem(403, "forbidden").contains("`delete`"));
    assert!(with("POST", "/api/v1/dumps", &reader).await.problem(403, "forbidden").contains("`upload`"));
    assert_eq!(collector.get("/healthz").await.status, 200);
    assert_ne!(collector.get("/").await.status, 401);

    let file = dir.join("api-tokens");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!([&reader, &writer, &admin].iter().all(|token| !text.contains(token.as_str())), "{text}");
    let kept: String =
        text.lines().filter(|line| !line.starts_with("grafana ")).map(|line| format!("{line}\n")).collect();
    std::fs::write(&file, kept).unwrap();
    until("it is withdrawn", async || (with("GET", "/metrics", &reader).await.status == 401).then_some(())).await;
    std::fs::remove_file(&file).unwrap();
    until("all are", async || (with("GET", "/metrics", &admin).await.status == 401).then_some(())).await;
}

#[tokio::test]
async fn a_browser_logs_in_with_a_token_and_out_again() {
    let dir = tempfile::tempdir().unwrap();
    let reader = api_token(dir.path(), "me", "read,delete");
    let file = dir.path().join("api-tokens").display().to_string();
    let collector =
        Collector::start(&[("RTCTRACE_ACCESS_API_TOKEN_FILE", &file), ("RTCTRACE_LIMITS_BODY_BYTES", "1KiB")]);
    let login = async |body: &str| collector.request("POST", "/api/v1/login", "", body).await;
    login("{\"token\":\"rtct_wrong\"}").await.problem(401, "unauthorized");
    login("{}").await.problem(400, "bad-parameter");
    login(&"x".repeat(1025)).await.problem(413, "too-large");
    let answer = login(&json!({ "token": reader }).to_string()).await;
    assert_eq!(answer.status, 204);
    let (cookie, attributes) = answer.header("set-cookie").split_once("; ").unwrap();
    assert_eq!(attributes, "HttpOnly; SameSite=Strict");
    let cookie = format!("Cookie: {cookie}\r\n");
    assert_eq!(collector.request("GET", "/api/v1/sessions", &cookie, "").await.status, 200);
    // Another site's page sends it along at most in a way that changes nothing.
    let path = "/api/v1/sessions/x";
    collector.request("DELETE", path, &cookie, "").await.problem(401, "unauthorized");
    let own = format!("{cookie}Sec-Fetch-Site: same-origin\r\n");
    assert_ne!(collector.request("DELETE", path, &own, "").await.status, 401);
    let secure = "Origin: https://collector.example\r\n";
    let answer = collector.request("POST", "/api/v1/login", secure, &json!({ "token": reader }).to_string()).await;
    assert!(answer.header("set-cookie").ends_with("; Secure"));
    let answer = collector.request("DELETE", "/api/v1/login", &cookie, "").await;
    assert!(
        answer.header("set-cookie").starts_with("rtctrace_token=; ")
            && answer.header("set-cookie").contains("Max-Age=0")
    );
}

#[tokio::test]
async fn an_address_that_others_reach_needs_both_kinds_of_credentials() {
    let dir = tempfile::tempdir().unwrap();
    let serve = ["serve", "--listen", "0.0.0.0:0"];
    let (success, _, said) = run(dir.path(), &serve, &[]);
    assert!(!success && said.contains("access.client_secret") && said.contains("rtctrace token api"), "{said}");
    let (success, _, said) = run(dir.path(), &serve, &[CLIENT]);
    assert!(!success && !said.contains("access.client_secret") && said.contains("rtctrace token api"), "{said}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "nothing was touched");
    api_token(dir.path(), "ops", "admin");
    let (success, _, said) = run(dir.path(), &serve, &[]);
    assert!(!success && said.contains("access.client_secret") && !said.contains("rtctrace token api"), "{said}");

    let open = Collector::start_at("0.0.0.0:0", &["--insecure-open"], &[]);
    assert_eq!(open.get("/api/v1/sessions").await.status, 200);
    let file = dir.path().join("api-tokens").display().to_string();
    let closed = Collector::start_at("0.0.0.0:0", &[], &[CLIENT, ("RTCTRACE_ACCESS_API_TOKEN_FILE", &file)]);
    assert_eq!(closed.get("/api/v1/sessions").await.status, 401);
}

#[tokio::test]
async fn an_address_has_so_many_sessions_as_its_proxy_tells_it_apart() {
    let mut collector = Collector::start(&[
        ("RTCTRACE_LIMITS_SESSIONS_PER_ADDRESS", "2"),
        ("RTCTRACE_ACCESS_TRUSTED_PROXIES", "127.0.0.1"),
        ("RTCTRACE_PRIVACY_ADDRESSES", "false"),
        ("RTCTRACE_SESSION_RESUME_GRACE", "60s"),
    ]);
    let beacon = async |session: &str, client: &str| {
        let path = format!("/v1/beacon?session={session}&from=0");
        collector.request("POST", &path, &format!("X-Forwarded-For: {client}\r\n"), &lines(1)[0]).await
    };
    let mine = [new_session(), new_session(), new_session()];
    for session in &mine[..2] {
        assert_eq!(beacon(session, "203.0.113.9, 198.51.100.1").await.status, 200);
    }
    assert!(beacon(&mine[2], "198.51.100.1").await.problem(429, "address-limit").contains("this address"));
    // Its own sessions go on, and others begin.
    assert_eq!(beacon(&mine[0], "198.51.100.1").await.status, 200);
    assert_eq!(beacon(&new_session(), "198.51.100.2").await.status, 200);
    assert_eq!(refused(&collector, "address_limit").await, 1.0);

    // Sockets without a proxy are counted by their own address.
    let (_one, _) = collector.v1(&new_session(), 0).await;
    let (_two, _) = collector.v1(&new_session(), 0).await;
    let (code, reason) = verdict(&collector, &format!("/v1/ws?session={}&from=0", new_session()), V1).await;
    assert!(code == 1013 && reason.contains("this address"), "{code} {reason}");

    collector.crash();
    let spooled = std::fs::read_to_string(collector.spool(&mine[0])).unwrap();
    assert!(spooled.contains("\"remoteAddresses\":[\"198.51.100.1\"]"), "{spooled}");
}

#[tokio::test]
async fn no_secret_is_in_any_output() {
    let secret_dir = tempfile::tempdir().unwrap();
    let admin = api_token(secret_dir.path(), "ops", "admin");
    let tokens = secret_dir.path().join("api-tokens").display().to_string();
    let settings = [CLIENT, ("RTCTRACE_ACCESS_API_TOKEN_FILE", tokens.as_str())];
    let mut collector = Collector::start(&settings);
    let good = token(&["--user", "ann"]);
    let wrong = minted(&["token", "client"], &[(CLIENT.0, "the secret of another collector, 32")]);
    let session = new_session();
    for token in [&good, &wrong] {
        for (path, protocol) in [
            (format!("/v1/ws?session={session}&from=0&token={token}"), V1.to_owned()),
            (format!("/v1/ws?session={session}&from=0"), format!("rtctrace.v1, token.{token}")),
            (format!("/room?x=1&rtcstats-token={token}"), RTCSTATS.to_owned()),
        ] {
            let mut socket = collector.socket(&path, &protocol).await;
            socket.try_send(Message::text(lines(1)[0].clone())).await;
            socket.close_or_lost().await;
        }
        // A handshake that fails, and requests to where nothing is.
        assert!(Socket::open(&collector.address, "/v1/ws", &format!("token.{token}")).await.is_err());
        let path = format!("/v1/beacon?session={session}&from=7&token={token}");
        collector.request("POST", &path, "", "[36,null,null,1]").await;
        collector.get(&format!("/nowhere?token={token}")).await;
        collector.request("POST", "/api/v1/login", "", &json!({ "token": token }).to_string()).await;
        collector.request("GET", "/api/v1/sessions", &bearer(token), "").await;
        collector.request("GET", "/api/v1/sessions", &format!("Cookie: rtctrace_token={token}\r\n"), "").await;
    }
    assert_eq!(collector.request("GET", "/api/v1/sessions", &bearer(&admin), "").await.status, 200);
    collector.request("POST", "/api/v1/login", "", &json!({ "token": admin }).to_string()).await;
    let metrics = collector.request("GET", "/metrics", &bearer(&admin), "").await.text();
    assert!(metrics.contains("rtctrace_refused_total"));
    let listed = until("the session is listed", async || {
        let listed = collector.request("GET", "/api/v1/sessions", &bearer(&admin), "").await.text();
        listed.contains(&session).then_some(listed)
    })
    .await;
    let (success, config, _) = run(collector.dir.path(), &["config"], &settings);
    assert!(success && config.contains("client_secret = \"***\""), "{config}");
    collector.stop();

    let mut outputs = vec![metrics, listed, config];
    files(collector.dir.path(), &mut outputs);
    assert!(outputs.iter().any(|text| text.contains("socket open")), "the log is among them, at its most talkative");
    assert!(outputs.iter().any(|text| text.contains("RTCStatsDump")), "a dump is among them");
    let signature = |token: &str| token.rsplit('.').next().unwrap().to_owned();
    for secret in [SECRET.to_owned(), admin, good.clone(), signature(&good), wrong.clone(), signature(&wrong)] {
        assert!(outputs.iter().all(|text| !text.contains(&secret)), "`{secret}` is in an output");
    }
}

/// What is in all files under a folder, as far as it is text; dumps decompressed.
fn files(folder: &Path, contents: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, contents);
            continue;
        }
        let mut bytes = std::fs::read(&path).unwrap();
        if path.extension().is_some_and(|extension| extension == "gz") {
            let mut text = Vec::new();
            std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(bytes.as_slice()), &mut text).unwrap();
            bytes = text;
        }
        contents.push(String::from_utf8_lossy(&bytes).into_owned());
    }
}

fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = (0..3).fold(0, |word, at| word << 8 | u32::from(chunk.get(at).copied().unwrap_or(0)));
        text.extend((0..=chunk.len()).map(|at| char::from(ALPHABET[(word >> (18 - 6 * at)) as usize & 63])));
    }
    text
}

/// The public half of the tests' RSA key, as PEM.
fn rsa_public_pem() -> String {
    KeyPair::from_pem(RSA).unwrap().public_key_pem()
}
