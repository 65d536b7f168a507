//! [`Members`]: the members of an entry as a decoder holds them. What each is called and where its value stands in the report's text;
//! the names by themselves, because they are what is searched.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::json::RawValue;
use crate::tables::Property;

use super::types::Span;

/// What a member takes besides its text.
pub(super) const MEMBER_OVERHEAD: usize = size_of::<Name>() + size_of::<Span>();

/// A little more may be reserved than is used.
const ROOM: usize = 16;

/// The members of one entry.
#[derive(Debug, Clone, Default)]
pub(super) struct Members {
    names: Vec<Name>,
    /// Where the value of each stands; none is empty.
    values: Vec<Span>,
    others: Option<Box<Others>>,
}

/// Names that have no token, by number.
#[derive(Debug, Clone, Default)]
struct Others {
    names: Vec<Box<str>>,
    /// What all of them take.
    bytes: usize,
}

/// A property's index, or the number of another name, counted from 256.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Name(u16);

impl Name {
    const FIRST_OTHER: u16 = 256;

    fn of(property: Property) -> Self {
        Self(property.index() as u16)
    }

    fn other(number: usize) -> Option<Self> {
        Some(Self(Self::FIRST_OTHER.checked_add(u16::try_from(number).ok()?)?))
    }

    fn number(self) -> Option<usize> {
        self.0.checked_sub(Self::FIRST_OTHER).map(usize::from)
    }
}

/// A name as it is looked for: resolved once.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key<'a> {
    Known(Property),
    Other(Cow<'a, str>),
}

impl<'a> Key<'a> {
    /// A name by its full text.
    pub(super) fn of_name(name: &'a str) -> Self {
        Property::of_name(name).map_or(Key::Other(Cow::Borrowed(name)), Key::Known)
    }
}

/// A member as it is handed out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member<'a> {
    held: &'a Members,
    name: Name,
    pub(super) value: RawValue<'a>,
}

impl<'a> Member<'a> {
    /// `None` if its name has no token.
    pub(super) fn property(&self) -> Option<Property> {
        Property::at(u32::from(self.name.0))
    }

    pub(super) fn name(&self) -> &'a str {
        match self.property() {
            Some(property) => property.name(),
            None => self.held.other(self.name),
        }
    }
}

impl Members {
    /// Room for the members of an entry that is new.
    pub(super) fn with_capacity(members: usize) -> Self {
        Self { names: Vec::with_capacity(members), values: Vec::with_capacity(members), others: None }
    }

    /// `text`: the report's.
    pub(super) fn iter<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Member<'a>> {
        self.names.iter().zip(&self.values).map(move |(name, value)| Member {
            held: self,
            name: *name,
            value: value.value(text),
        })
    }

    /// Those whose values stand in the text from there on, with their places.
    pub(super) fn from<'a>(&'a self, start: usize, text: &'a str) -> impl Iterator<Item = (usize, Member<'a>)> {
        let all = self.names.iter().zip(&self.values).enumerate();
        all.filter(move |(_, (_, value))| value.start as usize >= start)
            .map(move |(at, (name, value))| (at, Member { held: self, name: *name, value: value.value(text) }))
    }

    pub(super) fn get<'a>(&self, key: &Key<'_>, text: &'a str) -> Option<RawValue<'a>> {
        self.at(self.place(key)?, text)
    }

    /// The place of a name, at which it stays until one is appended or given up.
    pub(super) fn place(&self, key: &Key<'_>) -> Option<usize> {
        match key {
            Key::Known(property) => self.position(*property),
            Key::Other(name) => self.names.iter().position(|held| self.is_other(*held, name)),
        }
    }

    /// The value at a place.
    #[inline]
    pub(super) fn at<'a>(&self, place: usize, text: &'a str) -> Option<RawValue<'a>> {
        Some(self.values.get(place)?.value(text))
    }

    fn position(&self, property: Property) -> Option<usize> {
        let name = Name::of(property);
        self.names.iter().position(|held| *held == name)
    }

    /// About how much memory they take, their text apart.
    pub(super) fn bytes(&self) -> usize {
        self.names.len() * MEMBER_OVERHEAD + self.others.as_ref().map_or(0, |others| others.bytes)
    }

    pub(super) fn values(&self) -> &[Span] {
        &self.values
    }

    pub(super) fn values_mut(&mut self) -> &mut [Span] {
        &mut self.values
    }

    fn other(&self, name: Name) -> &str {
        let name = name.number().and_then(|number| self.others.as_ref()?.names.get(number));
        name.map_or("", |name| &**name)
    }

    fn is_other(&self, held: Name, name: &str) -> bool {
        held.0 >= Name::FIRST_OTHER && self.other(held) == name
    }

    fn is(&self, held: Name, key: &Key<'_>) -> bool {
        match key {
            Key::Known(property) => held == Name::of(*property),
            Key::Other(name) => self.is_other(held, name),
        }
    }

    fn key_at(&self, name: Name) -> Key<'static> {
        Property::at(u32::from(name.0)).map_or_else(|| Key::Other(Cow::Owned(self.other(name).to_owned())), Key::Known)
    }

    /// A new member, without a value until it is given one; `None` if there are 65,280 names without a token already: no browser
    /// has ten.
    pub(super) fn append(&mut self, key: &Key<'_>, search: &mut Search) -> Option<usize> {
        let name = match key {
            Key::Known(property) => Name::of(*property),
            Key::Other(other) => {
                let others = self.others.get_or_insert_default();
                let name = Name::other(others.names.len())?;
                others.names.push((&**other).into());
                others.bytes += bytes_of(other);
                name
            }
        };
        let at = self.names.len();
        search.added(key, at);
        self.names.push(name);
        self.values.push(Span::default());
        Some(at)
    }

    /// Gives up members without a value, the names that nobody has any more, and room that is not needed.
    pub(super) fn forget_gone(&mut self) {
        let mut values = self.values.iter();
        self.names.retain(|_| values.next().is_some_and(|value| !value.is_empty()));
        self.values.retain(|value| !value.is_empty());
        if let Some(others) = &mut self.others {
            let mut names = std::mem::take(&mut others.names);
            others.bytes = 0;
            for held in &mut self.names {
                let Some(number) = held.number() else { continue };
                let name = names.get_mut(number).map(std::mem::take).unwrap_or_default();
                others.bytes += bytes_of(&name);
                *held = Name::other(others.names.len()).unwrap_or(*held);
                others.names.push(name);
            }
            if others.names.is_empty() {
                self.others = None;
            }
        }
        self.shrink();
    }

    /// What is held is what is counted.
    pub(super) fn shrink(&mut self) {
        if self.names.capacity() > 2 * self.names.len() + ROOM {
            self.names.shrink_to_fit();
            self.values.shrink_to_fit();
        }
    }
}

/// Where the members of an entry are. Deltas name them in the order in which they are kept, so a guess is almost always
/// right and a short search is next. Only a delta with very many members pays for an index: it would take time that
/// grows with the square of its length otherwise.
#[derive(Default)]
pub(super) struct Search {
    guess: usize,
    searches: usize,
    index: Option<HashMap<Key<'static>, usize>>,
}

impl Search {
    /// So many searches through all members are cheaper than an index.
    const SEARCHES: usize = 64;

    #[inline]
    pub(super) fn known(&mut self, held: &Members, property: Property) -> Option<usize> {
        if self.index.is_some() || self.searches > Self::SEARCHES {
            return self.find(held, &Key::Known(property));
        }
        self.searches += 1;
        let name = Name::of(property);
        // What a delta leaves out did not change: the one sought is as a rule a little further on.
        let behind = held.names.get(self.guess..).unwrap_or_default();
        let found = match behind.iter().position(|held| *held == name) {
            Some(further) => self.guess + further,
            None => held.names.iter().take(self.guess).position(|held| *held == name)?,
        };
        self.guess = found + 1;
        Some(found)
    }

    pub(super) fn find(&mut self, held: &Members, key: &Key<'_>) -> Option<usize> {
        let found = self.search(held, key);
        if let Some(at) = found {
            self.guess = at + 1;
        }
        found
    }

    fn search(&mut self, held: &Members, key: &Key<'_>) -> Option<usize> {
        if held.names.get(self.guess).is_some_and(|name| held.is(*name, key)) {
            return Some(self.guess);
        }
        if let Some(index) = &self.index {
            return index.get(key).copied();
        }
        self.searches += 1;
        if self.searches > Self::SEARCHES {
            let names = held.names.iter().enumerate().map(|(at, name)| (held.key_at(*name), at));
            return self.index.insert(names.collect()).get(key).copied();
        }
        let behind = held.names.get(self.guess..).unwrap_or_default();
        let found = behind.iter().position(|name| held.is(*name, key)).map(|at| self.guess + at);
        found.or_else(|| held.names.iter().take(self.guess).position(|name| held.is(*name, key)))
    }

    /// A member was appended.
    fn added(&mut self, key: &Key<'_>, at: usize) {
        self.guess = at + 1;
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
