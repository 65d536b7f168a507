//! What a report costs from its line to the features: the recording of the load generator, its reports again and again in one
//! session, as a call goes on.

#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;
use std::io::Read;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use flate2::read::GzDecoder;
use rtctrace_features::FeatureExtractor;
use rtctrace_protocol::event::SessionDecoder;
use rtctrace_protocol::line::Line;

const RECORDING: &[u8] = include_bytes!("../../server/src/tools/load/recording.jsonl.gz");

fn reports(criterion: &mut Criterion) {
    let mut text = String::new();
    GzDecoder::new(RECORDING).read_to_string(&mut text).unwrap();
    let all: Vec<Line<'_>> = text.lines().skip(2).map(|line| Line::parse(line).unwrap()).collect();
    // Each of these is a delta to the one before, and the first of them sets what the last one did.
    let reports: Vec<_> = all.iter().filter(|line| line.method() == "getStats").skip(2).cloned().collect();
    let started = || {
        let (mut decoder, mut extractor) = (SessionDecoder::new(), FeatureExtractor::new());
        for line in &all {
            extractor.event(&decoder.decode_line(line).unwrap());
        }
        (decoder, extractor)
    };
    let mut group = criterion.benchmark_group("recording");
    // Time by report.
    group.throughput(Throughput::Elements(reports.len() as u64));
    let (mut decoder, _) = started();
    group.bench_function("decode", |bencher| {
        bencher.iter(|| {
            for line in &reports {
                black_box(decoder.decode_line(line).unwrap().time);
            }
        });
    });
    let (mut decoder, mut extractor) = started();
    group.bench_function("decode and extract features", |bencher| {
        bencher.iter(|| {
            for line in &reports {
                extractor.event(&decoder.decode_line(line).unwrap());
            }
        });
    });
    group.finish();
}

criterion_group!(benches, reports);
criterion_main!(benches);
