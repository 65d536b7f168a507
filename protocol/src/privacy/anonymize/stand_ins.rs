//! What takes the place of a name: its class and a number, `host-1`. Equal names have equal stand-ins, so what belongs together still
//! does.

use std::collections::HashMap;

/// So many names have a number each; those beyond share the number 0. A session has a few dozen.
const MAX_NAMES: usize = 4096;

/// The longest name that is remembered, in bytes. A longer one has the number 0.
const LONGEST: usize = 1024;

/// What kind of name it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Class {
    /// A device, as its label names it.
    Device,
    /// A data channel, or whatever else has a label.
    Label,
    /// The application's protocol of a data channel.
    Protocol,
    /// The host of a URL.
    Host,
    /// The path of a URL.
    Path,
    /// A person, or what persons meet in.
    Name,
    /// A password or a token.
    Credential,
    /// A city.
    City,
    /// A node of a cluster.
    Node,
    /// What an endpoint calls itself in RTCP (RFC 7022).
    Cname,
}

impl Class {
    /// Whether a text is what took the place of a name.
    pub(super) fn has_stand_in(self, text: &str) -> bool {
        let number = text.strip_prefix(self.prefix()).unwrap_or_default();
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Device => "device ",
            Self::Label => "label-",
            Self::Protocol => "protocol-",
            Self::Host => "host-",
            Self::Path => "path-",
            Self::Name => "name-",
            Self::Credential => "credential-",
            Self::City => "city-",
            Self::Node => "node-",
            Self::Cname => "cname-",
        }
    }
}

/// The stand-ins of one session.
#[derive(Debug, Default)]
pub(super) struct StandIns {
    names: HashMap<(Class, String), usize>,
    counts: HashMap<Class, usize>,
}

impl StandIns {
    /// What stands for a name. A stand-in stands for itself, and nothing for nothing.
    pub(super) fn of(&mut self, class: Class, name: &str) -> String {
        let prefix = class.prefix();
        if name.is_empty() || class.has_stand_in(name) {
            return name.to_owned();
        }
        if name.len() > LONGEST {
            return format!("{prefix}0");
        }
        let key = (class, name.to_owned());
        if let Some(number) = self.names.get(&key) {
            return format!("{prefix}{number}");
        }
        if self.names.len() >= MAX_NAMES {
            return format!("{prefix}0");
        }
        let count = self.counts.entry(class).or_default();
        *count += 1;
        self.names.insert(key, *count);
        format!("{prefix}{count}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_names_have_equal_stand_ins_and_memory_has_a_bound() {
        let mut stand_ins = StandIns::default();
        assert_eq!(stand_ins.of(Class::Host, "a.example"), "host-1");
        assert_eq!(stand_ins.of(Class::Host, "b.example"), "host-2");
        assert_eq!(stand_ins.of(Class::Label, "a.example"), "label-1");
        assert_eq!(stand_ins.of(Class::Host, "a.example"), "host-1");
        assert_eq!(stand_ins.of(Class::Host, "host-1"), "host-1");
        assert_eq!(stand_ins.of(Class::Host, "host-one"), "host-3");
        assert_eq!(stand_ins.of(Class::Host, ""), "");
        for long in ["x".repeat(LONGEST + 1), "\u{e9}".repeat(LONGEST)] {
            assert_eq!(stand_ins.of(Class::Host, &long), "host-0");
        }
        for number in 0..MAX_NAMES {
            stand_ins.of(Class::Path, &number.to_string());
        }
        assert_eq!((stand_ins.names.len(), stand_ins.of(Class::Path, "one more")), (MAX_NAMES, "path-0".to_owned()));
    }
}
