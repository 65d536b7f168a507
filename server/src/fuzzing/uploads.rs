//! An input as an upload of dumps: as it is or packed, alone or in a form, of known length or in chunks.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use super::client::Client;
use super::rules;
use super::script::NEXT;
use super::world::{self, World, until};

/// Bits of the first byte: the body is a form; its parts are made here, from what stands between separators; what is to be
/// taken in is packed here; it travels in chunks.
const FORM: u8 = 1;
const PARTS: u8 = 2;
const PACKED: u8 = 4;
const CHUNKS: u8 = 8;

/// Takes an input.
pub(super) fn run(input: &[u8]) {
    let [how, content @ ..] = input else { return };
    let how = *how;
    world::with(|world| async move { upload(&world, how, content).await });
}

async fn upload(world: &World, how: u8, content: &[u8]) {
    let is = |bit| how & bit != 0;
    let pack = |bytes: &[u8]| if is(PACKED) { gzip(bytes) } else { bytes.to_vec() };
    let body = match (is(FORM), is(PARTS)) {
        (true, true) => form(content.split(|byte| *byte == NEXT).map(pack)),
        (true, false) => content.to_vec(),
        (false, _) => pack(content),
    };
    let kind = if is(FORM) { "multipart/form-data; boundary=x" } else { "application/octet-stream" };
    let mut head = format!("POST /api/v1/dumps HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: {kind}\r\n");
    let mut sent = Vec::new();
    if is(CHUNKS) {
        head.push_str("Transfer-Encoding: chunked\r\n\r\n");
        for chunk in body.chunks(97) {
            write!(sent, "{:x}\r\n", chunk.len()).unwrap();
            sent.extend_from_slice(chunk);
            sent.extend_from_slice(b"\r\n");
        }
        sent.extend_from_slice(b"0\r\n\r\n");
    } else {
        head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        sent = body;
    }

    let running = world.start();
    let answer = Client::connect(world, &running.app).ask(&head, &sent).await;
    let text = String::from_utf8_lossy(&answer.body);
    assert!(matches!(answer.status, 201 | 400 | 409 | 413 | 422), "an upload is answered {}: {text}", answer.status);
    let said: Value = serde_json::from_slice(json_of(&answer.body)).unwrap();
    assert_eq!(world.files("import"), [""; 0], "an upload leaves nothing behind");
    // What came before a part that is refused is taken in all the same.
    until("what was taken in is stored", || running.app.registry.held_now().is_empty()).await;
    assert_eq!(world.files("spool"), [""; 0]);
    running.stop();
    let stored = rules::stored(world).await;
    if answer.status == 201 {
        let taken = said["dumps"].as_array().unwrap();
        assert_eq!(taken.len(), stored.len());
        for dump in taken {
            let id = dump["session"].as_str().unwrap();
            let (_, text) = stored.iter().find(|(stored, _)| stored.to_string() == id).unwrap();
            assert_eq!(dump["lines"].as_u64(), Some(rules::lines_of(text).len() as u64));
        }
    }
}

/// The body of an answer, of which hyper may make chunks.
fn json_of(body: &[u8]) -> &[u8] {
    let start = body.iter().position(|byte| *byte == b'{').unwrap();
    let end = body.iter().rposition(|byte| *byte == b'}').unwrap();
    &body[start..=end]
}

fn form(files: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut body = Vec::new();
    for file in files {
        body.extend_from_slice(b"--x\r\nContent-Disposition: form-data; name=\"dump\"; filename=\"a.jsonl\"\r\n\r\n");
        body.extend_from_slice(&file);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--x--\r\n");
    body
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// What a search begins with.
pub(super) fn seeds() -> Vec<Vec<u8>> {
    let dumps = super::seeds::dumps();
    let mut seeds = Vec::new();
    for dump in &dumps {
        for how in [0, PACKED, CHUNKS] {
            seeds.push([&[how][..], dump].concat());
        }
        // What is packed already, so that a search has the compression in its hands.
        seeds.push([&[0][..], &gzip(dump)].concat());
        seeds.push([&[FORM | CHUNKS][..], &form([dump.clone(), gzip(dump)].into_iter())].concat());
    }
    seeds.push([&[FORM | PARTS][..], &dumps.join(&NEXT)].concat());
    seeds.push([&[FORM | PARTS | PACKED][..], &dumps.join(&NEXT)].concat());
    seeds
}
