//! [`Message`]: what a client of Jitsi's says, one JSON object.

use std::borrow::Cow;

use thiserror::Error;

use crate::json::{JsonError, Kind, RawValue};

/// The longest id of a session, in bytes. Clients have a UUID; it becomes part of what is kept of each session.
const MAX_ID: usize = 256;
/// The longest type of a message, in bytes. One that nobody knows becomes the name of its line.
const MAX_TYPE: usize = 256;

/// Why a value is no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadMessage {
    /// It is not JSON.
    #[error("the message is {0}")]
    Json(#[from] JsonError),
    /// It is no object.
    #[error("the message is no JSON object")]
    NotAnObject,
    /// Its session has no id, or one with other characters than letters, digits, `_` and `-`, or too long a one.
    #[error("statsSessionId is missing or is no id")]
    BadId,
    /// It does not say what it is.
    #[error("type is missing or is no name")]
    BadType,
}

/// A message: `{statsSessionId, type, data?}`.
#[derive(Debug, Clone)]
pub struct Message<'a> {
    /// The session's id as its client chose it.
    pub session: Cow<'a, str>,
    /// `identity`, `stats-entry`, `close`, `keepalive`, or what nobody has described.
    pub kind: Cow<'a, str>,
    /// What it carries.
    pub data: Option<RawValue<'a>>,
}

impl<'a> Message<'a> {
    /// Reads a value.
    ///
    /// # Errors
    /// [`BadMessage`] says what is wrong with it.
    pub fn parse(text: &'a str) -> Result<Self, BadMessage> {
        let value = RawValue::parse(text)?;
        if value.kind() != Kind::Object {
            return Err(BadMessage::NotAnObject);
        }
        let (mut session, mut kind, mut data) = (None, None, None);
        for (name, member) in value.members() {
            match &*name {
                "statsSessionId" => session = member.as_str(),
                "type" => kind = member.as_str(),
                "data" => data = Some(member),
                _ => {}
            }
        }
        Ok(Self {
            session: session.filter(|id| Self::is_id(id)).ok_or(BadMessage::BadId)?,
            kind: kind.filter(|kind| !kind.is_empty() && kind.len() <= MAX_TYPE).ok_or(BadMessage::BadType)?,
            data,
        })
    }

    /// Whether a text may name a session.
    #[must_use]
    pub fn is_id(text: &str) -> bool {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        (1..=MAX_ID).contains(&text.len()) && text.bytes().all(is_part)
    }
}
