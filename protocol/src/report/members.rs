//! [`Held`]: the members of an entry as a decoder holds them, and how a delta changes them.
//!
//! A session has a thousand members, nearly all of them numbers, and each report changes a third. So the values of an entry lie in one
//! text, side by side, and what is held of each besides is eight bytes: a processor that comes back to a session after a second finds
//! it in few places.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::json::{Kind, Members, RawValue};
use crate::tables::Property;

/// What a member takes besides its text.
pub(super) const MEMBER_OVERHEAD: usize = size_of::<Place>();

/// A little more may be reserved than is used.
const ROOM: usize = 16;

/// The members of one entry.
#[derive(Debug, Clone, Default)]
pub(super) struct Held {
    places: Vec<Place>,
    /// The values, one after the other.
    text: String,
    /// Names that have no token, by number.
    others: Vec<Box<str>>,
    /// What all of `others` take.
    other_bytes: usize,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    name: Name,
    /// Where the value ends; it begins where the one before ends.
    end: u32,
}

/// A property's index, or the number of another name, counted from 256.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Name(u32);

impl Name {
    const FIRST_OTHER: u32 = 256;

    fn of(property: Property) -> Self {
        Self(property.index() as u32)
    }
}

/// A name as it is looked for: resolved once.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key<'a> {
    Known(Property),
    Other(Cow<'a, str>),
}

impl<'a> Key<'a> {
    /// The name behind a delta's key.
    fn of_delta(key: Cow<'a, str>) -> Self {
        match Property::of_token(&key).or_else(|| Property::of_name(&key)) {
            Some(property) => Key::Known(property),
            None => Key::Other(key),
        }
    }

    /// A name by its full text.
    pub(super) fn of_name(name: &'a str) -> Self {
        Property::of_name(name).map_or(Key::Other(Cow::Borrowed(name)), Key::Known)
    }
}

/// A member as it is handed out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member<'a> {
    held: &'a Held,
    name: Name,
    pub(super) value: RawValue<'a>,
}

impl<'a> Member<'a> {
    /// `None` if its name has no token.
    pub(super) fn property(&self) -> Option<Property> {
        Property::at(self.name.0)
    }

    pub(super) fn name(&self) -> &'a str {
        match self.property() {
            Some(property) => property.name(),
            None => self.held.other(self.name),
        }
    }
}

/// What a delta makes of a member.
#[derive(Debug)]
enum Change<'a> {
    None,
    Gone,
    To(Cow<'a, str>),
}

/// What is used again by every entry.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    text: String,
}

impl Held {
    pub(super) fn iter(&self) -> impl Iterator<Item = Member<'_>> {
        let mut start = 0;
        self.places.iter().map(move |place| {
            let value = RawValue::slice(&self.text, start, place.end as usize);
            start = place.end as usize;
            Member { held: self, name: place.name, value }
        })
    }

    pub(super) fn get(&self, key: &Key<'_>) -> Option<RawValue<'_>> {
        let at = self.places.iter().position(|place| self.is(place.name, key))?;
        Some(RawValue::slice(&self.text, self.start(at), self.places.get(at)?.end as usize))
    }

    /// About how much memory they take.
    pub(super) fn bytes(&self) -> usize {
        self.text.len() + self.places.len() * MEMBER_OVERHEAD + self.other_bytes
    }

    fn start(&self, at: usize) -> usize {
        at.checked_sub(1).and_then(|before| self.places.get(before)).map_or(0, |place| place.end as usize)
    }

    fn other(&self, name: Name) -> &str {
        let number = name.0.checked_sub(Name::FIRST_OTHER);
        number.and_then(|number| self.others.get(number as usize)).map_or("", |name| &**name)
    }

    fn is(&self, name: Name, key: &Key<'_>) -> bool {
        match key {
            Key::Known(property) => name == Name::of(*property),
            Key::Other(other) => name.0 >= Name::FIRST_OTHER && self.other(name) == *other,
        }
    }

    fn key_at(&self, name: Name) -> Key<'static> {
        Property::at(name.0).map_or_else(|| Key::Other(Cow::Owned(self.other(name).to_owned())), Key::Known)
    }

    /// Room for the members of an entry that is new.
    pub(super) fn with_capacity(members: usize) -> Self {
        Self { places: Vec::with_capacity(members), ..Self::default() }
    }

    /// Applies members of a delta, names written with their quotes. What is about the entry itself is left to `own`, which says
    /// whether it is.
    pub(super) fn apply<'d>(
        &mut self,
        delta: impl Iterator<Item = (&'d str, RawValue<'d>)>,
        scratch: &mut Scratch,
        mut own: impl FnMut(&str, RawValue<'d>) -> bool,
    ) {
        let mut changes: Vec<Change<'d>> = Vec::with_capacity(self.places.len());
        let mut search = Search::default();
        for (name, value) in delta {
            let name = unquoted(name);
            if own(&name, value) {
                continue;
            }
            let key = Key::of_delta(name);
            let at = match search.find(self, &key) {
                Some(at) => at,
                None if value.is_null() => continue,
                None => self.append(key, &mut search),
            };
            search.guess = at + 1;
            changes.resize_with(changes.len().max(at + 1), || Change::None);
            let before = match changes.get(at) {
                Some(Change::To(text)) => text,
                Some(Change::Gone) => "",
                _ => self
                    .text
                    .get(self.start(at)..self.places.get(at).map_or(0, |place| place.end as usize))
                    .unwrap_or_default(),
            };
            let change = match value.kind() {
                Kind::Null => Change::Gone,
                Kind::Object => Change::To(merged(before, value).into()),
                _ => Change::To(value.text().into()),
            };
            if let Some(place) = changes.get_mut(at) {
                *place = change;
            }
        }
        if !changes.is_empty() {
            self.rebuild(changes, scratch);
        }
    }

    /// A member without a value, until the changes are made.
    fn append(&mut self, key: Key<'_>, search: &mut Search) -> usize {
        let name = match &key {
            Key::Known(property) => Name::of(*property),
            Key::Other(other) => {
                self.others.push((&**other).into());
                self.other_bytes += bytes_of(other);
                Name(Name::FIRST_OTHER + self.others.len() as u32 - 1)
            }
        };
        let at = self.places.len();
        search.added(&key, at);
        self.places.push(Place { name, end: self.text.len() as u32 });
        at
    }

    fn rebuild(&mut self, changes: Vec<Change<'_>>, scratch: &mut Scratch) {
        let text = &mut scratch.text;
        text.clear();
        let (mut start, mut is_any_gone) = (0, false);
        let mut changes = changes.into_iter();
        for place in &mut self.places {
            let end = place.end as usize;
            match changes.next().unwrap_or(Change::None) {
                Change::None => text.push_str(self.text.get(start..end).unwrap_or_default()),
                Change::To(value) => text.push_str(&value),
                // No value is empty, so what is gone can be told from what stays.
                Change::Gone => is_any_gone = true,
            }
            start = end;
            place.end = text.len() as u32;
        }
        self.text.clear();
        self.text.push_str(text);
        if is_any_gone {
            self.forget_gone();
        }
        // What is held is what is counted.
        if self.text.capacity() > 2 * self.text.len() + ROOM {
            self.text.shrink_to_fit();
        }
        if self.places.capacity() > 2 * self.places.len() + ROOM {
            self.places.shrink_to_fit();
        }
    }

    /// Gives up the places of members without a value, and the names that nobody has any more.
    fn forget_gone(&mut self) {
        let mut before = 0;
        let mut others = std::mem::take(&mut self.others);
        self.other_bytes = 0;
        self.places.retain_mut(|place| {
            let stays = std::mem::replace(&mut before, place.end) < place.end;
            if stays && let Some(number) = place.name.0.checked_sub(Name::FIRST_OTHER) {
                place.name = Name(Name::FIRST_OTHER + self.others.len() as u32);
                let name = others.get_mut(number as usize).map(std::mem::take).unwrap_or_default();
                self.other_bytes += bytes_of(&name);
                self.others.push(name);
            }
            stays
        });
    }
}

/// Where the members of an entry are. Deltas name them in the order in which they are kept, so a guess is almost always
/// right and a short search is next. Only a delta with very many members pays for an index: it would take time that
/// grows with the square of its length otherwise.
#[derive(Default)]
struct Search {
    guess: usize,
    searches: usize,
    index: Option<HashMap<Key<'static>, usize>>,
}

impl Search {
    /// So many searches through all members are cheaper than an index.
    const SEARCHES: usize = 64;

    fn find(&mut self, held: &Held, key: &Key<'_>) -> Option<usize> {
        if held.places.get(self.guess).is_some_and(|place| held.is(place.name, key)) {
            return Some(self.guess);
        }
        if let Some(index) = &self.index {
            return index.get(key).copied();
        }
        self.searches += 1;
        if self.searches > Self::SEARCHES {
            let places = held.places.iter().enumerate().map(|(at, place)| (held.key_at(place.name), at));
            return self.index.insert(places.collect()).get(key).copied();
        }
        // What a delta leaves out did not change: the one sought is as a rule a little further on.
        let behind = held.places.get(self.guess..).unwrap_or_default();
        let found = behind.iter().position(|place| held.is(place.name, key)).map(|at| self.guess + at);
        found.or_else(|| held.places.iter().take(self.guess).position(|place| held.is(place.name, key)))
    }

    /// A member was appended.
    fn added(&mut self, key: &Key<'_>, at: usize) {
        if let Some(index) = &mut self.index {
            let key = match key {
                Key::Known(property) => Key::Known(*property),
                Key::Other(name) => Key::Other(Cow::Owned(name.clone().into_owned())),
            };
            index.insert(key, at);
        }
    }
}

/// What a name that is held takes.
fn bytes_of(name: &str) -> usize {
    size_of::<Box<str>>() + name.len()
}

/// The text of a name that is written with its quotes.
pub(super) fn unquoted(name: &str) -> Cow<'_, str> {
    RawValue::slice(name, 0, name.len()).as_str().unwrap_or_default()
}

/// Two objects merged key by key; of what is no object nothing stays.
fn merged(old: &str, delta: RawValue<'_>) -> String {
    let base = if old.starts_with('{') { RawValue::slice(old, 0, old.len()) } else { RawValue::EMPTY_OBJECT };
    let (old_keys, new_keys) = (Keys::of(base), Keys::of(delta));
    let mut text = String::with_capacity(old.len() + delta.text().len());
    text.push('{');
    let mut members: Members<'_> = base.members();
    while let Some((name, value)) = members.next_raw() {
        match new_keys.get(name) {
            Some(changed) if changed.is_null() => {}
            Some(changed) => push_member(&mut text, name, changed),
            None => push_member(&mut text, name, value),
        }
    }
    let mut members = delta.members();
    while let Some((name, value)) = members.next_raw() {
        if !value.is_null() && old_keys.get(name).is_none() {
            push_member(&mut text, name, value);
        }
    }
    text.push('}');
    text
}

fn push_member(text: &mut String, quoted_name: &str, value: RawValue<'_>) {
    if text.len() > 1 {
        text.push(',');
    }
    text.push_str(quoted_name);
    text.push(':');
    text.push_str(value.text());
}

/// An object whose members are asked for one by one. Those of real reports have three or four; searching a large one
/// again and again would take time that grows with the square of its length.
enum Keys<'a> {
    Few(RawValue<'a>),
    Many(HashMap<&'a str, RawValue<'a>>),
}

impl<'a> Keys<'a> {
    /// Bytes of the longest text that is searched rather than indexed.
    const SHORT: usize = 512;

    fn of(object: RawValue<'a>) -> Self {
        if object.text().len() <= Self::SHORT {
            return Self::Few(object);
        }
        let mut all = HashMap::new();
        let mut members = object.members();
        while let Some((name, value)) = members.next_raw() {
            all.insert(name, value);
        }
        Self::Many(all)
    }

    /// The member whose name is written exactly so; the last one, if it stands there twice.
    fn get(&self, quoted_name: &str) -> Option<RawValue<'a>> {
        let object = match self {
            Self::Few(object) => object,
            Self::Many(all) => return all.get(quoted_name).copied(),
        };
        let mut found = None;
        let mut members = object.members();
        while let Some((name, value)) = members.next_raw() {
            if name == quoted_name {
                found = Some(value);
            }
        }
        found
    }
}
