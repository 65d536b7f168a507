//! The JSON that features and findings write themselves is that of serde.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // A test fails by panicking, its helpers too.

mod common;

use serde_json::Value;

/// Equal, but for the last digits of fractions: they are parsed with less care than they are written.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, one)| other.get(name).is_some_and(|other| is_same(one, other)))
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Number(one), Value::Number(other)) => {
            let (one, other) = (one.as_f64().unwrap(), other.as_f64().unwrap());
            (one - other).abs() <= 1e-12 * other.abs()
        }
        _ => one == other,
    }
}

fn value(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"))
}

#[test]
fn it_says_the_same_of_recordings() {
    for name in ["rich-session.jsonl", "loopback-av-60s.jsonl"] {
        let lines = common::recording(name);
        let features = common::features_of(lines.lines());
        assert!(is_same(&value(&features.to_json()), &serde_json::to_value(&features).unwrap()), "{name}");
        let findings = common::findings_of(lines.lines());
        assert!(!findings.is_empty());
        for finding in findings {
            assert!(is_same(&value(&finding.to_json()), &serde_json::to_value(&finding).unwrap()), "{name}");
        }
    }
}

#[test]
fn it_says_the_same_of_texts_that_need_care() {
    let lines = [
        r#"["create",null,{"hardwareConcurrency":8,"screen":{"width":1},"own \"word\"":{"a":[1e3,null]},"\u00e9":"\ud83d\ude00"},1]"#,
        r#"["create","a \"b\"",{},1]"#,
        r#"["addTrack","a \"b\"",["audio","T\u0001","label"],1]"#,
        r#"["setRemoteDescriptionOnFailure","a \"b\"","OperationError: \"x\"\n",1]"#,
    ];
    let features = common::features_of(lines);
    assert_eq!(value(&features.to_json()), serde_json::to_value(&features).unwrap());
    let findings = common::findings_of(lines);
    assert!(!findings.is_empty());
    for finding in findings {
        assert_eq!(value(&finding.to_json()), serde_json::to_value(&finding).unwrap());
    }
}
