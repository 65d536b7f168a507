//! Which sessions lists, and exports, are about.

use crate::seed::{self, START, assert_snapshot, execute, id};
use crate::support::*;

/// What a URL cannot hold as it is.
fn escaped(query: &str) -> String {
    query.replace('>', "%3E").replace('<', "%3C")
}

/// The numbers of the sessions that a query lists.
async fn listed(collector: &Collector, query: &str) -> Vec<u32> {
    let answer = collector.get(&format!("/api/v1/sessions?{}", escaped(query))).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text());
    let sessions = answer.json()["sessions"].as_array().unwrap().clone();
    sessions.iter().map(|session| session["id"].as_str().unwrap()[24..].parse().unwrap()).collect()
}

/// The ids of all sessions that the pages of a query hold, in their order.
async fn of_all_pages(collector: &Collector, query: &str) -> Vec<String> {
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = collector.get(&format!("/api/v1/sessions?{query}{cursor}")).await.json();
        seen.extend(page["sessions"].as_array().unwrap().iter().map(|session| session["id"].to_string()));
        let Some(next) = page["nextCursor"].as_str() else { return seen };
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test]
async fn a_filter_lets_through_what_it_names() {
    let collector = seed::collector().await;
    assert_snapshot("sessions.json", &collector.get("/api/v1/sessions").await);
    assert_snapshot("session.json", &collector.get(&format!("/api/v1/sessions/{}", id(3))).await);
    let from = format!("from={}", START + 3 * 60_000);
    let to = "to=2026-11-20T07:26:00Z";
    for (query, expected) in [
        ("", &[6, 5, 4, 3, 2, 1][..]),
        (&from, &[6, 5, 4, 3]),
        (to, &[2, 1]),
        ("to=2026-11-20T08:26:00.001%2B01:00", &[3, 2, 1]),
        ("user=ann", &[2, 1]),
        ("user=o%27neil,%20%22%3d1%2b1%22", &[4]),
        ("user=nobody", &[]),
        ("conference=standup", &[3, 2, 1]),
        ("search=TAND", &[3, 2, 1]),
        ("search=%27NEIL", &[4]),
        ("search=n_", &[]),
        ("search=app.example&country=DE", &[3, 2]),
        ("search=8000-000000000003", &[3]),
        ("search=ann&feature=connected=true", &[1]),
        ("sort=started&order=asc&limit=2", &[1, 2]),
        ("sort=connections&order=asc&user=ann", &[1, 2]),
        ("sort=duration&limit=2&state=ended", &[6, 4]),
        ("source=gateway", &[6]),
        ("browser=Chrome", &[5, 3, 1]),
        ("country=at", &[6, 5, 1]),
        ("state=live", &[5]),
        ("state=ended", &[6, 4, 3, 2, 1]),
        ("outcome=connected", &[6, 3, 1]),
        ("outcome=failed", &[2]),
        ("outcome=none", &[4]),
        ("feature=iceConnectionTime%3e1000", &[3]),
        ("feature=iceConnectionTime>=120", &[3, 1]),
        ("feature=iceConnectionTime<120", &[6]),
        ("feature=connection.iceConnectionTime!=120", &[6, 3]),
        ("feature=freezeCount>=1", &[3]),
        ("feature=track.totalFreezesDuration<1.25", &[3, 1]),
        ("feature=track.totalFreezesDuration=1.25", &[3]),
        ("feature=kind=audio", &[6, 1]),
        ("feature=kind!=audio", &[3, 1]),
        ("feature=connected=false", &[3, 2]),
        ("feature=client.duration>=4000", &[6, 4]),
        ("feature=client.startTime>=2026-11-20T07:26:00Z", &[6, 4, 3]),
        ("feature=dtlsRole=client", &[6, 3, 2, 1]),
        ("severity=critical", &[3, 2]),
        ("severity=warning", &[3]),
        ("finding=ice-failed", &[3, 2]),
        ("finding=page-hidden", &[4, 3]),
        ("finding=capture-denied", &[]),
        ("finding=ice-failed&finding=packet-loss", &[3]),
        ("finding=ice-failed&finding=packet-loss&finding=capture-denied", &[]),
        ("finding=page-hidden&severity=critical&feature=connected=false", &[3]),
        ("severity=critical&state=live", &[]),
        ("severity=critical&user=ann", &[2]),
        // Two together.
        ("user=ann&outcome=connected", &[1]),
        ("browser=Chrome&country=AT", &[5, 1]),
        ("conference=standup&feature=connected=true", &[3, 1]),
        ("feature=freezeCount>1&feature=iceConnectionTime>1000", &[3]),
        ("feature=freezeCount>1&feature=iceConnectionTime<100", &[]),
        ("state=live&browser=Chrome&limit=1", &[5]),
    ] {
        assert_eq!(listed(&collector, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn pages_of_a_filter_hold_all_of_it_once() {
    let collector = seed::collector().await;
    execute(&collector, format!("UPDATE sessions SET duration = 90000 WHERE id = '{}'", id(2))).await;
    let all = collector.get("/api/v1/sessions?total=true").await.json();
    assert_eq!((&all["total"], all["nextCursor"].is_null()), (&6.into(), true));
    assert_eq!(collector.get("/api/v1/sessions?total=true&user=ann").await.json()["total"], 2);
    assert!(collector.get("/api/v1/sessions?total=true&search=ann").await.json()["total"].is_null());
    for sort in ["duration", "connections", "events", "size", "started"] {
        for order in ["asc", "desc"] {
            let seen = of_all_pages(&collector, &format!("sort={sort}&order={order}&limit=2")).await;
            let once: std::collections::BTreeSet<_> = seen.iter().collect();
            assert_eq!((seen.len(), once.len()), (6, 6), "{sort} {order}");
            if sort == "duration" {
                let place = seen.iter().position(|session| session.contains(&id(2)));
                assert_eq!(place, Some(if order == "asc" { 5 } else { 0 }));
            }
        }
    }
    for query in ["country=AT&limit=1", "feature=connected=true&limit=1", "limit=4"] {
        let seen = of_all_pages(&collector, query).await;
        assert_eq!(seen.len(), if query == "limit=4" { 6 } else { 3 }, "{query}");
        assert!(seen.is_sorted_by(|newer, older| newer > older));
    }
}

#[tokio::test]
async fn a_condition_that_hardly_any_session_fulfils_is_looked_for_page_by_page() {
    let collector = seed::collector().await;
    let (many, start) = match crate::ON_POSTGRES {
        true => ("SELECT n FROM generate_series(1, 12000) n", "timestamptz '2026-12-01' + n * interval '1 second'"),
        false => (
            "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 12000) SELECT n FROM s",
            "1796083200000 + n * 1000",
        ),
    };
    let id = match crate::ON_POSTGRES {
        true => "('01940000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid",
        false => "'01940000-0000-7000-8000-' || printf('%012d', n)",
    };
    let insert = format!(
        "INSERT INTO sessions (id, source, dialect, state, start_time, url) SELECT {id}, 'browser', 'rtctrace.v1', 'ended', {start}, '/' \
         FROM ({many}) s"
    );
    execute(&collector, insert).await;
    let page = collector.get("/api/v1/sessions?feature=freezeCount%3E1").await.json();
    assert_eq!(page["sessions"].as_array().unwrap().len(), 0);
    let cursor = page["nextCursor"].as_str().unwrap().to_owned();
    let page = collector.get(&format!("/api/v1/sessions?feature=freezeCount%3E1&cursor={cursor}")).await.json();
    assert_eq!((page["sessions"][0]["id"].as_str(), page["nextCursor"].as_str()), (Some(&*seed::id(3)), None));
    let page = collector.get("/api/v1/sessions?search=STANDUP").await.json();
    assert_eq!((page["sessions"].as_array().unwrap().len(), page["nextCursor"].as_str()), (0, Some(cursor.as_str())));
    assert_eq!(collector.get("/api/v1/sessions?total=true").await.json()["total"], 10_001);
    // Others are not in the way of a filter that has an index.
    assert_eq!(listed(&collector, "user=bob&feature=freezeCount>1").await, [3]);
    let export = collector.get("/api/v1/export/features/track?feature=freezeCount%3E1").await.text();
    assert_eq!(export.lines().count(), 3, "{export}");
}

#[tokio::test]
async fn a_wrong_parameter_is_a_problem_that_says_what_is_right() {
    let collector = seed::collector().await;
    let many = "feature=freezeCount>1&".repeat(17);
    let thousands = "feature=a&".repeat(6_000);
    let long = format!("user={}", "x".repeat(50_000));
    for (query, expected) in [
        ("browsr=Chrome", "did you mean `browser`?"),
        ("user=a&user=b", "user is given more than 1 times"),
        ("from=yesterday", "it is a time as in RFC 3339"),
        ("from=-1", "it is a time"),
        ("to=99999999999999999999999", "it is a time"),
        ("state=dead", "it is one of live, ended"),
        ("outcome=maybe", "it is one of connected, failed, none"),
        ("severity=notice", "it is one of critical, warning"),
        ("finding=ice-faild", "There is no rule `ice-faild`; did you mean `ice-failed`?"),
        ("finding=%27%00", "There is no rule"),
        ("feature=iceConnectionTimee>1", "did you mean `iceConnectionTime`?"),
        ("feature=track.freezeCuont>1", "did you mean `track.freezeCount`?"),
        ("feature=iceConnectionTime>soon", "a whole number"),
        ("feature=iceConnectionTime>9223372036854775808", "a whole number"),
        ("feature=x';DROP%20TABLE%20sessions--=1", "There is no feature"),
        ("feature=%00=1", "There is no feature"),
        ("cursor=-99999999999999.01930000-0000-7000-8000-000000000001", "the nextCursor of a page before"),
        ("cursor=99999999999999999.01930000-0000-7000-8000-000000000001", "the nextCursor of a page before"),
        (&many, "feature is given more than 16 times"),
        (&thousands, "feature is given more than 16 times"),
    ] {
        for path in ["/api/v1/sessions", "/api/v1/export/features/client", "/api/v1/export/findings"] {
            if path.contains("export") && query.starts_with("cursor") {
                continue;
            }
            let detail = collector.get(&format!("{path}?{}", escaped(query))).await.problem(400, "bad-parameter");
            assert!(detail.contains(expected), "{query}: {detail}");
        }
    }
    for query in
        [&long, "user=%00", "user=%ff", "conference=%27%3B--", "user=%F0%9F%98%80", "browser=a%00b", "country=%27%00"]
    {
        assert!(listed(&collector, query).await.is_empty(), "{query}");
    }
    // More than a request line may have: refused before anybody looks at it.
    let status = collector.get(&format!("/api/v1/sessions?{}", "feature=freezeCount=1&".repeat(10_000))).await.status;
    assert!((400..500).contains(&status), "{status}");
    assert_eq!(listed(&collector, "").await.len(), 6);
}

#[tokio::test]
async fn features_are_exported_with_what_the_list_says() {
    let collector = seed::collector().await;
    for table in ["client", "connection", "track"] {
        let answer = collector.get(&format!("/api/v1/export/features/{table}?format=csv")).await;
        assert_snapshot(&format!("features-{table}.csv"), &answer);
        assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8; header=present");
        assert_eq!(answer.header("content-disposition"), format!("attachment; filename=\"features-{table}.csv\""));
    }
    let answer = collector.get("/api/v1/export/findings?format=csv").await;
    assert_snapshot("findings.csv", &answer);
    assert_eq!(answer.header("content-disposition"), "attachment; filename=\"findings.csv\"");
    let some = collector.get("/api/v1/export/features/connection?outcome=connected&user=bob").await.text();
    let connections: Vec<&str> = some.lines().skip(1).map(|line| &line[24..36]).collect();
    assert_eq!(connections, ["000000000006", "000000000003", "000000000003"]);
    collector.get("/api/v1/export/features/client?format=xml").await.problem(400, "bad-parameter");
    for table in ["clients", "sessions", "finding", "findings", "%ff", "'"] {
        let detail = collector.get(&format!("/api/v1/export/features/{table}")).await.problem(404, "unknown-kind");
        assert!(detail.contains("client, connection and track"), "{detail}");
    }
}
