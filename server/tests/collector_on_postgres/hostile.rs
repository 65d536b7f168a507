//! What clients send and PostgreSQL has no place for: it costs a character, and neither a session nor its neighbours.

use crate::support::*;

const TIME: i64 = 1_795_159_383_861;

/// A session of these lines, once it is stored.
async fn stored(collector: &Collector, lines: &[String]) -> serde_json::Value {
    let session = new_session();
    let (mut socket, _) = collector.v1(&session, 0).await;
    socket.send(lines.join("\n")).await;
    socket.send("[36,null,null,1]").await;
    socket.acknowledged(lines.len() + 1).await;
    let stored = collector.stored(&session).await;
    until("nothing is left to do", async || (!collector.spool(&session).exists()).then_some(())).await;
    stored
}

#[tokio::test]
async fn text_and_numbers_that_no_column_takes_keep_no_session_from_its_end() {
    let collector = Collector::start(&[]);
    let lines = [
        format!(
            r#"["create",null,{{"userAgentData":{{"platform":"a\u0000b","x":1e300}},"own\u0000":"\u0000","big":1e999999,"half":"\ud800","long":{}}},{TIME}]"#,
            "9".repeat(200_000)
        ),
        r#"["create","PC\u0000",{},1]"#.to_owned(),
        r#"["create","PC\ufffd",{},1]"#.to_owned(),
        format!(
            r#"["getStats","PC\u0000",{{"t":{TIME},"\u0000":{{"type":"inbound-rtp","kind":"\u0000","x":"\udc00","y":-1e-99999}}}},1]"#
        ),
        format!(
            r#"["getStats","PC\ufffd",{{"t":{TIME},"{}":{{"type":"codec"}},"k":{{"type":"codec"}}}},1]"#,
            "i".repeat(5_000)
        ),
        // Its day would be a table of its own.
        r#"["getStats","PC_2",{"t":1,"k":{"type":"codec"}},1]"#.to_owned(),
    ];
    let described = stored(&collector, &lines).await;
    assert_eq!(described["features"]["client"]["userAgentData"]["platform"], "a\u{fffd}b");
    assert_eq!(described["connections"], 3);
    let rows = collector.query("SELECT * FROM stats_inbound_rtp").await;
    assert_eq!((rows.len(), rows[0]["connection_id"].as_str()), (1, Some("PC\u{fffd}")));
    let days = collector.query("SELECT DISTINCT time::date AS day FROM stats_codec").await;
    assert_eq!((days.len(), &days[0]["day"]), (1, &"2026-11-20".into()));
    assert_eq!(collector.query("SELECT * FROM stats_codec").await.len(), 2);
    assert_eq!(collector.metric("rtctrace_stats_rows_lost_total").await, 1.0);
    stored(&collector, &crate::support::lines(2)).await;
}
