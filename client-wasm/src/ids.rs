//! Names of things inside a session, and its clock's unit.

use alloc::string::String;

use rtctrace_protocol::json::write_i64;

/// Unix time in whole milliseconds.
pub(crate) type UnixMillis = i64;

/// A connection of this page: the n-th that was made or first seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ConnectionId(pub(crate) u32);

impl ConnectionId {
    /// The page's face names no connection by a negative number.
    pub(crate) fn of(number: i32) -> Option<Self> {
        u32::try_from(number).ok().map(Self)
    }

    /// As it stands in lines.
    pub(crate) fn name(self) -> String {
        let mut name = String::from("PC_");
        write_i64(&mut name, i64::from(self.0));
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_named_in_order() {
        assert_eq!(ConnectionId(12).name(), "PC_12");
        assert_eq!(ConnectionId::of(-1), None);
    }
}
