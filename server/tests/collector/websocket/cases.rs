//! The cases: what a client says, what of it is a line that is kept, and how the socket goes on. Numbers and names are those of
//! the Autobahn fuzzing client's, whose text is a line here, because the collector is no echo.

use super::utf8;
use super::wire::*;

/// How a case ends.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ends {
    /// The socket is as it was.
    Open,
    /// The client closed; the answer has this code.
    Closed(u16),
    /// The collector closes because of what was said: with one of these codes.
    Failed(&'static [u16]),
}

/// Violations of the protocol, and text that is none (RFC 6455, section 7.4.1).
pub(super) const VIOLATION: Ends = Ends::Failed(&[1002]);
pub(super) const NOT_UTF8: Ends = Ends::Failed(&[1007]);

/// One of them.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) number: String,
    pub(super) says: Vec<u8>,
    /// So many bytes go at a time.
    pub(super) piece: usize,
    pub(super) lines: Vec<String>,
    pub(super) pongs: Vec<Vec<u8>>,
    pub(super) ends: Ends,
}

impl Case {
    pub(super) fn new(number: impl Into<String>, says: impl IntoIterator<Item = Vec<u8>>, ends: Ends) -> Self {
        let says = says.into_iter().flatten().collect();
        Self { number: number.into(), says, piece: usize::MAX, lines: Vec::new(), pongs: Vec::new(), ends }
    }

    pub(super) fn keeps(mut self, lines: &[&str]) -> Self {
        self.lines = lines.iter().map(|line| (*line).to_owned()).collect();
        self
    }

    fn pongs(mut self, payloads: &[&[u8]]) -> Self {
        self.pongs = payloads.iter().map(|payload| payload.to_vec()).collect();
        self
    }

    fn in_pieces_of(mut self, bytes: usize) -> Self {
        self.piece = bytes;
        self
    }
}

/// A line of so many bytes.
pub(super) fn line(number: &str, length: usize) -> String {
    let bare = format!("[\":case\",null,\"{number} \",1]");
    let filling = "*".repeat(length.saturating_sub(bare.len()));
    bare.replace(" \",", &format!(" {filling}\","))
}

fn text(payload: &str) -> Vec<u8> {
    frame(FIN | TEXT, payload.as_bytes())
}

fn ping(payload: &[u8]) -> Vec<u8> {
    frame(FIN | PING, payload)
}

fn close(payload: &[u8]) -> Vec<u8> {
    frame(FIN | CLOSE, payload)
}

/// A message in fragments.
fn fragments(payload: &[u8], length: usize) -> Vec<Vec<u8>> {
    let pieces: Vec<&[u8]> = payload.chunks(length).collect();
    let last = pieces.len() - 1;
    let first = |at| if at == 0 { TEXT } else { CONTINUATION } | if at == last { FIN } else { 0 };
    pieces.into_iter().enumerate().map(|(at, piece)| frame(first(at), piece)).collect()
}

/// All of them.
pub(super) fn all() -> Vec<Case> {
    [framing(), pings(), reserved(), fragmentation(), utf8::all(), closing(), beyond()].into_iter().flatten().collect()
}

/// 1.*: text and binary messages of every encoding of the length.
fn framing() -> Vec<Case> {
    let mut cases = vec![Case::new("1.1.1", [text("")], Ends::Open)];
    for (number, length, piece) in [
        ("1.1.2", 125, usize::MAX),
        ("1.1.3", 126, usize::MAX),
        ("1.1.4", 127, usize::MAX),
        ("1.1.5", 128, usize::MAX),
        ("1.1.6", 65_535, usize::MAX),
        ("1.1.7", 65_536, usize::MAX),
        ("1.1.8", 65_536, 997),
    ] {
        let line = line(number, length);
        assert_eq!(line.len(), length);
        cases.push(Case::new(number, [text(&line)], Ends::Open).keeps(&[&line]).in_pieces_of(piece));
    }
    // Lines travel in text frames: what is binary is understood, and not taken.
    for (number, length) in [("1.2.1", 0), ("1.2.2", 125), ("1.2.3", 126), ("1.2.7", 65_536)] {
        cases.push(Case::new(number, [frame(FIN | BINARY, &vec![0xfe; length])], Ends::Failed(&[1003])));
    }
    cases
}

/// 2.*: pings and pongs.
fn pings() -> Vec<Case> {
    let long = [0xfe; 125];
    let ten: Vec<Vec<u8>> = (0..10).map(|number| format!("payload-{number}").into_bytes()).collect();
    let of_ten: Vec<&[u8]> = ten.iter().map(Vec::as_slice).collect();
    let pings = || ten.iter().map(|payload| ping(payload));
    vec![
        Case::new("2.1", [ping(b"")], Ends::Open).pongs(&[b""]),
        Case::new("2.2", [ping(b"Hello, world!")], Ends::Open).pongs(&[b"Hello, world!"]),
        Case::new("2.3", [ping(b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff")], Ends::Open)
            .pongs(&[b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff"]),
        Case::new("2.4", [ping(&long)], Ends::Open).pongs(&[&long]),
        Case::new("2.5", [ping(&[0xfe; 126])], VIOLATION),
        Case::new("2.6", [ping(&long)], Ends::Open).pongs(&[&long]).in_pieces_of(1),
        Case::new("2.7", [frame(FIN | PONG, b"")], Ends::Open),
        Case::new("2.8", [frame(FIN | PONG, b"unsolicited")], Ends::Open),
        Case::new("2.9", [frame(FIN | PONG, b"unsolicited"), ping(b"asked")], Ends::Open).pongs(&[b"asked"]),
        Case::new("2.10", pings(), Ends::Open).pongs(&of_ten),
        Case::new("2.11", pings(), Ends::Open).pongs(&of_ten).in_pieces_of(1),
    ]
}

/// 3.* and 4.*: reserved bits and opcodes that no extension gives a meaning.
fn reserved() -> Vec<Case> {
    let mut cases = Vec::new();
    for (rsv, opcode) in [(1, TEXT), (2, TEXT), (3, TEXT), (4, TEXT), (5, BINARY), (6, PING), (7, CLOSE)] {
        let number = format!("3.{rsv}");
        let line = line(&number, 0);
        let payload = if opcode == TEXT { line.as_bytes() } else { b"" };
        let wrong = frame(FIN | rsv << 4 | opcode, payload);
        cases.push(match rsv {
            1 => Case::new(number, [wrong], VIOLATION),
            4 => Case::new(number, [text(&line), wrong, ping(b"")], VIOLATION).keeps(&[&line]).in_pieces_of(1),
            _ => Case::new(number, [text(&line), wrong, ping(b"")], VIOLATION).keeps(&[&line]),
        });
    }
    for (group, opcodes) in [("4.1", 3..=7), ("4.2", 11..=15)] {
        for (at, opcode) in (1..).zip(opcodes) {
            let number = format!("{group}.{at}");
            let line = line(&number, 0);
            cases.push(match at {
                1 => Case::new(number, [frame(FIN | opcode, b"")], VIOLATION),
                2 => Case::new(number, [frame(FIN | opcode, b"reserved")], VIOLATION),
                3 => Case::new(number, [text(&line), frame(FIN | opcode, b""), ping(b"")], VIOLATION).keeps(&[&line]),
                _ => {
                    let says = [text(&line), frame(FIN | opcode, b"reserved"), ping(b"")];
                    Case::new(number, says, VIOLATION).keeps(&[&line]).in_pieces_of(if at == 5 { 1 } else { 4 })
                }
            });
        }
    }
    cases
}

/// 5.*: messages in fragments, and control frames between them.
fn fragmentation() -> Vec<Case> {
    let mut cases = vec![
        Case::new("5.1", [frame(PING, b"fragment1"), frame(FIN | CONTINUATION, b"fragment2")], VIOLATION),
        Case::new("5.2", [frame(PONG, b"fragment1"), frame(FIN | CONTINUATION, b"fragment2")], VIOLATION),
    ];
    for (number, has_ping, piece) in [
        ("5.3", false, usize::MAX),
        ("5.4", false, 16),
        ("5.5", false, 1),
        ("5.6", true, usize::MAX),
        ("5.7", true, 16),
        ("5.8", true, 1),
    ] {
        let line = line(number, 0);
        let mut says = fragments(line.as_bytes(), line.len() / 2 + 1);
        if has_ping {
            says.insert(1, ping(b"ping"));
        }
        let pongs: &[&[u8]] = if has_ping { &[b"ping"] } else { &[] };
        cases.push(Case::new(number, says, Ends::Open).keeps(&[&line]).pongs(pongs).in_pieces_of(piece));
    }
    for (number, fin, piece) in [
        ("5.9", FIN, usize::MAX),
        ("5.10", FIN, 16),
        ("5.11", FIN, 1),
        ("5.12", 0, usize::MAX),
        ("5.13", 0, 16),
        ("5.14", 0, 1),
    ] {
        let says = [frame(fin | CONTINUATION, b"non-continuation payload"), text(&line(number, 0))];
        cases.push(Case::new(number, says, VIOLATION).in_pieces_of(piece));
    }
    let whole = line("5.15", 0);
    let mut says = fragments(whole.as_bytes(), 9);
    says.extend([frame(CONTINUATION, b"fragment3"), text(&line("5.15", 40))]);
    cases.push(Case::new("5.15", says, VIOLATION).keeps(&[&whole]));
    for (number, fin) in [("5.16", 0), ("5.17", FIN)] {
        let says = [frame(fin | CONTINUATION, b"fragment1"), frame(TEXT, b"fragment2"), frame(FIN, b"fragment3")];
        cases.push(Case::new(number, says, VIOLATION));
    }
    cases.push(Case::new("5.18", [frame(TEXT, b"fragment1"), frame(FIN | TEXT, b"fragment2")], VIOLATION));
    for (number, piece) in [("5.19", usize::MAX), ("5.20", 7)] {
        let line = line(number, 60);
        let mut says = fragments(line.as_bytes(), 12);
        says.insert(4, ping(b"pongme 2!"));
        says.insert(2, ping(b"pongme 1!"));
        let case = Case::new(number, says, Ends::Open).keeps(&[&line]);
        cases.push(case.pongs(&[b"pongme 1!", b"pongme 2!"]).in_pieces_of(piece));
    }
    cases
}

/// 7.*: closing, with good codes and bad ones, and what comes behind it.
fn closing() -> Vec<Case> {
    let line = |number| line(number, 0);
    let normal = || close(&status(1000, b""));
    let mut cases = vec![
        Case::new("7.1.1", [text(&line("7.1.1")), normal()], Ends::Closed(1000)).keeps(&[&line("7.1.1")]),
        Case::new("7.1.2", [normal(), normal()], Ends::Closed(1000)),
        Case::new("7.1.3", [normal(), ping(b"")], Ends::Closed(1000)),
        Case::new("7.1.4", [normal(), text(&line("7.1.4"))], Ends::Closed(1000)),
        Case::new("7.1.5", [frame(TEXT, b"[1,"), normal(), frame(FIN, b"null,1,1]")], Ends::Closed(1000)),
    ];
    let long = self::line("7.1.6", 256 << 10);
    cases.push(Case::new("7.1.6", [text(&long), normal(), ping(b"")], Ends::Closed(1000)).keeps(&[&long]));
    cases.extend([
        Case::new("7.3.1", [close(b"")], Ends::Closed(1005)),
        Case::new("7.3.2", [close(b"a")], VIOLATION),
        Case::new("7.3.3", [normal()], Ends::Closed(1000)),
        Case::new("7.3.4", [close(&status(1000, b"Hello World!"))], Ends::Closed(1000)),
        Case::new("7.3.5", [close(&status(1000, &[b'*'; 123]))], Ends::Closed(1000)),
        Case::new("7.3.6", [close(&status(1000, &[b'*'; 124]))], VIOLATION),
        Case::new("7.5.1", [close(&status(1000, b"\xce\xba\xed\xa0\x80edited"))], NOT_UTF8),
    ]);
    let good = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999];
    for (at, code) in (1..).zip(good) {
        cases.push(Case::new(format!("7.7.{at}"), [close(&status(code, b""))], Ends::Closed(code)));
    }
    for (at, code) in (1..).zip([0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999]) {
        cases.push(Case::new(format!("7.9.{at}"), [close(&status(code, b""))], VIOLATION));
    }
    for (at, code) in (1..).zip([5000, 65_535]) {
        cases.push(Case::new(format!("7.13.{at}"), [close(&status(code, b""))], VIOLATION));
    }
    cases
}

/// 9.* and 10.*: long messages, as many fragments as one likes; and what Autobahn's client never does: frames without a mask
/// (section 5.1), lengths that are not the shortest, or that nobody can have.
fn beyond() -> Vec<Case> {
    let mut cases = Vec::new();
    for (number, length, fragment) in
        [("9.1.2", 256 << 10, usize::MAX), ("9.3.1", 256 << 10, 64), ("10.1.1", 65_536, 1300)]
    {
        let line = line(number, length);
        let says = fragments(line.as_bytes(), fragment.min(length));
        cases.push(Case::new(number, says, Ends::Open).keeps(&[&line]));
    }
    let unmasked = |first: u8, payload: &[u8]| [&[first, payload.len() as u8], payload].concat();
    let plain = line("unmasked", 0);
    cases.push(Case::new("unmasked text", [unmasked(FIN | TEXT, plain.as_bytes())], VIOLATION));
    cases.push(Case::new("unmasked ping", [unmasked(FIN | PING, b"")], VIOLATION));
    cases.push(Case::new("unmasked close", [unmasked(FIN | CLOSE, &status(1000, b""))], VIOLATION));
    let mut huge = vec![FIN | TEXT, 0xff];
    huge.extend_from_slice(&u64::MAX.to_be_bytes());
    huge.extend_from_slice(&[0; 4]);
    cases.push(Case::new("a length of 2^64-1", [huge], Ends::Failed(&[1002, 1009])));
    let mut long = vec![FIN | TEXT, 0xff];
    long.extend_from_slice(&(1_u64 << 40).to_be_bytes());
    long.extend_from_slice(&[0; 4]);
    cases.push(Case::new("a length of 1 TiB", [long], Ends::Failed(&[1009])));
    let many = std::iter::once(frame(TEXT, b"")).chain((0..2_000).map(|_| frame(CONTINUATION, &[b' '; 4_096])));
    cases.push(Case::new("a message without an end", many, Ends::Failed(&[1009])));
    cases
}
