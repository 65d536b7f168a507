//! A borrowing JSON reader: text is validated once, then handed out as slices. Nothing is parsed before somebody asks for
//! it, and a value that nobody asks for is never copied. Grammar: RFC 8259.

mod decimal;
mod scan;
#[cfg(test)]
mod tests;
mod value;
mod write;

pub(crate) use decimal::compare as compare_decimals;
pub use scan::{JsonError, JsonErrorKind, MAX_DEPTH};
pub use value::{Elements, Kind, Members, RawValue};
pub use write::write_string;
pub(crate) use write::{write_i64, write_shortest_number};
