//! What is left out of lines before they reach the disk.

use crate::support::*;

#[tokio::test]
async fn names_of_devices_never_reach_the_disk_if_the_operator_says_so() {
    let settings = [("RTCTRACE_PRIVACY_LABELS", "true"), ("RTCTRACE_SESSION_RESUME_GRACE", "1s")];
    let collector = Collector::start(&settings);
    let session = new_session();
    let track = r#"["addTrack","PC_0",["audio","t1","Ann's headset","s1"],5]"#;
    let devices = r#"["navigator.mediaDevices.enumerateDevices",null,[{"deviceId":"a","kind":"audioinput","label":"Ann's headset"}],5]"#;
    let candidate =
        r#"["onicecandidateerror","PC_0",{"address":"192.0.2.7","errorText":"no answer from 192.0.2.7"},5]"#;
    let (mut socket, _) = collector.v1(&session, 0).await;
    for line in [&lines(1)[0], track, devices, candidate] {
        socket.send(line).await;
    }
    socket.acknowledged(4).await;
    let held = std::fs::read_to_string(collector.spool(&session)).unwrap();
    assert!(!held.contains("headset") && !held.contains("192.0.2.7"), "{held}");
    socket.close().await;
    // What comes again is compared as it was stored.
    let (mut socket, received) = collector.v1(&session, 0).await;
    assert_eq!(received, 4);
    for line in [&lines(1)[0], track, devices, candidate, "[36,null,null,1]"] {
        socket.send(line).await;
    }
    socket.acknowledged(5).await;
    let (_, stored) = collector.dump(&session).await;
    assert_eq!(stored.len(), 5);
    assert_eq!(stored[1], track.replace("Ann's headset", ""));
    assert_eq!(stored[2], devices.replace("Ann's headset", ""));
    assert_eq!(stored[3], candidate.replace("192.0.2.7", "192.0.2.x"));
}
