//! The dialect of Jitsi's browser client and of its backends (JVB, Jicofo, Jigasi, Jibri): its messages, and their translation
//! into our lines. What a session of Jitsi's becomes is a dump like any other; sockets are the collector's, files the caller's.
//!
//! A [`ValueStream`] finds the messages in what a socket carries, [`Message::parse`] reads one, a [`Translator`] makes lines of
//! it. The state of a translator follows from the lines that it wrote: [`Translator::replay`] rebuilds it from them.

mod entry;
mod message;
mod report;
mod stream;
#[cfg(test)]
mod tests;
mod translate;

pub use message::{BadMessage, Message};
pub use stream::{BadValue, ValueStream};
pub use translate::{GAP, Translated, Translator};
