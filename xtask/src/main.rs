//! `cargo xtask wasm client|viewer`: builds one wasm module and its JavaScript glue into the folder that imports it.
//! Compile, bind, optimise, check: each step says what is missing on this machine. Nothing else of the build lives here.
#![allow(clippy::print_stdout, reason = "a command-line tool speaks on standard output")]

mod wasm;

use anyhow::{Result, bail};

const USAGE: &str = "usage: cargo xtask wasm client|viewer";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["wasm", name] => match wasm::MODULES.iter().find(|module| module.name == *name) {
            Some(module) => wasm::build(module),
            None => bail!("there is no wasm module `{name}`\n{USAGE}"),
        },
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => bail!("{USAGE}"),
    }
}
