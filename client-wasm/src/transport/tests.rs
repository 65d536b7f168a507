//! Whole scenarios of the transport, against a collector that is a few lines of code.

use rtctrace_protocol::line::write_line_start;

use super::*;
use crate::ids::ConnectionId;

const BUFFER_LIMIT: usize = 4 * 1024 * 1024;

fn line(number: usize) -> String {
    let mut text = String::new();
    write_line_start(&mut text, ":n", None, &number.to_string(), &[]);
    text
}

fn effects(transport: &mut Transport) -> Vec<Effect> {
    std::iter::from_fn(|| transport.poll_effect()).collect()
}

fn sent(effects: &[Effect]) -> Vec<String> {
    let frames = effects.iter().filter_map(|effect| match effect {
        Effect::Send(frame) => Some(frame.lines().map(str::to_owned)),
        _ => None,
    });
    frames.flatten().collect()
}

fn push(transport: &mut Transport, number: usize, now: UnixMillis) {
    transport.push(Class::Event, line(number), now);
}

fn welcomed(received: u64, now: UnixMillis) -> Transport {
    let mut transport = Transport::new(BUFFER_LIMIT, 7, false, 0);
    transport.handle(Input::Start, now);
    transport.handle(Input::Frame(&format!(r#"{{"type":"welcome","received":{received}}}"#)), now);
    effects(&mut transport);
    transport
}

#[test]
fn lines_wait_for_the_welcome_and_then_go_in_one_frame() {
    let mut transport = Transport::new(BUFFER_LIMIT, 7, false, 1000);
    transport.handle(Input::Start, 1000);
    assert_eq!(transport.state(), State::Connecting);
    assert_eq!(effects(&mut transport), [Effect::Connect { from: 0 }]);
    push(&mut transport, 0, 1001);
    push(&mut transport, 1, 1003);
    transport.handle(Input::Frame(r#"{"type":"welcome","received":0}"#), 1030);
    assert_eq!(transport.state(), State::Open);
    let expected = "[\":n\",null,0,1001]\n[\":n\",null,1,2]";
    assert_eq!(effects(&mut transport), [Effect::Send(expected.into()), Effect::FirstFlush { milliseconds: 30 }]);
}

#[test]
fn a_line_after_silence_goes_at_once_and_the_next_ones_are_batched() {
    let mut transport = welcomed(0, 1000);
    push(&mut transport, 0, 5000);
    assert_eq!(transport.deadline(), Some(5000));
    transport.handle(Input::Tick { buffered: 0 }, 5001);
    assert_eq!(sent(&effects(&mut transport)).len(), 1);
    push(&mut transport, 1, 5005);
    push(&mut transport, 2, 5050);
    assert_eq!(transport.deadline(), Some(5101));
    transport.handle(Input::Tick { buffered: 0 }, 5090);
    assert_eq!(effects(&mut transport), []);
    transport.handle(Input::Tick { buffered: 0 }, 5101);
    assert_eq!(sent(&effects(&mut transport)).len(), 2);
}

#[test]
fn a_report_soon_after_a_frame_waits_for_the_next_line_that_is_sent() {
    let mut transport = welcomed(0, 1000);
    let report = |transport: &mut Transport, number, now| {
        transport.push(Class::Report(ConnectionId(0)), line(number), now);
        transport.handle(Input::Tick { buffered: 0 }, now);
        sent(&effects(transport)).len()
    };
    assert_eq!(report(&mut transport, 0, 5000), 1);
    assert_eq!(report(&mut transport, 1, 6000), 0);
    assert_eq!(report(&mut transport, 2, 7000), 2);
    assert_eq!(report(&mut transport, 3, 8000), 0);
    push(&mut transport, 4, 8050);
    transport.handle(Input::Tick { buffered: 0 }, 8050);
    assert_eq!(sent(&effects(&mut transport)).len(), 2, "an event takes it along");
    assert_eq!(report(&mut transport, 5, 9000), 0);
    assert_eq!(transport.deadline(), Some(11_050), "and if nothing comes, it goes alone");
}

#[test]
fn a_frame_worth_of_lines_does_not_wait_for_the_interval() {
    let mut transport = welcomed(0, 1000);
    push(&mut transport, 0, 1001);
    transport.handle(Input::Tick { buffered: 0 }, 1101);
    transport.push(Class::Event, format!("[\":big\",null,\"{}\",", "x".repeat(70_000)), 1102);
    assert_eq!(transport.deadline(), Some(1102));
}

#[test]
fn a_socket_that_is_full_gets_no_more() {
    let mut transport = welcomed(0, 1000);
    push(&mut transport, 0, 2000);
    transport.handle(Input::Tick { buffered: 300_000 }, 2000);
    assert_eq!(sent(&effects(&mut transport)).len(), 0);
    assert_eq!(transport.deadline(), Some(2100));
    transport.handle(Input::Tick { buffered: 0 }, 2100);
    assert_eq!(sent(&effects(&mut transport)).len(), 1);
}

#[test]
fn after_a_loss_everything_unacknowledged_is_sent_once_more_from_where_the_collector_is() {
    let mut transport = welcomed(0, 1000);
    for number in 0..6 {
        push(&mut transport, number, 1000);
    }
    transport.handle(Input::Tick { buffered: 0 }, 1100);
    effects(&mut transport);
    transport.handle(Input::Frame(r#"{"type":"ack","received":2}"#), 1200);
    assert_eq!(transport.acknowledged(), 2);
    transport.handle(Input::Closed { code: 1006 }, 1300);
    assert_eq!(transport.state(), State::Reconnecting);
    push(&mut transport, 6, 1400);
    let until = transport.deadline().unwrap();
    assert!((1800..=2300).contains(&until), "{until}");
    transport.handle(Input::Tick { buffered: 0 }, until);
    assert_eq!(effects(&mut transport), [Effect::Connect { from: 2 }]);
    transport.handle(Input::Frame(r#"{"type":"welcome","received":4}"#), until + 10);
    let lines = sent(&effects(&mut transport));
    assert_eq!(lines, ["[\":n\",null,4,0]", "[\":n\",null,5,0]", "[\":n\",null,6,400]"]);
    assert_eq!(transport.reconnects(), 1);
}

#[test]
fn a_collector_that_forgot_lines_gets_those_that_are_left() {
    let mut transport = welcomed(0, 1000);
    for number in 0..4 {
        push(&mut transport, number, 1000);
    }
    transport.handle(Input::Tick { buffered: 0 }, 1100);
    transport.handle(Input::Frame(r#"{"type":"ack","received":3}"#), 1200);
    transport.handle(Input::Closed { code: 1012 }, 1300);
    transport.handle(Input::Online, 1301);
    effects(&mut transport);
    transport.handle(Input::Frame(r#"{"type":"welcome","received":0}"#), 1400);
    assert_eq!(sent(&effects(&mut transport)), ["[\":n\",null,3,0]"]);
}

#[test]
fn backoff_grows_to_thirty_seconds_with_jitter_and_is_forgotten_after_progress() {
    let mut transport = welcomed(0, 0);
    let mut now = 0;
    let mut waits = Vec::new();
    for _ in 0..12 {
        transport.handle(Input::Closed { code: 1006 }, now);
        let until = transport.deadline().unwrap();
        waits.push(until - now);
        now = until;
        transport.handle(Input::Tick { buffered: 0 }, now);
    }
    for (attempt, wait) in waits.iter().enumerate() {
        let full = (1000_i64 << attempt).min(30_000);
        assert!((full / 2..=full).contains(wait), "attempt {attempt}: {wait}");
        assert!((500..=30_000).contains(wait));
    }
    push(&mut transport, 0, now);
    transport.handle(Input::Frame(r#"{"type":"welcome","received":0}"#), now);
    transport.handle(Input::Frame(r#"{"type":"ack","received":1}"#), now);
    transport.handle(Input::Closed { code: 1006 }, now);
    assert!(transport.deadline().unwrap() - now <= 1000);
}

#[test]
fn final_close_codes_end_the_recording_and_others_do_not() {
    for code in [1007, 1008, 1009, 4000, 4001, 4002] {
        let mut transport = welcomed(0, 0);
        push(&mut transport, 0, 1);
        transport.handle(Input::Closed { code }, 5);
        assert_eq!(effects(&mut transport), [Effect::Over { refused: Some(code), is_complete: false }]);
        assert_eq!(transport.state(), State::Closed);
        assert_eq!(transport.deadline(), None);
        assert!(!transport.make_room(1, Class::Event, 6));
        assert_eq!(transport.buffered_bytes(), 0);
    }
    for code in [1000, 1001, 1006, 1011, 1012, 1013] {
        let mut transport = welcomed(0, 0);
        transport.handle(Input::Closed { code }, 5);
        assert_eq!(transport.state(), State::Reconnecting, "{code}");
    }
}

#[test]
fn an_overloaded_collector_is_left_alone_for_longer_even_when_the_network_comes_back() {
    let mut transport = welcomed(0, 0);
    let mut now = 0;
    let mut waits = Vec::new();
    for _ in 0..6 {
        transport.handle(Input::Closed { code: 1013 }, now);
        transport.handle(Input::Online, now);
        assert_eq!(effects(&mut transport), []);
        let until = transport.deadline().unwrap();
        waits.push(until - now);
        now = until;
        transport.handle(Input::Tick { buffered: 0 }, now);
        effects(&mut transport);
    }
    for (wait, full) in waits.iter().zip([4_000, 8_000, 16_000, 30_000, 30_000, 30_000]) {
        assert!((full / 2..=full).contains(wait), "{waits:?}");
    }
    assert!(waits.iter().take(4).sum::<i64>() < 60_000, "a session is kept for a minute");
}

#[test]
fn a_token_that_can_be_renewed_is_asked_for_again_but_not_for_ever() {
    let mut transport = Transport::new(BUFFER_LIMIT, 7, true, 0);
    transport.handle(Input::Start, 0);
    let mut now = 0;
    let mut refuse = |transport: &mut Transport| {
        transport.handle(Input::Closed { code: 1008 }, now);
        effects(transport);
        if let Some(until) = transport.deadline() {
            now = until;
            transport.handle(Input::Tick { buffered: 0 }, now);
        }
        transport.state()
    };
    assert_eq!(refuse(&mut transport), State::Connecting);
    assert_eq!(refuse(&mut transport), State::Connecting);
    transport.handle(Input::Frame(r#"{"type":"welcome","received":0}"#), 10_000);
    assert_eq!(transport.state(), State::Open);
    assert_eq!(refuse(&mut transport), State::Reconnecting);
    assert_eq!(refuse(&mut transport), State::Reconnecting);
    assert_eq!(refuse(&mut transport), State::Closed);
}

#[test]
fn a_page_back_from_the_cache_connects_at_once() {
    let mut transport = welcomed(0, 1000);
    push(&mut transport, 0, 1000);
    transport.handle(Input::PageHide, 1160);
    effects(&mut transport);
    transport.handle(Input::Shown, 500_000);
    assert_eq!(effects(&mut transport), [Effect::Disconnect { code: 1000 }, Effect::Connect { from: 0 }]);
    push(&mut transport, 1, 500_000);
    transport.handle(Input::Frame(r#"{"type":"welcome","received":1}"#), 500_100);
    assert_eq!(sent(&effects(&mut transport)), ["[\":n\",null,1,499000]"]);
}

#[test]
fn when_the_network_comes_back_a_socket_must_prove_that_it_lives() {
    let mut transport = welcomed(0, 1000);
    push(&mut transport, 0, 1000);
    transport.handle(Input::Tick { buffered: 0 }, 1100);
    transport.handle(Input::Online, 2000);
    assert_eq!(transport.deadline(), Some(7000));
    effects(&mut transport);
    transport.handle(Input::Tick { buffered: 0 }, 7000);
    assert_eq!(effects(&mut transport), [Effect::Disconnect { code: 1000 }]);
    assert_eq!(transport.state(), State::Reconnecting);
}

#[test]
fn a_line_too_slow_for_whole_frames_gets_smaller_ones() {
    let mut transport = welcomed(0, 1000);
    for _ in 0..100 {
        transport.push(Class::Event, format!("[\":big\",null,\"{}\",", "x".repeat(1000)), 1000);
    }
    transport.handle(Input::Tick { buffered: 0 }, 1100);
    let first = effects(&mut transport);
    assert!(matches!(first.first(), Some(Effect::Send(frame)) if frame.len() > 60_000));
    transport.handle(Input::Tick { buffered: 0 }, 21_100);
    let until = transport.deadline().unwrap();
    transport.handle(Input::Tick { buffered: 0 }, until);
    effects(&mut transport);
    transport.handle(Input::Frame(r#"{"type":"welcome","received":0}"#), until);
    let again = effects(&mut transport);
    assert!(again.iter().all(|effect| matches!(effect, Effect::Send(frame) if frame.len() <= 16 * 1024)));
    assert_eq!(sent(&again), sent(&first));
}

#[test]
fn a_computer_that_slept_costs_one_reconnect_at_most() {
    let hour = 3_600_000;
    let mut transport = welcomed(0, 1000);
    push(&mut transport, 0, 1000);
    transport.handle(Input::Tick { buffered: 0 }, 1100);
    effects(&mut transport);
    let mut now = hour;
    transport.handle(Input::Tick { buffered: 0 }, now);
    assert_eq!(transport.state(), State::Open);
    now = transport.deadline().unwrap();
    transport.handle(Input::Tick { buffered: 0 }, now);
    assert_eq!(effects(&mut transport), [Effect::Disconnect { code: 1000 }]);
    transport.handle(Input::Tick { buffered: 0 }, now + hour);
    assert_eq!(effects(&mut transport), [Effect::Connect { from: 0 }]);
    // Asleep again while it connects: the welcome may lie behind the timer.
    transport.handle(Input::Tick { buffered: 0 }, now + 2 * hour);
    assert_eq!(effects(&mut transport), []);
    transport.handle(Input::Frame(r#"{"type":"welcome","received":1}"#), now + 2 * hour);
    assert_eq!((transport.state(), transport.reconnects()), (State::Open, 1));
}

#[test]
fn a_welcome_or_an_ack_out_of_place_changes_nothing() {
    let mut transport = welcomed(0, 1000);
    push(&mut transport, 0, 1000);
    transport.handle(Input::Tick { buffered: 0 }, 1100);
    effects(&mut transport);
    transport.handle(Input::Frame(r#"{"type":"welcome","received":0}"#), 1200);
    assert_eq!(effects(&mut transport), [], "nothing is sent twice through one socket");
    transport.handle(Input::Closed { code: 1006 }, 1300);
    let until = transport.deadline();
    transport.handle(Input::Closed { code: 1006 }, 1301);
    transport.handle(Input::Frame(r#"{"type":"ack","received":1}"#), 1302);
    assert_eq!((transport.deadline(), transport.acknowledged()), (until, 0));
}

#[test]
fn a_forbidden_socket_is_no_clean_end() {
    let mut transport = Transport::new(BUFFER_LIMIT, 7, false, 0);
    transport.handle(Input::Start, 0);
    effects(&mut transport);
    transport.handle(Input::Forbidden, 1);
    assert_eq!(effects(&mut transport), [Effect::Over { refused: Some(FORBIDDEN), is_complete: true }]);
    assert_eq!(transport.state(), State::Closed);
}

#[test]
fn a_clean_end_sends_the_close_line_waits_for_its_ack_and_closes_with_1000() {
    let mut transport = welcomed(0, 1000);
    push(&mut transport, 0, 1500);
    transport.handle(Input::Close, 1510);
    assert_eq!(sent(&effects(&mut transport)), ["[\":n\",null,0,1500]", "[\"close\",null,null,10]"]);
    push(&mut transport, 1, 1511);
    transport.handle(Input::Frame(r#"{"type":"ack","received":1}"#), 1600);
    assert_eq!(effects(&mut transport), []);
    transport.handle(Input::Frame(r#"{"type":"ack","received":2}"#), 1700);
    assert_eq!(
        effects(&mut transport),
        [Effect::Disconnect { code: 1000 }, Effect::Over { refused: None, is_complete: true }]
    );
    assert_eq!(transport.state(), State::Closed);
}

#[test]
fn a_clean_end_without_a_collector_gives_up_after_five_seconds() {
    let mut transport = Transport::new(BUFFER_LIMIT, 7, false, 0);
    transport.handle(Input::Start, 0);
    transport.handle(Input::Closed { code: 1006 }, 10);
    transport.handle(Input::Close, 100);
    effects(&mut transport);
    assert_eq!(transport.deadline(), Some(5100));
    transport.handle(Input::Tick { buffered: 0 }, 5100);
    assert_eq!(
        effects(&mut transport),
        [Effect::Disconnect { code: 1000 }, Effect::Over { refused: None, is_complete: false }]
    );
}

#[test]
fn a_close_line_whose_ack_was_lost_is_not_an_error() {
    let mut transport = welcomed(0, 1000);
    transport.handle(Input::Close, 1100);
    transport.handle(Input::Closed { code: 1006 }, 1200);
    transport.handle(Input::Online, 1201);
    transport.handle(Input::Closed { code: 4000 }, 1300);
    assert_eq!(effects(&mut transport).last(), Some(&Effect::Over { refused: None, is_complete: false }));
}

#[test]
fn a_leaving_page_hands_what_is_left_to_a_beacon() {
    let mut transport = welcomed(0, 1000);
    push(&mut transport, 0, 1000);
    transport.handle(Input::Tick { buffered: 0 }, 1100);
    push(&mut transport, 1, 1150);
    effects(&mut transport);
    transport.handle(Input::PageHide, 1160);
    let body = "[\":n\",null,0,1000]\n[\":n\",null,1,150]";
    assert_eq!(effects(&mut transport), [Effect::Beacon { from: 0, body: body.into() }]);
}

#[test]
fn a_page_that_comes_back_goes_on_where_its_beacon_ended() {
    let mut transport = welcomed(0, 1000);
    push(&mut transport, 0, 1000);
    transport.handle(Input::PageHide, 1160);
    assert_eq!(effects(&mut transport).len(), 1);
    assert!(transport.is_recording());
    transport.handle(Input::Closed { code: 1006 }, 9000);
    transport.handle(Input::Online, 9001);
    effects(&mut transport);
    push(&mut transport, 1, 9050);
    transport.handle(Input::Frame(r#"{"type":"welcome","received":1}"#), 9100);
    assert_eq!(sent(&effects(&mut transport)), ["[\":n\",null,1,8050]"]);
}

#[test]
fn a_beacon_takes_along_what_fits_and_drops_reports_that_were_never_sent() {
    let mut transport = welcomed(0, 1000);
    let connection = ConnectionId(0);
    for _ in 0..100 {
        transport.push(Class::Report(connection), format!("[\"g\",\"PC_0\",\"{}\",", "x".repeat(1000)), 1000);
    }
    push(&mut transport, 1, 1001);
    transport.handle(Input::PageHide, 1160);
    let effects = effects(&mut transport);
    let Some(Effect::Beacon { body, .. }) = effects.last() else { panic!("{effects:?}") };
    assert!(body.starts_with("[\":n\",null,1,"));
    assert!(body.contains(r#"[":rtctrace.dropped","PC_0",{"reports":100,"#));
}

#[test]
fn a_beacon_that_the_browser_refuses_is_offered_again_by_halves_and_leaves_no_gap() {
    let mut transport = welcomed(0, 1000);
    for number in 0..400 {
        push(&mut transport, number, 1000);
    }
    transport.handle(Input::PageHide, 1160);
    let mut sizes = Vec::new();
    let mut last = String::new();
    while let Some(Effect::Beacon { from: 0, body }) = effects(&mut transport).pop() {
        assert!(body.starts_with("[\":n\",null,0,1000]") && body.ends_with(']'), "whole lines");
        sizes.push(body.len());
        last = body;
        transport.handle(Input::BeaconRefused, 1160);
    }
    assert!(sizes.windows(2).all(|pair| pair[1] <= pair[0] / 2) && sizes.len() > 5, "{sizes:?}");
    assert!(last.lines().count() <= 2, "until nothing is left");
    // What none has taken is offered again with what comes next.
    push(&mut transport, 400, 1170);
    let Some(Effect::Beacon { from: 0, body }) = effects(&mut transport).pop() else { panic!() };
    assert_eq!(body.lines().count(), 401);
}

#[test]
fn a_beacon_begins_with_what_no_socket_has_carried_where_all_is_too_much() {
    let mut transport = welcomed(0, 1000);
    transport.push(Class::Report(ConnectionId(0)), format!("[\"g\",\"PC_0\",\"{}\",", "x".repeat(30_000)), 5000);
    transport.handle(Input::Tick { buffered: 0 }, 5000);
    assert_eq!(sent(&effects(&mut transport)).len(), 1);
    push(&mut transport, 1, 5150);
    transport.handle(Input::PageHide, 5160);
    let body = "[\":n\",null,1,150]".to_owned();
    assert_eq!(effects(&mut transport), [Effect::Beacon { from: 1, body }]);
}

#[test]
fn what_a_page_does_after_its_beacon_goes_with_another_as_far_as_the_browser_takes_them() {
    let mut transport = welcomed(0, 1000);
    push(&mut transport, 0, 1000);
    transport.handle(Input::PageHide, 1160);
    push(&mut transport, 1, 1170);
    transport.handle(Input::PageHide, 1180);
    let both = "[\":n\",null,0,1000]\n[\":n\",null,1,170]";
    let (first, second) = ("[\":n\",null,0,1000]".into(), both.into());
    assert_eq!(
        effects(&mut transport),
        [Effect::Beacon { from: 0, body: first }, Effect::Beacon { from: 0, body: second }],
        "and none for nothing"
    );
    // What would be too much together is not repeated.
    transport.push(Class::Application, format!("[\":big\",null,\"{}\",", "x".repeat(20_000)), 1190);
    push(&mut transport, 2, 1200);
    let beacons = effects(&mut transport);
    let [Effect::Beacon { from: 0, .. }, Effect::Beacon { from: 3, body }] = beacons.as_slice() else {
        panic!("{beacons:?}")
    };
    assert_eq!(body, "[\":n\",null,2,10]");
    transport.handle(Input::Shown, 5000);
    effects(&mut transport);
    push(&mut transport, 3, 5001);
    assert_eq!(effects(&mut transport), [], "it is back");
}

#[test]
fn a_report_that_a_leaving_page_dropped_is_not_built_on() {
    let mut transport = welcomed(0, 1000);
    transport.push(Class::Report(ConnectionId(3)), "x".repeat(70_000), 1000);
    transport.handle(Input::PageHide, 1160);
    assert_eq!((transport.take_reset(), transport.take_reset()), (Some(ConnectionId(3)), None));
}

#[test]
fn a_refused_line_is_told_at_the_end_too() {
    let mut transport = Transport::new(1000, 7, false, 0);
    transport.handle(Input::Start, 0);
    transport.handle(Input::Frame(r#"{"type":"welcome","received":0}"#), 0);
    assert!(!transport.make_room(2000, Class::Event, 5));
    transport.handle(Input::Close, 6);
    let lines = sent(&effects(&mut transport));
    assert_eq!(lines, [r#"[":rtctrace.dropped",null,{"lines":1,"bytes":2000},6]"#, r#"["close",null,null,0]"#]);
}

#[test]
fn a_silent_socket_is_given_up_but_not_because_a_timer_was_frozen() {
    let mut transport = welcomed(0, 1000);
    push(&mut transport, 0, 1000);
    transport.handle(Input::Tick { buffered: 0 }, 1100);
    effects(&mut transport);
    transport.handle(Input::Tick { buffered: 0 }, 60_000);
    assert_eq!(effects(&mut transport), [], "the acknowledgement may be in the queue behind the timer");
    let until = transport.deadline().unwrap();
    assert_eq!(until, 62_000);
    transport.handle(Input::Tick { buffered: 0 }, until);
    assert_eq!(effects(&mut transport), [Effect::Disconnect { code: 1000 }]);
    assert_eq!(transport.state(), State::Reconnecting);
}

#[test]
fn a_collector_that_never_welcomes_is_given_up() {
    let mut transport = Transport::new(BUFFER_LIMIT, 7, false, 0);
    transport.handle(Input::Start, 0);
    transport.handle(Input::Tick { buffered: 0 }, 15_000);
    assert_eq!(effects(&mut transport), [Effect::Connect { from: 0 }, Effect::Disconnect { code: 1000 }]);
}

#[test]
fn frames_that_are_not_understood_change_nothing() {
    let mut transport = welcomed(0, 0);
    for text in
        ["", "x", "[]", "{}", r#"{"type":"ack"}"#, r#"{"type":"news","received":3}"#, r#"{"type":"ack","received":-1}"#]
    {
        transport.handle(Input::Frame(text), 5);
    }
    assert_eq!(effects(&mut transport), []);
    assert_eq!(transport.state(), State::Open);
}

#[test]
fn an_id_that_another_recording_used_ends_this_one() {
    let mut transport = welcomed(3, 0);
    assert_eq!(transport.state(), State::Closed);
    push(&mut transport, 0, 1);
    assert_eq!(effects(&mut transport), []);
}

#[test]
fn hours_without_a_collector_stay_within_the_limit_and_are_told() {
    let limit = 200_000;
    let mut transport = Transport::new(limit, 7, false, 0);
    transport.handle(Input::Start, 0);
    let mut full = 0;
    for second in 0..7200 {
        let now = second * 1000;
        for connection in [ConnectionId(0), ConnectionId(1)] {
            assert!(transport.make_room(2000, Class::Report(connection), now));
            full += usize::from(transport.take_reset().is_some());
            transport.push(Class::Report(connection), "r".repeat(1000 + connection.0 as usize), now);
        }
        assert!(transport.buffered_bytes() <= limit + 4096);
    }
    assert!(full > 10);
    transport.handle(Input::Frame(r#"{"type":"welcome","received":0}"#), 7_300_000);
    let lines = sent(&effects(&mut transport));
    let told: u64 = lines
        .iter()
        .filter_map(|line| line.split_once("\"reports\":"))
        .filter_map(|(_, rest)| rest.split(',').next()?.parse::<u64>().ok())
        .sum();
    let kept = lines.iter().filter(|line| line.starts_with('r')).count() as u64;
    assert_eq!(told + kept, 2 * 7200);
    assert_eq!(transport.dropped().reports, told);
}
