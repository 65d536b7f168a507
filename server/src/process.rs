//! What the operating system says of this process, and grants it.

use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::Config;

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

/// What an operator should know if this process may have fewer files open than the settings allow connections: a quarter is left to the
/// spool, and some to the database, to dumps and to the libraries.
pub(crate) fn lack_of_files(files: u64, config: &Config) -> Option<String> {
    const OTHERS: u64 = 200;
    let fitting = (files - files / 4).saturating_sub(OTHERS);
    let sockets = config.limits.sockets;
    let (wanted, what) = match config.sora.address() {
        None => (sockets, format!("limits.sockets is {sockets}")),
        Some(_) => {
            let connections = config.sora.connections;
            let what = format!("limits.sockets is {sockets} and sora.connections {connections}");
            (sockets.saturating_add(connections), what)
        }
    };
    (fitting < wanted as u64).then(|| {
        format!(
            "{what}, but this process may have only {files} files open, which is enough for {fitting}; raise the limit (LimitNOFILE of systemd, \
             ulimit -n) or lower the settings"
        )
    })
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
    fn connections_that_have_no_files_are_told() {
        let of = |sockets, listen: &str, connections| {
            let mut config = Config::default();
            (config.limits.sockets, config.sora.listen, config.sora.connections) =
                (sockets, listen.to_owned(), connections);
            config
        };
        let all = of(12_000, "", 256);
        assert_eq!(lack_of_files(20_000, &all), None);
        assert_eq!(lack_of_files(u64::MAX, &all), None);
        let told = lack_of_files(1024, &all).unwrap();
        assert!(told.contains("limits.sockets is 12000, ") && told.contains("enough for 568;"), "{told}");
        assert!(lack_of_files(10, &all).unwrap().contains("enough for 0;"));
        // Those for Sora count where there are any.
        assert_eq!(lack_of_files(20_000, &of(14_500, "", 500)), None);
        let told = lack_of_files(20_000, &of(14_500, "127.0.0.1", 500)).unwrap();
        assert!(
            told.contains("sockets is 14500 and sora.connections 500, ") && told.contains("enough for 14800;"),
            "{told}"
        );
        assert_eq!(lack_of_files(20_000, &of(14_300, "127.0.0.1", 500)), None);
        assert!(lack_of_files(20_000, &of(usize::MAX, "127.0.0.1", 500)).is_some());
    }
}
