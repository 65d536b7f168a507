//! Sessions that lead to each other: of a page, and of the SFU's, about one connection.

use serde_json::{Value, json};

use crate::support::*;

const CONNECTION: &str = "WCJC78EWK935N7P7Z8FYAKFW9M";

/// A session that says these lines and goes on.
async fn session(collector: &Collector, more: &[String]) -> (String, Socket) {
    let id = new_session();
    let (mut socket, _) = collector.v1(&id, 0).await;
    let said: Vec<String> = lines(1).into_iter().chain(more.iter().cloned()).collect();
    socket.send(said.join("\n")).await;
    socket.acknowledged(said.len()).await;
    (id, socket)
}

fn identity(connection: &str) -> String {
    format!("[\"identity\",null,{{\"user\":\"ann\",\"sora\":{{\"connection_id\":\"{connection}\"}}}},1]")
}

/// What Sora's session says first.
fn envelope() -> String {
    format!("[\":sora.connection\",\"{CONNECTION}\",{{\"channel_id\":\"lobby\"}},1]")
}

async fn end(collector: &Collector, id: &str, mut socket: Socket) {
    socket.send("[36,null,null,1]").await;
    socket.close_or_lost().await;
    collector.stored(id).await;
}

async fn linked(collector: &Collector, id: &str) -> Value {
    collector.session(id).await["linked"].clone()
}

#[tokio::test]
async fn a_page_and_the_sfu_lead_to_each_other() {
    let mut collector = Collector::start(&[]);
    let (page, of_page) = session(&collector, &[identity("OTHER"), identity(CONNECTION)]).await;
    assert_eq!(linked(&collector, &page).await, json!([]));
    let (sora, of_sora) = session(&collector, &[envelope()]).await;
    let (nobody, of_nobody) = session(&collector, &[identity("NOBODY")]).await;
    let both = async |collector: &Collector| {
        assert_eq!(linked(collector, &page).await, json!([sora]));
        assert_eq!(linked(collector, &sora).await, json!([page]));
        assert_eq!(linked(collector, &nobody).await, json!([]));
    };
    both(&collector).await;
    end(&collector, &page, of_page).await;
    both(&collector).await;
    end(&collector, &sora, of_sora).await;
    end(&collector, &nobody, of_nobody).await;
    both(&collector).await;
    collector.stop();
    collector.restart();
    both(&collector).await;

    // What is made anew from dumps says it, too.
    let removed = collector.request("DELETE", &format!("/api/v1/sessions/{nobody}"), "", "").await;
    assert_eq!(removed.status, 204);
    let removed = collector.request("DELETE", &format!("/api/v1/sessions/{sora}"), "", "").await;
    assert_eq!(removed.status, 204);
    assert_eq!(linked(&collector, &page).await, json!([]));
    let links = "SELECT connection_id FROM sora_connections ORDER BY connection_id";
    let links: Vec<Value> = collector.query(links).await.into_iter().map(|row| row["connection_id"].clone()).collect();
    assert_eq!(links, [json!("OTHER"), json!(CONNECTION)]);
}

#[tokio::test]
async fn those_that_run_with_two_collectors_lead_to_each_other() {
    let (first, second, _dumps) = crate::ends::two(&[]);
    let (page, mut of_page) = session(&first, &[]).await;
    until("the page's is known", async || {
        (second.get(&format!("/api/v1/sessions/{page}")).await.status == 200).then_some(())
    })
    .await;
    // An application says it when it has been answered by Sora.
    of_page.send(identity(CONNECTION)).await;
    of_page.acknowledged(2).await;
    let (sora, of_sora) = session(&second, &[envelope()]).await;
    let lead_to_each_other = async || {
        for collector in [&first, &second] {
            until("each knows both", async || {
                let known = collector.get(&format!("/api/v1/sessions/{sora}")).await.status == 200;
                let told = known
                    && linked(collector, &page).await == json!([sora])
                    && linked(collector, &sora).await == json!([page]);
                told.then_some(())
            })
            .await;
        }
    };
    lead_to_each_other().await;
    for id in [&page, &sora] {
        assert_eq!(first.session(id).await["state"], "live");
    }
    end(&first, &page, of_page).await;
    lead_to_each_other().await;
    end(&second, &sora, of_sora).await;
    lead_to_each_other().await;
}
