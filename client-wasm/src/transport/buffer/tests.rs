//! What the ring holds, drops and tells.

use super::*;

const A: ConnectionId = ConnectionId(0);
const B: ConnectionId = ConnectionId(1);

fn line(method: &str) -> String {
    let mut text = String::new();
    write_line_start(&mut text, method, None, "1", &[]);
    text
}

#[test]
fn deltas_are_those_of_the_lines_that_are_sent() {
    let mut buffer = Buffer::new(10_000);
    buffer.push(Class::Event, line("a"), 1_000_000);
    buffer.push(Class::Report(A), line("g"), 1_000_010);
    buffer.push(Class::Event, line("b"), 1_000_025);
    buffer.drop_all_reports(1_000_030);
    let frame = buffer.next_frame(1000);
    assert_eq!(
        frame,
        "[\"a\",null,1,1000000]\n[\"b\",null,1,25]\n[\":rtctrace.dropped\",\"PC_0\",{\"reports\":1,\"bytes\":60},5]"
    );
    assert_eq!(buffer.next_frame(1000), "");
}

#[test]
fn what_is_not_acknowledged_is_sent_again_unchanged() {
    let mut buffer = Buffer::new(10_000);
    for time in 0..5 {
        buffer.push(Class::Event, line("a"), 100 + time);
    }
    let first = buffer.next_frame(1000);
    assert!(buffer.acknowledge(2));
    buffer.push(Class::Event, line("late"), 200);
    assert!(buffer.welcome(2));
    let again = buffer.next_frame(1000);
    let expected: Vec<&str> = first.lines().skip(2).chain(["[\"late\",null,1,96]"]).collect();
    assert_eq!(again.lines().collect::<Vec<_>>(), expected);
    assert!(buffer.acknowledge(1), "an old acknowledgement changes nothing");
    assert_eq!(buffer.acknowledged(), 2);
    assert!(!buffer.acknowledge(7), "more than was ever sent");
    assert!(buffer.acknowledge(6));
    assert!(buffer.is_empty());
    assert_eq!(buffer.bytes(), 0);
}

#[test]
fn a_full_buffer_drops_the_unsent_reports_of_the_largest_holder_and_says_so() {
    let mut buffer = Buffer::new(4000);
    buffer.push(Class::Report(B), "x".repeat(500), 1);
    let _ = buffer.next_frame(10);
    for time in 0..3 {
        buffer.push(Class::Report(A), "x".repeat(300), time);
        buffer.push(Class::Report(B), "x".repeat(400), time);
        buffer.push(Class::Application, line(":note"), time);
    }
    assert!(buffer.make_room(1000, Class::Report(A), 9));
    assert_eq!((buffer.take_reset(), buffer.take_reset()), (Some(B), None));
    assert_eq!(buffer.dropped(), Dropped { reports: 3, events: 0 });
    let texts: Vec<&str> = buffer.entries.iter().map(|entry| entry.text.as_str()).collect();
    assert_eq!(texts.iter().filter(|text| text.contains(":note")).count(), 3);
    assert_eq!(texts.last().unwrap(), &"[\":rtctrace.dropped\",\"PC_1\",{\"reports\":3,\"bytes\":1344},");
    assert!(texts.first().unwrap().starts_with("xxx"), "what was sent stays");
}

#[test]
fn without_reports_to_drop_lines_are_refused_and_counted_and_the_applications_last() {
    let mut buffer = Buffer::new(1000);
    while buffer.make_room(100, Class::Event, 1) {
        buffer.push(Class::Event, "x".repeat(100), 1);
    }
    assert!(!buffer.make_room(100, Class::Report(A), 1));
    for _ in 0..3 {
        assert!(buffer.make_room(100, Class::Application, 1));
        buffer.push(Class::Application, "a".repeat(100), 1);
        assert!(!buffer.make_room(100, Class::Event, 1));
    }
    assert_eq!(buffer.dropped(), Dropped { reports: 1, events: 4 });
    let told = |buffer: &Buffer| -> Vec<String> {
        buffer.entries.iter().map(|entry| entry.text.clone()).filter(|text| text.contains("dropped")).collect()
    };
    assert!(told(&buffer).is_empty(), "the application's room is for the application");

    let _ = buffer.next_frame(10_000);
    assert!(buffer.acknowledge(8));
    assert!(buffer.make_room(100, Class::Event, 1));
    let expected = [
        "[\":rtctrace.dropped\",null,{\"reports\":1,\"bytes\":100},",
        "[\":rtctrace.dropped\",null,{\"lines\":4,\"bytes\":400},",
    ];
    assert_eq!(told(&buffer), expected);
}

#[test]
fn a_frame_holds_whole_lines_up_to_its_size() {
    let mut buffer = Buffer::new(10_000);
    for _ in 0..4 {
        buffer.push(Class::Event, line("abc"), 5);
    }
    assert_eq!(buffer.next_frame(40).lines().count(), 2);
    let (tail, end) = buffer.tail(0, 1000);
    assert_eq!((tail.lines().count(), end), (4, 4));
    assert_eq!(buffer.next_frame(1).lines().count(), 1);
    assert!(buffer.has_unsent());
    assert!(buffer.acknowledge(3));
    let (tail, end) = buffer.tail(3, 1000);
    assert_eq!((tail.lines().count(), end), (1, 4));
}
