//! `cargo xtask wasm client|viewer` builds one wasm module and its JavaScript glue into the folder that imports it: compile,
//! bind, optimise, check, and for the client the licences of what is in it; each step says what is missing on this machine.
//! `cargo xtask size client|viewer` shows what such a module consists of. Nothing else of the build lives here.
#![allow(clippy::print_stdout, reason = "a command-line tool speaks on standard output")]

mod notices;
mod size;
mod wasm;

use anyhow::{Result, bail};

const USAGE: &str = "usage: cargo xtask wasm|size client|viewer";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [what @ ("wasm" | "size"), name] => match wasm::MODULES.iter().find(|module| module.name == *name) {
            Some(module) if *what == "wasm" => wasm::build(module),
            Some(module) => size::show(module),
            None => bail!("there is no wasm module `{name}`\n{USAGE}"),
        },
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => bail!("{USAGE}"),
    }
}
