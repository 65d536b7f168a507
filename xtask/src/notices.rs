//! The licences of the crates that are compiled into a module, in their own words, for the package that carries it.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

const PREAMBLE: &str = "The WebAssembly module of this package contains code of the Rust standard library and of the crates below.
Where a licence of theirs is a choice of several, and its text is not here, it is the Apache License 2.0 in the file LICENSE.

Rust standard library (MIT OR Apache-2.0) https://github.com/rust-lang/rust
";

/// Crates with the same texts stand above them together.
pub(crate) fn of(root: &Path, package: &str, target: &str) -> Result<String> {
    let tree =
        cargo(root, &["tree", "-p", package, "--target", target, "-e", "normal,no-proc-macro", "--prefix", "none"])?;
    let compiled: BTreeSet<(&str, &str)> = tree
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?, words.next()?.strip_prefix('v')?))
        })
        .collect();
    let metadata = cargo(root, &["metadata", "--format-version", "1", "--filter-platform", target])?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let mut by_text: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in metadata.get("packages").and_then(Value::as_array).context("cargo metadata names no packages")? {
        let member = |name: &str| package.get(name).and_then(Value::as_str).unwrap_or_default();
        let (name, version) = (member("name"), member("version"));
        // What has no source lies in this repository.
        if !compiled.contains(&(name, version)) || member("source").is_empty() {
            continue;
        }
        let folder = Path::new(member("manifest_path")).parent().context("a manifest lies in a folder")?;
        let texts = texts(folder).with_context(|| format!("the licence of {name}"))?;
        let license = member("license");
        ensure!(!texts.is_empty() || license.contains("Apache-2.0"), "{name} has no text of its licence, {license}");
        by_text.entry(texts).or_default().push(format!("{name} {version} ({license}) {}", member("repository")));
    }
    let mut notices = String::from(PREAMBLE);
    for (texts, crates) in by_text {
        write!(notices, "\n{}\n{texts}", crates.join("\n"))?;
    }
    Ok(notices)
}

/// The texts of a crate's licences, but for the Apache License, which the package has.
fn texts(folder: &Path) -> Result<String> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
        if (name.starts_with("LICENSE") || name.starts_with("COPYING")) && !name.contains("APACHE") {
            files.push(path);
        }
    }
    files.sort();
    let mut texts = String::new();
    for file in files {
        let text = fs::read_to_string(file)?;
        for line in text.trim().lines() {
            texts.push('\n');
            texts.push_str(format!("    {line}").trim_end());
        }
        texts.push('\n');
    }
    Ok(texts)
}

fn cargo(root: &Path, arguments: &[&str]) -> Result<String> {
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(root)
        .args(arguments)
        .output()
        .context("cannot run cargo")?;
    ensure!(
        output.status.success(),
        "cargo {} failed: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
}
