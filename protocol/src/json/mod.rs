//! A borrowing JSON reader: text is validated once, then handed out as slices. Nothing is parsed before somebody asks for
//! it, and a value that nobody asks for is never copied. Grammar: RFC 8259.

mod number;
mod out;
mod scan;
mod skip;
#[cfg(test)]
mod tests;
mod value;
mod words;
mod write;

#[cfg(feature = "std")]
pub(crate) use number::number;
pub(crate) use out::Out;
pub use scan::{JsonError, JsonErrorKind, MAX_DEPTH};
pub(crate) use scan::{scan_string, scan_value};
#[cfg(feature = "std")]
pub(crate) use skip::{skip_string, skip_value};
#[cfg(feature = "std")]
pub(crate) use value::is_name;
pub use value::{Elements, Kind, Members, RawValue};
pub(crate) use words::common_prefix;
#[cfg(feature = "std")]
pub(crate) use words::skip_white_space;
pub use write::{write_i64, write_string};
