//! From a crate to an optimised wasm module with its JavaScript glue.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use wasm_bindgen_cli_support::Bindgen;

const TARGET: &str = "wasm32-unknown-unknown";

/// A wasm module of this workspace and where its importer expects it.
pub(crate) struct Module {
    /// Name on the command line.
    pub(crate) name: &'static str,
    package: &'static str,
    profile: &'static str,
    /// File name of cargo's output, without extension.
    artifact: &'static str,
    /// Stem of the written files: `<stem>_bg.wasm`, `<stem>.js`, `<stem>.d.ts`.
    stem: &'static str,
    /// Folder of generated files only, relative to the repository.
    output: &'static str,
    optimisation: &'static str,
}

pub(crate) const MODULES: [Module; 2] = [
    Module {
        name: "client",
        package: "rtctrace-client-wasm",
        profile: "wasm-client",
        artifact: "rtctrace_client_wasm",
        stem: "rtctrace",
        output: "npm/build",
        optimisation: "-O3",
    },
    Module {
        name: "viewer",
        package: "rtctrace-viewer-wasm",
        profile: "wasm",
        artifact: "rtctrace_viewer_wasm",
        stem: "viewer",
        output: "dump-viewer/src/wasm",
        optimisation: "-O3",
    },
];

pub(crate) fn build(module: &Module) -> Result<()> {
    // Asked at run time: two clones that share a target directory share this program.
    let manifest = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let root = Path::new(&manifest).parent().context("the xtask lies in the repository")?;
    let wasm_opt = root.join("node_modules/binaryen/bin/wasm-opt");
    ensure!(wasm_opt.is_file(), "{} is missing: run `npm ci` in {} first", wasm_opt.display(), root.display());
    ensure_target(root)?;

    let target_directory = match env::var_os("CARGO_TARGET_DIR") {
        Some(directory) => root.join(directory),
        None => root.join("target"),
    };
    run(Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(root)
        .args(["build", "--profile", module.profile, "--target", TARGET, "-p", module.package])
        .arg("--target-dir")
        .arg(&target_directory)
        .env("CARGO_ENCODED_RUSTFLAGS", flags(root)))?;

    // Everything is made aside and put in place only when it is known to load, so that a failed build breaks no importer.
    let staging = target_directory.join("xtask").join(module.name);
    remove_directory(&staging)?;
    let input = target_directory.join(TARGET).join(module.profile).join(module.artifact).with_extension("wasm");
    Bindgen::new()
        .input_path(&input)
        .out_name(module.stem)
        .web(true)?
        .typescript(true)
        // The importer knows the URL of the module; a default here would differ from what bundlers understand.
        .omit_default_module_path(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(&staging)
        .with_context(|| format!("wasm-bindgen on {}", input.display()))?;

    let wasm = staging.join(format!("{}_bg.wasm", module.stem));
    let bound = staging.join("bound.wasm");
    fs::rename(&wasm, &bound).with_context(|| format!("wasm-bindgen wrote no {}", wasm.display()))?;
    // No feature flags: wasm-opt reads the features from the module, and a module with others enabled may not load.
    run(node().arg(&wasm_opt).arg(module.optimisation).arg(&bound).arg("-o").arg(&wasm))?;
    check(&wasm)?;

    let output = root.join(module.output);
    remove_directory(&output)?;
    let (before, after) = (fs::metadata(&bound)?.len(), fs::metadata(&wasm)?.len());
    fs::remove_file(&bound)?;
    copy_directory(&staging, &output)?;
    println!("{}/{}_bg.wasm: {after} bytes, {before} before wasm-opt", module.output, module.stem);
    Ok(())
}

/// Panic messages name source files. The paths of the machine that built the module are nobody's business, and without
/// them every machine builds the same module.
fn flags(root: &Path) -> OsString {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    let given = env::var("RUSTFLAGS").unwrap_or_default();
    let mut flags: Vec<OsString> = given.split_whitespace().map(OsString::from).collect();
    for (path, name) in [(home.as_deref(), "/cargo"), (Some(root), "/rtctrace")] {
        if let Some(path) = path {
            let mut flag = OsString::from("--remap-path-prefix=");
            flag.push(path);
            flag.push("=");
            flag.push(name);
            flags.push(flag);
        }
    }
    flags.join(OsStr::new("\u{1f}"))
}

/// Without the standard library of the target, cargo ends in error E0463, which names no remedy.
fn ensure_target(root: &Path) -> Result<()> {
    let output = Command::new("rustc")
        .current_dir(root)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .context("cannot run rustc")?;
    let library = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    ensure!(
        output.status.success() && library.is_dir(),
        "the Rust target {TARGET} is missing: run `rustup target add {TARGET}` in {}",
        root.display()
    );
    Ok(())
}

/// Compiles and instantiates the module in Node with imports that do nothing.
fn check(wasm: &Path) -> Result<()> {
    const SCRIPT: &str = "
        const module = new WebAssembly.Module(require('fs').readFileSync(process.argv[1]));
        const imports = {};
        for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
            if (kind !== 'function') throw new Error(`unexpected import of a ${kind}: ${from}.${name}`);
            (imports[from] ??= {})[name] = () => {};
        }
        new WebAssembly.Instance(module, imports);
    ";
    run(node().args(["-e", SCRIPT]).arg(wasm)).context("the optimised module does not load")
}

fn node() -> Command {
    Command::new("node")
}

fn run(command: &mut Command) -> Result<()> {
    let program = Path::new(command.get_program()).file_name().unwrap_or_else(|| OsStr::new("?")).to_owned();
    let status = command.status().with_context(|| format!("cannot run {}", program.display()))?;
    if !status.success() {
        bail!("{} failed: {status}", program.display());
    }
    Ok(())
}

fn remove_directory(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

fn copy_directory(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let destination = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_directory(&entry.path(), &destination)?;
        } else {
            fs::copy(entry.path(), &destination).with_context(|| format!("cannot write {}", destination.display()))?;
        }
    }
    Ok(())
}
