//! What a report costs to encode, to read as a line, and to decode: real calls, every report once per iteration.

#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs::File;
use std::hint::black_box;
use std::io::{BufRead, BufReader};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use flate2::read::GzDecoder;
use rtctrace_protocol::event::SessionDecoder;
use rtctrace_protocol::json::RawValue;
use rtctrace_protocol::line::{Line, write_line};
use rtctrace_protocol::privacy::Obfuscator;
use rtctrace_protocol::report::ReportEncoder;

/// The reports of a recording: the connection's id, and the text of `JSON.stringify`.
fn reports(name: &str) -> Vec<(String, String)> {
    let path = format!("{}/../tests/fixtures/recordings/{name}.raw-getstats.jsonl.gz", env!("CARGO_MANIFEST_DIR"));
    let lines = BufReader::new(GzDecoder::new(File::open(path).unwrap())).lines();
    let pairs = lines.map(|line| {
        let line = line.unwrap();
        let pair = RawValue::parse(&line).unwrap();
        (pair.at(0).unwrap().as_str().unwrap().into_owned(), pair.at(1).unwrap().text().to_owned())
    });
    pairs.collect()
}

fn encode(reports: &[(String, String)]) -> Vec<String> {
    let mut encoders: BTreeMap<&str, ReportEncoder> = BTreeMap::new();
    let lines = reports.iter().map(|(connection, report)| {
        let mut delta = String::new();
        encoders.entry(connection).or_default().encode(report, &mut delta).unwrap();
        let mut line = String::with_capacity(delta.len() + 48);
        write_line(&mut line, "getStats", Some(connection), &delta, &[], 1000.0);
        line
    });
    lines.collect()
}

fn codec(criterion: &mut Criterion) {
    for (name, recording) in [("audio and video", "loopback-av-60s"), ("20 videos", "loopback-20video-60s")] {
        let reports = reports(recording);
        let lines = encode(&reports);
        let mut group = criterion.benchmark_group(name);
        group.sample_size(20);
        // Time by report.
        group.throughput(Throughput::Elements(reports.len() as u64));
        group.bench_function("encode", |bencher| bencher.iter(|| black_box(encode(&reports))));
        group.bench_function("parse lines", |bencher| {
            bencher.iter(|| lines.iter().map(|line| Line::parse(black_box(line)).unwrap().delta()).sum::<f64>());
        });
        group.bench_function("decode", |bencher| {
            bencher.iter_batched_ref(
                SessionDecoder::new,
                |decoder| {
                    for line in &lines {
                        black_box(decoder.decode(line).unwrap().time);
                    }
                },
                BatchSize::LargeInput,
            );
        });
        group.finish();
    }
}

/// What the collector does with every line on its way in: the reports of the recording that `rtctrace load` sends.
fn intake(criterion: &mut Criterion) {
    let path = format!("{}/../server/src/tools/load/recording.jsonl.gz", env!("CARGO_MANIFEST_DIR"));
    let lines = BufReader::new(GzDecoder::new(File::open(path).unwrap())).lines().map(Result::unwrap);
    let lines: Vec<String> = lines.filter(|line| line.starts_with("[\"g\"")).collect();
    let parsed: Vec<Line<'_>> = lines.iter().map(|line| Line::parse(line).unwrap()).collect();
    let mut group = criterion.benchmark_group("a report line");
    // Time by line.
    group.throughput(Throughput::Elements(lines.len() as u64));
    group.bench_function("parse", |bencher| {
        bencher.iter(|| lines.iter().map(|line| Line::parse(black_box(line)).unwrap().delta()).sum::<f64>());
    });
    group.bench_function("split a valid one", |bencher| {
        bencher.iter(|| lines.iter().map(|line| Line::of_valid(black_box(line)).unwrap().delta()).sum::<f64>());
    });
    let mut obfuscator = Obfuscator::new();
    let mut out = String::new();
    let quiet: Vec<&Line<'_>> = parsed.iter().filter(|line| !obfuscator.rewrite(line, &mut out)).collect();
    group.throughput(Throughput::Elements(quiet.len() as u64));
    group.bench_function("rewrite, with nothing to hide", |bencher| {
        bencher.iter(|| quiet.iter().filter(|line| obfuscator.rewrite(black_box(line), &mut out)).count());
    });
    group.finish();
}

criterion_group!(benches, codec, intake);
criterion_main!(benches);
