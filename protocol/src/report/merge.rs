//! Two objects merged key by key: what a delta says about a member such as `qualityLimitationDurations`.

use std::collections::HashMap;

use crate::json::{Members, RawValue};

/// Appends `old` with what `delta` makes of it; of what is no object nothing stays.
pub(super) fn merge(old: &str, delta: RawValue<'_>, out: &mut String) {
    let base = if old.starts_with('{') { RawValue::slice(old, 0, old.len()) } else { RawValue::EMPTY_OBJECT };
    let start = out.len();
    out.push('{');
    if !merge_few(base, delta, start, out) {
        out.truncate(start + 1);
        merge_many(base, delta, start, out);
    }
    out.push('}');
}

/// So many keys are compared one by one. Deltas of real reports have one to three.
const FEW: usize = 4;

/// The same for a delta with few keys; false if it has more.
fn merge_few(base: RawValue<'_>, delta: RawValue<'_>, start: usize, out: &mut String) -> bool {
    let mut changes: [Option<(&str, RawValue<'_>)>; FEW] = [None; FEW];
    let mut is_new = [true; FEW];
    let mut members = delta.members();
    for place in &mut changes {
        *place = members.next_raw();
    }
    if members.next_raw().is_some() {
        return false;
    }
    let mut members = base.members();
    while let Some((name, value)) = members.next_raw() {
        let mut newest = value;
        let mut is_changed = false;
        for (change, is_new) in changes.iter().zip(&mut is_new) {
            if let Some((changed, value)) = change
                && *changed == name
            {
                (newest, is_changed, *is_new) = (*value, true, false);
            }
        }
        if !(is_changed && newest.is_null()) {
            push_member(out, start, name, newest);
        }
    }
    for (change, is_new) in changes.iter().zip(is_new) {
        if let Some((name, value)) = change
            && is_new
            && !value.is_null()
        {
            push_member(out, start, name, *value);
        }
    }
    true
}

fn merge_many(base: RawValue<'_>, delta: RawValue<'_>, start: usize, out: &mut String) {
    let (old_keys, new_keys) = (keys(base), keys(delta));
    let mut members: Members<'_> = base.members();
    while let Some((name, value)) = members.next_raw() {
        match new_keys.get(name) {
            Some(changed) if changed.is_null() => {}
            Some(changed) => push_member(out, start, name, *changed),
            None => push_member(out, start, name, value),
        }
    }
    let mut members = delta.members();
    while let Some((name, value)) = members.next_raw() {
        if !value.is_null() && !old_keys.contains_key(name) {
            push_member(out, start, name, value);
        }
    }
}

/// The members of an object by their names as they are written; the last one, if it stands there twice. Searching a large one
/// again and again would take time that grows with the square of its length.
fn keys(object: RawValue<'_>) -> HashMap<&str, RawValue<'_>> {
    let mut members = object.members();
    std::iter::from_fn(move || members.next_raw()).collect()
}

/// `start`: where the object begins.
fn push_member(out: &mut String, start: usize, quoted_name: &str, value: RawValue<'_>) {
    if out.len() > start + 1 {
        out.push(',');
    }
    out.push_str(quoted_name);
    out.push(':');
    out.push_str(value.text());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(old: &str, delta: &str) -> String {
        let mut out = "before".to_owned();
        merge(old, RawValue::parse(delta).unwrap(), &mut out);
        out.strip_prefix("before").unwrap().to_owned()
    }

    #[test]
    fn keys_are_replaced_in_their_places_and_new_ones_stand_behind() {
        assert_eq!(merged(r#"{"a":1,"b":2}"#, r#"{"c":5,"b":3}"#), r#"{"a":1,"b":3,"c":5}"#);
        assert_eq!(merged(r#"{"a":1,"b":2}"#, r#"{"a":null,"c":null}"#), r#"{"b":2}"#);
        assert_eq!(merged("7", r#"{"a":{}}"#), r#"{"a":{}}"#);
        assert_eq!(merged("", "{}"), "{}");
    }

    #[test]
    fn many_keys_are_merged_as_few_are() {
        let old = r#"{"a":1,"b":2,"c":3}"#;
        let few = merged(&merged(old, r#"{"a":9,"b":null}"#), r#"{"x":1,"y":null,"x":2}"#);
        assert_eq!(merged(old, r#"{"a":9,"b":null,"x":1,"y":null,"x":2}"#), few);
    }
}
