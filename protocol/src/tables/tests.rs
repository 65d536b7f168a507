use super::*;
use rows::{METHODS, PROPERTIES, STATS_TYPES};

fn published() -> serde_json::Value {
    serde_json::from_str(include_str!("../../../tests/fixtures/rtcstats-tables.json")).unwrap()
}

fn rows(published: &serde_json::Value) -> Vec<(String, u8)> {
    let object = published.as_object().into_iter().flatten();
    object.filter_map(|(name, token)| Some((name.clone(), u8::try_from(token.as_u64()?).ok()?))).collect()
}

fn own(table: &[(&str, u8)]) -> Vec<(String, u8)> {
    let mut rows: Vec<_> = table.iter().map(|(name, token)| ((*name).to_owned(), *token)).collect();
    rows.sort();
    rows
}

#[test]
fn the_tables_are_the_published_ones() {
    let published = published();
    for (section, table) in [
        ("/methods/encode", METHODS),
        ("/methods/decode_only", METHODS_READ_ONLY),
        ("/stats_types/encode", STATS_TYPES),
        ("/stats_properties/encode", PROPERTIES),
        ("/stats_properties/decode_only", PROPERTIES_READ_ONLY),
    ] {
        let mut expected = rows(published.pointer(section).unwrap());
        expected.sort();
        assert_eq!(own(table), expected, "{section}");
    }
    assert_eq!(published["methods"]["encode"]["getStats"], "g");
    assert_eq!(published["stats_properties"]["encode"]["timestamp"], "t");
}

#[test]
fn every_name_and_every_token_is_found() {
    for (table, rows) in [
        (&METHOD_TABLE, [METHODS, METHODS_READ_ONLY]),
        (&TYPE_TABLE, [STATS_TYPES, &[]]),
        (&PROPERTY_TABLE, [PROPERTIES, PROPERTIES_READ_ONLY]),
    ] {
        for (name, token) in rows.into_iter().flatten() {
            assert_eq!(table.token(name), Some(*token));
            assert_eq!(table.name(*token), Some(*name));
        }
        assert_eq!(table.token("nothing"), None);
        assert_eq!(table.name(0), None);
        assert_eq!(table.name(250), None);
    }
    assert!(Property::of_name("psnrSum").unwrap().token().is_none(), "read-only tokens are not sent");
    assert_eq!(Property::of_token("168").unwrap().name(), "psnrSum");
    assert_eq!(Property::of_token("014"), None);
}
