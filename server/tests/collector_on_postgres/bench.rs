//! What a page of a list of a million sessions costs: `make bench-api`.

use std::time::Instant;

use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, raw_sql};

use crate::support::*;

/// What a page may take, by its median.
const BAR: &str = "bar 50 ms";

#[tokio::test]
#[ignore = "a measurement"]
async fn pages_of_a_list_of_a_million_sessions() {
    let collector = Collector::start(&[]);
    let started = Instant::now();
    let mut connection = PgConnection::connect(&collector.server.as_ref().unwrap().url).await.unwrap();
    raw_sql(include_str!("a_million_sessions.sql")).execute(&mut connection).await.unwrap();
    println!("a million sessions were made in {:.0?}", started.elapsed());
    let middle = "cursor=1794787200000.01930000-0000-7000-8000-000000000001";
    for (what, query) in [
        ("no filter", String::new()),
        ("no filter, from the middle on", middle.to_owned()),
        ("of a user", "user=user-7".to_owned()),
        ("of a conference", "conference=room-7".to_owned()),
        ("of a browser of 80 %", "browser=Chrome".to_owned()),
        ("of a browser of 0.1 %", "browser=Opera".to_owned()),
        ("of a country of 2 %", "country=AT".to_owned()),
        ("of a country of 0.01 %", "country=IS".to_owned()),
        ("live", "state=live".to_owned()),
        ("failed, 0.2 %", "outcome=failed".to_owned()),
        ("a day", "from=2026-11-10T00:00:00Z&to=2026-11-11T00:00:00Z".to_owned()),
        ("a browser and a country", "browser=Firefox&country=AT".to_owned()),
        ("a feature of 7 %", "feature=iceConnectionTime>1000".to_owned()),
        ("a feature of 0.1 %", "feature=track.freezeCount>=6".to_owned()),
        ("a feature that no session has", "feature=iceConnectionTime>5000".to_owned()),
        ("a critical finding, 0.2 %", "severity=critical".to_owned()),
        ("a finding that is a warning, 7 %", "severity=warning".to_owned()),
        ("a rule of 7 %", "finding=packet-loss".to_owned()),
        ("a rule of 0.2 %", "finding=ice-failed".to_owned()),
        ("a rule of 0.2 %, and its severity", "finding=ice-failed&severity=critical".to_owned()),
        ("a rule that no session has", "finding=capture-denied".to_owned()),
        ("a feature and a country", "country=AT&feature=iceConnectionTime>1000".to_owned()),
    ] {
        let path = format!("/api/v1/sessions?{}", query.replace('>', "%3E"));
        let mut times = Vec::new();
        let mut sessions = 0;
        for _ in 0..21 {
            let asked = Instant::now();
            let answer = collector.get(&path).await;
            times.push(asked.elapsed());
            assert_eq!(answer.status, 200, "{}", answer.text());
            sessions = answer.json()["sessions"].as_array().unwrap().len();
        }
        let first = times[0];
        times.sort_unstable();
        let (median, longest) = (times[10], times[20]);
        println!("{what}: {sessions} sessions, median {median:.1?} ({BAR}), longest {longest:.1?}, first {first:.1?}");
    }
}
