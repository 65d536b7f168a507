//! What a module consists of: its sections, its code by crate, its largest functions. Bytes as they lie in the module, and
//! as `gzip -9` would have them.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use wasmparser::{KnownCustom, Name, Parser, Payload, TypeRef};

use crate::wasm::{Module, with_names};

/// So many functions are listed.
const LARGEST: usize = 40;

/// A part of the module under a name.
struct Part {
    name: String,
    bytes: usize,
    /// How much smaller the compressed whole is without it.
    compressed: usize,
}

pub(crate) fn show(module: &Module) -> Result<()> {
    let wasm = with_names(module)?;
    let mut names = BTreeMap::new();
    let mut sections: Vec<(String, &[u8])> = Vec::new();
    let mut bodies: Vec<&[u8]> = Vec::new();
    let mut imports = 0;
    for payload in Parser::new(0).parse_all(&wasm) {
        let (name, range) = match payload.context("the module cannot be read")? {
            Payload::ImportSection(reader) => {
                let range = reader.range();
                for import in reader.into_imports() {
                    imports += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                }
                ("imports", range)
            }
            Payload::TypeSection(reader) => ("types", reader.range()),
            Payload::FunctionSection(reader) => ("function types", reader.range()),
            Payload::ExportSection(reader) => ("exports", reader.range()),
            Payload::ElementSection(reader) => ("function table", reader.range()),
            Payload::DataSection(reader) => ("data: tables, names, texts", reader.range()),
            Payload::CodeSectionEntry(body) => {
                bodies.extend(wasm.get(body.range()));
                continue;
            }
            Payload::CustomSection(reader) => {
                if let KnownCustom::Name(reader) = reader.as_known() {
                    for subsection in reader {
                        if let Name::Function(functions) = subsection? {
                            for function in functions {
                                let function = function?;
                                names.insert(function.index, function.name.to_owned());
                            }
                        }
                    }
                }
                continue;
            }
            _ => continue,
        };
        sections.extend(wasm.get(range).map(|bytes| (name.to_owned(), bytes)));
    }

    let mut functions: Vec<(String, &[u8])> = (imports..)
        .zip(bodies)
        .map(|(index, body)| {
            let name = names.get(&index).map_or("?", |name| plain(name));
            (name.to_owned(), body)
        })
        .collect();
    let all: Vec<&[u8]> = sections.iter().chain(&functions).map(|(_, bytes)| *bytes).collect();
    let whole = compressed(&all)?;
    let total: usize = all.iter().map(|bytes| bytes.len()).sum();
    println!("{} of {total} bytes, {whole} compressed, without what names it has here\n", module.name);

    let mut crates: BTreeMap<String, Vec<&[u8]>> = BTreeMap::new();
    for (name, bytes) in &sections {
        crates.entry(name.clone()).or_default().push(bytes);
    }
    for (name, bytes) in &functions {
        crates.entry(format!("code: {}", crate_of(name))).or_default().push(bytes);
    }
    let measure = |name: &str, own: &[&[u8]]| -> Result<Part> {
        let others: Vec<&[u8]> =
            all.iter().copied().filter(|bytes| !own.iter().any(|own| std::ptr::eq(*own, *bytes))).collect();
        let bytes = own.iter().map(|bytes| bytes.len()).sum();
        Ok(Part { name: name.to_owned(), bytes, compressed: whole.saturating_sub(compressed(&others)?) })
    };
    let mut parts = Vec::new();
    for (name, own) in &crates {
        parts.push(measure(name, own)?);
    }
    print(parts, total);
    println!("\nthe largest functions");
    let mut parts = Vec::new();
    functions.sort_by_key(|(_, bytes)| std::cmp::Reverse(bytes.len()));
    for (name, bytes) in functions.iter().take(LARGEST) {
        parts.push(measure(name, &[bytes])?);
    }
    print(parts, total);
    let rest = functions.get(LARGEST..).unwrap_or_default();
    let bytes: usize = rest.iter().map(|(_, bytes)| bytes.len()).sum();
    println!("{bytes:>7} {:>5.1}% {:>10}  in {} smaller ones", bytes as f64 * 100.0 / total as f64, "", rest.len());
    Ok(())
}

fn print(mut parts: Vec<Part>, total: usize) {
    parts.sort_by_key(|part| std::cmp::Reverse(part.bytes));
    println!("{:>7} {:>6} {:>10}", "bytes", "share", "compressed");
    for Part { name, bytes, compressed } in &parts {
        println!("{bytes:>7} {:>5.1}% {compressed:>10}  {name}", *bytes as f64 * 100.0 / total as f64);
    }
}

/// A name without the hash behind it.
fn plain(name: &str) -> &str {
    match name.rsplit_once("::h") {
        Some((plain, hash)) if hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => plain,
        _ => name,
    }
}

/// The crate that a function is of. What the standard library's generic functions are made for is not in their names.
fn crate_of(name: &str) -> &str {
    let path = name.trim_start_matches(['<', '&', '*', '[', '_']).trim_start_matches("impl ");
    let end = path.find(|character: char| !character.is_ascii_alphanumeric() && character != '_').unwrap_or(path.len());
    match path.get(..end).unwrap_or_default() {
        crate_name if path.get(end..end + 2) == Some("::") || path.get(end..end + 1) == Some("[") => crate_name,
        "memcpy" | "memcmp" | "memmove" | "memset" => "compiler_builtins",
        _ => "exports",
    }
}

fn compressed(parts: &[&[u8]]) -> Result<usize> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    for part in parts {
        encoder.write_all(part)?;
    }
    Ok(encoder.finish()?.len())
}
