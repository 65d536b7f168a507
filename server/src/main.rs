//! The binary `rtctrace`. All of it is in the library.

fn main() -> std::process::ExitCode {
    rtctrace::main()
}
