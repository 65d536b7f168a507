//! The scanner held against serde_json, and the small parts against the standard library.

use proptest::prelude::*;
use serde::de::IgnoredAny;

use super::scan::scan_value;
use super::skip::skip_value;
use super::*;

/// Text that is often nearly JSON.
fn text() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\"a\"",
        "\"b\\n\"",
        "\"\\u00e9\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud800\"",
        "null",
        "true",
        "false",
        "0",
        "-1",
        "1.5",
        "2e3",
        "-0.0E-7",
        "01",
        "1.",
        ".5",
        "+1",
        "nul",
        " ",
        "\n",
        "\u{1}",
        "\u{e9}",
        "\u{1f600}",
        "\"id\":",
        "\"x\":{",
        "},",
        "],",
    ]);
    prop_oneof![
        3 => prop::collection::vec(token, 0..12).prop_map(|tokens| tokens.concat()),
        1 => ".{0,40}",
    ]
}

/// A valid value, as text, with white space here and there.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|flag| flag.to_string()),
        any::<f64>()
            .prop_filter("finite", |number| number.is_finite())
            .prop_map(|number| serde_json::json!(number).to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        ".{0,12}".prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        let space = prop::sample::select(vec!["", " ", "\n\t"]);
        prop_oneof![
            (prop::collection::vec(inner.clone(), 0..5), space.clone()).prop_map(|(values, space)| {
                format!("[{space}{}{space}]", values.join(&format!("{space},{space}")))
            }),
            (prop::collection::btree_map(".{0,6}", inner, 0..5), space).prop_map(|(members, space)| {
                let members: Vec<String> = members
                    .iter()
                    .map(|(name, value)| {
                        format!("{space}{}{space}:{space}{value}", serde_json::to_string(name).unwrap())
                    })
                    .collect();
                format!("{{{}{space}}}", members.join(","))
            }),
        ]
    })
}

/// Members as a report's deltas have them, most of them well formed, each with what follows it.
fn members() -> impl Strategy<Value = Vec<String>> {
    let name = prop_oneof![
        9 => "\"[0-9]{1,3}\":",
        1 => prop::sample::select(vec!["\"id\":", "\"1234\":", "\"1a\":", "\"\":", "\"12\"", "\"12:", "12\":", "\"\\u0031\":", ""]).prop_map(str::to_owned),
    ];
    let value = prop_oneof![
        6 => "(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?",
        2 => "-?[0-9]{1,9}(\\.[0-9]{0,9})?([eE][+-]?[0-9]{0,3})?",
        2 => prop::sample::select(vec!["\"a\"", "null", "{", "{}", "[1]", "[", "1.2.3", "12e", "1-2", ".5", "1/2", "1:2", ""]).prop_map(str::to_owned),
    ];
    let end = prop_oneof![
        9 => Just(",".to_owned()),
        1 => prop::sample::select(vec!["", "}", "},", "}},", "]", ",,", "\u{e9}", "x", "\n,"]).prop_map(str::to_owned),
    ];
    let member = (name, value, end).prop_map(|(name, value, end)| format!("{name}{value}{end}"));
    prop::collection::vec(member, 0..12)
}

/// Rebuilds the value through the borrowing accessors alone.
fn rebuilt(value: RawValue<'_>) -> serde_json::Value {
    match value.kind() {
        Kind::Null => serde_json::Value::Null,
        Kind::Bool => value.as_bool().unwrap().into(),
        Kind::Number => serde_json::from_str(value.text()).unwrap(),
        Kind::String => value.as_str().unwrap().into_owned().into(),
        Kind::Array => value.elements().map(rebuilt).collect(),
        Kind::Object => value.members().map(|(name, value)| (name.into_owned(), rebuilt(value))).collect(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// Short decimals are read without the standard library's parser.
    #[test]
    fn a_number_is_the_double_next_to_its_decimal(text in "-?(0|[1-9][0-9]{0,17})(\\.[0-9]{1,17})?(e-?[0-9]{1,3})?") {
        let number = RawValue::parse(&text).unwrap().as_f64();
        let expected = text.parse::<f64>().unwrap();
        prop_assert_eq!(number.map(f64::to_bits), Some(expected).filter(|number| number.is_finite()).map(f64::to_bits));
    }

    /// A value within a text that has not been validated may be anything.
    #[test]
    fn what_is_no_number_is_none(text in "[0-9.]{0,6}[.x\" ]?[0-9]{0,3}") {
        let json = serde_json::from_str::<serde_json::Value>(&text).ok().and_then(|value| value.as_f64());
        if let Ok(value) = RawValue::parse(&text) {
            prop_assert_eq!(value.as_f64(), json);
        }
    }
}

proptest! {
    #[test]
    fn a_text_is_json_exactly_when_serde_json_says_so(text in text()) {
        let ours = RawValue::parse(&text);
        prop_assert_eq!(ours.is_ok(), serde_json::from_str::<IgnoredAny>(&text).is_ok(), "{:?}", ours);
    }

    #[test]
    fn members_are_found_and_refused_alike_with_white_space_before_them(members in members(), end in "[0-9]?\\}{0,2}") {
        let text = format!("{{{}{end}", members.concat());
        let ours = RawValue::parse(&text).err();
        prop_assert_eq!(ours.is_none(), serde_json::from_str::<IgnoredAny>(&text).is_ok(), "{:?}", ours);
        // What is not right behind a bracket or a comma is looked at byte by byte. Anywhere else white space would part a number.
        let mut spaced = "{".to_owned();
        for member in &members {
            if spaced.ends_with(['{', '[', ',']) {
                spaced.push(' ');
            }
            spaced.push_str(member);
        }
        spaced.push_str(&end);
        let theirs = RawValue::parse(&spaced).err().map(|error| {
            let spaces = spaced.bytes().take(error.offset).filter(|byte| *byte == b' ').count();
            JsonError { offset: error.offset - spaces, ..error }
        });
        prop_assert_eq!(ours, theirs);
    }

    #[test]
    fn a_value_is_skipped_to_where_it_ends(json in json(), wrap in 0..3_usize, behind in "[\\]},\"\\\\a-z]{0,40}") {
        let json = match wrap {
            0 => json,
            1 => format!("{{\"a\":[{json}]}}"),
            _ => format!("[{json},{{\"\\\"}}\":{json}}}]"),
        };
        let text = format!("{json},{behind}");
        let end = scan_value(text.as_bytes(), 0).unwrap();
        prop_assert_eq!(skip_value(text.as_bytes(), 0), end);
    }

    #[test]
    fn every_value_is_reached_and_equal(json in json()) {
        let value = RawValue::parse(&json).unwrap();
        prop_assert_eq!(rebuilt(value), serde_json::from_str::<serde_json::Value>(&json).unwrap());
    }

    #[test]
    fn any_accessor_is_harmless_on_any_value(json in json(), index in 0..9_usize) {
        let value = RawValue::parse(&json).unwrap();
        let _ = (value.as_f64(), value.as_i64(), value.as_u64(), value.as_bool(), value.truthy(), value.at(index), value.get("a"));
    }

    #[test]
    fn strings_are_written_as_serde_json_writes_them(text in any::<String>()) {
        let mut out = String::new();
        write_string(&mut out, &text);
        prop_assert_eq!(&out, &serde_json::to_string(&text).unwrap());
        prop_assert_eq!(RawValue::parse(&out).unwrap().as_str().unwrap(), text);
    }

    #[test]
    fn numbers_keep_their_value_in_fewer_bytes(number in any::<f64>().prop_filter("finite", |number| number.is_finite()), scale in -12..4_i32) {
        for number in [number, (number % 1000.0) * 10_f64.powi(scale)] {
            let text = format!("{number}");
            let mut out = Out::default();
            out.scalar(&text, 0, text.len());
            let short = out.text();
            prop_assert!(short.len() <= text.len());
            prop_assert_eq!(short.parse::<f64>().unwrap(), number);
            prop_assert!(RawValue::parse(short).is_ok());
        }
    }

    #[test]
    fn a_common_prefix_ends_where_the_texts_differ(a in "[ab]{0,40}", b in "[ab]{0,40}", a_at in 0..4_usize, b_at in 0..4_usize) {
        let tail = |text: &str, at: usize| text.bytes().skip(at).collect::<Vec<u8>>();
        let expected = tail(&a, a_at).iter().zip(&tail(&b, b_at)).take_while(|(x, y)| x == y).count();
        prop_assert_eq!(common_prefix(a.as_bytes(), a_at, b.as_bytes(), b_at), expected);
    }

    #[test]
    fn pieces_are_joined(pieces in prop::collection::vec((".{0,30}", any::<u32>()), 0..9)) {
        let mut out = Out::default();
        let mut expected = String::new();
        for (text, number) in &pieces {
            out.text_of(text);
            out.number(*number);
            expected.push_str(&format!("{text}{number}"));
        }
        prop_assert_eq!(out.text(), expected.as_str());
    }

    #[test]
    fn integers_are_written(number: i64) {
        let mut out = String::new();
        write_i64(&mut out, number);
        prop_assert_eq!(out, number.to_string());
    }
}

#[test]
fn nesting_has_a_limit_and_no_stack() {
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    assert!(RawValue::parse(&nested(MAX_DEPTH)).is_ok());
    let error = RawValue::parse(&nested(MAX_DEPTH + 1)).unwrap_err();
    assert_eq!(error, JsonError { offset: MAX_DEPTH, kind: JsonErrorKind::TooDeep });
    assert!(RawValue::parse(&"[{\"a\":".repeat(1_000_000)).is_err());
}

#[test]
fn an_error_says_where_and_what() {
    for (text, offset, kind) in [
        ("", 0, JsonErrorKind::End),
        ("{\"a\" 1}", 5, JsonErrorKind::Unexpected),
        ("[1,]", 3, JsonErrorKind::Unexpected),
        ("01", 1, JsonErrorKind::BadNumber),
        ("\"\\x\"", 2, JsonErrorKind::BadString),
        ("\"abc", 4, JsonErrorKind::End),
        ("1 2", 2, JsonErrorKind::Trailing),
    ] {
        assert_eq!(RawValue::parse(text).unwrap_err(), JsonError { offset, kind }, "{text}");
    }
}

#[test]
fn the_last_of_two_equal_names_counts() {
    let value = RawValue::parse(r#"{"a":1,"a":2,"\u0061":3}"#).unwrap();
    assert_eq!(value.get("a").unwrap().as_i64(), Some(3));
    assert_eq!(RawValue::parse("9007199254740993").unwrap().as_i64(), Some(9_007_199_254_740_993));
    assert_eq!(RawValue::parse("3e2").unwrap().as_u64(), Some(300));
    assert_eq!(RawValue::parse("1e400").unwrap().as_f64(), None);
}
