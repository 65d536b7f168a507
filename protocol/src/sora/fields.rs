//! The members of an object by name, each asked for as what it has to be.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::json::{Kind, RawValue, is_name};

use super::time::micros;
use super::{BadBody, MAX_TEXT};

/// So deep in an entry values are told from each other.
const DEPTH: usize = 16;

/// An object whose members are looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a> {
    object: RawValue<'a>,
    /// Where it stands, as the beginning of its members' names.
    prefix: &'a str,
    /// The longest value of a body, which is nearly all of it: who looks for a member need not look at that.
    longest: RawValue<'a>,
}

impl<'a> Fields<'a> {
    /// Those of a whole body.
    pub(super) fn of_body(body: &'a [u8]) -> Result<Self, BadBody> {
        let text = std::str::from_utf8(body).map_err(|error| BadBody::NotUtf8(error.valid_up_to()))?;
        Self::of_text(text)
    }

    /// Those of a text.
    pub(super) fn of_text(text: &'a str) -> Result<Self, BadBody> {
        let object = RawValue::parse(text)?;
        if object.kind() != Kind::Object {
            return Err(BadBody::NotAnObject);
        }
        let mut longest = RawValue::NULL;
        let names = object.members().map(|(name, value)| {
            if value.text().len() >= longest.text().len() {
                longest = value;
            }
            name
        });
        match repeated(names) {
            Some(name) => Err(twice(&name)),
            None => Ok(Self { object, prefix: "", longest }),
        }
    }

    /// Those of an object inside of it.
    pub(super) fn inside(self, name: &'static str, prefix: &'static str) -> Result<Self, BadBody> {
        let object = self.required(name)?;
        if object.kind() != Kind::Object {
            return Err(self.wrong(name, "an object"));
        }
        let fields = Self::of(object, prefix);
        fields.are_there_once()?;
        Ok(fields)
    }

    /// Whether no member of the object is there twice.
    pub(super) fn are_there_once(self) -> Result<(), BadBody> {
        match repeated(self.object.members().map(|(name, _)| name)) {
            Some(name) => Err(twice(&format!("{}{name}", self.prefix))),
            None => Ok(()),
        }
    }

    /// The same, and of no object in it, as far as anybody looks for values.
    pub(super) fn are_there_once_within(self) -> Result<(), BadBody> {
        let mut path = self.prefix.trim_end_matches('.').to_owned();
        if is_repeated_within(self.object, DEPTH, &mut path) { Err(twice(&path)) } else { Ok(()) }
    }

    /// Those of an object that is known to be one.
    pub(super) fn of(object: RawValue<'a>, prefix: &'a str) -> Self {
        Self { object, prefix, longest: RawValue::NULL }
    }

    /// The object itself.
    pub(super) fn object(self) -> RawValue<'a> {
        self.object
    }

    /// All of them, in the order of the text.
    pub(super) fn all(self) -> impl Iterator<Item = (Cow<'a, str>, RawValue<'a>)> {
        self.raw().filter_map(|(name, value)| Some((RawValue::slice(name, 0, name.len()).as_str()?, value)))
    }

    /// The same, with names as they are written.
    fn raw(self) -> impl Iterator<Item = (&'a str, RawValue<'a>)> {
        let mut members = self.object.members();
        std::iter::from_fn(move || Some((members.next_name()?, members.value_or(self.longest))))
    }

    /// What is there; `null` is not.
    pub(super) fn get(self, name: &str) -> Option<RawValue<'a>> {
        let [found] = self.each_of([name]);
        found
    }

    /// The first member of that name, of an object in which none is there twice.
    pub(super) fn first(self, name: &str) -> Option<RawValue<'a>> {
        self.raw().find(|(named, _)| is_name(named, name)).map(|(_, value)| value)
    }

    /// What is there of these members, by one pass.
    pub(super) fn each_of<const N: usize>(self, names: [&str; N]) -> [Option<RawValue<'a>>; N] {
        let mut found = [None; N];
        for (name, value) in self.raw() {
            let is_escaped = name.contains('\\');
            let inside = name.get(1..name.len().saturating_sub(1)).unwrap_or_default();
            for (wanted, found) in names.iter().zip(&mut found) {
                if inside == *wanted || (is_escaped && is_name(name, wanted)) {
                    *found = Some(value).filter(|value| !value.is_null());
                }
            }
        }
        found
    }

    pub(super) fn required(self, name: &'static str) -> Result<RawValue<'a>, BadBody> {
        self.get(name).ok_or_else(|| BadBody::Missing(self.path(name)))
    }

    fn path(self, name: &'static str) -> Cow<'static, str> {
        if self.prefix.is_empty() { Cow::Borrowed(name) } else { Cow::Owned(format!("{}{name}", self.prefix)) }
    }

    pub(super) fn wrong(self, name: &'static str, wanted: &'static str) -> BadBody {
        BadBody::Wrong { field: self.path(name), wanted }
    }

    fn read<T>(
        self,
        name: &'static str,
        wanted: &'static str,
        read: impl Fn(RawValue<'a>) -> Option<T>,
    ) -> Result<Option<T>, BadBody> {
        let Some(value) = self.get(name) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| self.wrong(name, wanted))
    }

    pub(super) fn needed<T>(self, name: &'static str, value: Option<T>) -> Result<T, BadBody> {
        value.ok_or_else(|| BadBody::Missing(self.path(name)))
    }

    /// A text that may not be there.
    pub(super) fn optional_text(self, name: &'static str) -> Result<Option<Cow<'a, str>>, BadBody> {
        let fits = |text: &Cow<'_, str>| text.len() <= MAX_TEXT && !text.contains('\0');
        self.read(name, "a string of at most 255 bytes", |value| value.as_str().filter(fits))
    }

    /// A text.
    pub(super) fn text(self, name: &'static str) -> Result<Cow<'a, str>, BadBody> {
        let text = self.optional_text(name)?;
        let text = self.needed(name, text)?;
        if text.is_empty() { Err(self.wrong(name, "a string with something in it")) } else { Ok(text) }
    }

    /// An id that Sora gave: 26 characters of base32.
    pub(super) fn base32(self, name: &'static str) -> Result<Cow<'a, str>, BadBody> {
        let text = self.text(name)?;
        let is_one = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_uppercase();
        match text.len() == 26 && text.bytes().all(is_one) {
            true => Ok(text),
            false => Err(self.wrong(name, "an id of 26 characters of base32")),
        }
    }

    /// A boolean that may not be there.
    pub(super) fn optional_flag(self, name: &'static str) -> Result<Option<bool>, BadBody> {
        self.read(name, "true or false", RawValue::as_bool)
    }

    /// A boolean.
    pub(super) fn flag(self, name: &'static str) -> Result<bool, BadBody> {
        let flag = self.optional_flag(name)?;
        self.needed(name, flag)
    }

    /// A time that may not be there, in microseconds since the Unix epoch.
    pub(super) fn optional_time(self, name: &'static str) -> Result<Option<i64>, BadBody> {
        self.read(name, "a time of RFC 3339", |value| micros(&value.as_str()?))
    }

    /// A time.
    pub(super) fn time(self, name: &'static str) -> Result<i64, BadBody> {
        let time = self.optional_time(name)?;
        self.needed(name, time)
    }
}

/// A name that is there twice. Of the two values nobody knows which counts, nor what changed since the report before.
fn repeated<'a>(names: impl Iterator<Item = Cow<'a, str>>) -> Option<Cow<'a, str>> {
    // Among few it is faster to look than to keep a set.
    const FEW: usize = 32;
    let (mut few, mut others) = (Vec::with_capacity(FEW), HashSet::new());
    for name in names {
        if few.contains(&name) || others.contains(&name) {
            return Some(name);
        }
        if few.len() < FEW {
            few.push(name);
        } else {
            others.insert(name);
        }
    }
    None
}

/// Whether a member is there twice in a value, or in what is in it; `path` leads to it then.
fn is_repeated_within(value: RawValue<'_>, depth: usize, path: &mut String) -> bool {
    let length = path.len();
    let is_nested = |value: RawValue<'_>| depth > 0 && matches!(value.kind(), Kind::Object | Kind::Array);
    if value.kind() == Kind::Array {
        for (at, element) in value.elements().enumerate().filter(|(_, element)| is_nested(*element)) {
            path.push_str(&format!("[{at}]"));
            if is_repeated_within(element, depth - 1, path) {
                return true;
            }
            path.truncate(length);
        }
        return false;
    }
    if let Some(name) = repeated(value.members().map(|(name, _)| name)) {
        push_name(&name, path);
        return true;
    }
    for (name, member) in value.members().filter(|(_, member)| is_nested(*member)) {
        push_name(&name, path);
        if is_repeated_within(member, depth - 1, path) {
            return true;
        }
        path.truncate(length);
    }
    false
}

fn push_name(name: &str, path: &mut String) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(if name.len() > MAX_TEXT { "*" } else { name });
}

fn twice(path: &str) -> BadBody {
    // A body may name its members by whatever it likes.
    let path = if path.len() > 4 * MAX_TEXT { "*" } else { path };
    BadBody::Wrong { field: path.to_owned().into(), wanted: "there once" }
}
