//! What the operating system says of this process, and grants it.

use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit of open files as far as the system lets this process, and says what it is then: each session needs one
/// for its socket, and has another for its spool file while there are some to spare; shells usually grant 1024.
pub(crate) fn raise_file_limit() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    let current = if setrlimit(Resource::Nofile, raised).is_ok() { limit.maximum } else { limit.current };
    current.unwrap_or(u64::MAX)
}

/// How many files this process may have open.
pub(crate) fn file_limit() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// How many sockets the process has files for, if those are fewer than the settings allow: a quarter is left to the spool, and some
/// to the database, to dumps and to the libraries.
pub(crate) fn sockets_that_fit(files: u64, sockets: usize) -> Option<u64> {
    const OTHERS: u64 = 200;
    let fitting = (files - files / 4).saturating_sub(OTHERS);
    (fitting < sockets as u64).then_some(fitting)
}

/// Processor time that this process took so far, in its own code and in the kernel's; `None` where nobody says.
pub(crate) fn cpu_time() -> Option<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Some(Duration::new(u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_that_have_no_files_are_told() {
        assert_eq!(sockets_that_fit(20_000, 12_000), None);
        assert_eq!(sockets_that_fit(1024, 12_000), Some(568));
        assert_eq!(sockets_that_fit(10, 12_000), Some(0));
        assert_eq!(sockets_that_fit(u64::MAX, 12_000), None);
    }
}
