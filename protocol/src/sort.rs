//! Sorting in little code. The sorts of the standard library are made anew for every type, some kilobytes each, which the viewer downloads.

use alloc::vec::Vec;
use core::cmp::Ordering;

/// Puts items in order; what is equal keeps its order.
pub fn sorted_by<T>(mut items: Vec<T>, compare: impl Fn(&T, &T) -> Ordering) -> Vec<T> {
    let places = places(items.len(), &|a, b| match (items.get(*a), items.get(*b)) {
        (Some(one), Some(other)) => compare(one, other).then(a.cmp(b)),
        _ => a.cmp(b),
    });
    arrange(places, &mut |a, b| items.swap(a, b));
    items
}

/// Has each item, wherever it is, brought to its place: `places` says from where.
fn arrange(mut places: Vec<usize>, swap: &mut dyn FnMut(usize, usize)) {
    for start in 0..places.len() {
        let mut at = start;
        // Each item of a circle goes where the one before it was.
        while let Some(place) = places.get_mut(at) {
            let from = core::mem::replace(place, at);
            if from == start {
                break;
            }
            swap(at, from);
            at = from;
        }
    }
}

fn places(count: usize, compare: &dyn Fn(&usize, &usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).collect();
    places.sort_unstable_by(compare);
    places
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_sorts_as_the_standard_library_does(items in prop::collection::vec((0..9_u8, any::<u8>()), 0..200)) {
            let mut expected = items.clone();
            expected.sort_by_key(|(key, _)| *key);
            prop_assert_eq!(sorted_by(items, |(a, _), (b, _)| a.cmp(b)), expected);
        }
    }
}
