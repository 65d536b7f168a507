//! From a crate to an optimised wasm module with its JavaScript glue.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use wasm_bindgen_cli_support::Bindgen;

use crate::notices;

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
    optimisation: &'static [&'static str],
    /// Whether the folder gets the notices of others' licences: its importer is a package of its own.
    has_notices: bool,
    standard_library: StandardLibrary,
}

/// Where a module has the standard library from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum StandardLibrary {
    /// As it comes with the toolchain.
    Ready,
    /// Compiled with the module so that a panic ends it without a word: what would put the words together is 10 KB of what is downloaded.
    /// The pinned compiler can do it; that it may is told by `RUSTC_BOOTSTRAP`.
    FromSource,
}

pub(crate) const MODULES: [Module; 2] = [
    Module {
        name: "client",
        package: "rtctrace-client-wasm",
        profile: "wasm-client",
        artifact: "rtctrace_client_wasm",
        stem: "rtctrace",
        output: "npm/build",
        // The first kilobyte is the far end of the stack: no address is computed from it.
        optimisation: &["-Oz", "--low-memory-unused"],
        has_notices: true,
        standard_library: StandardLibrary::Ready,
    },
    Module {
        name: "viewer",
        package: "rtctrace-viewer-wasm",
        profile: "wasm-viewer",
        artifact: "rtctrace_viewer_wasm",
        stem: "viewer",
        output: "dump-viewer/src/wasm",
        // Judged by what gzip makes of it, of which inlining would add a fifteenth though the module becomes smaller.
        optimisation: &["-Os", "--skip-pass=inlining-optimizing", "--skip-pass=local-cse", "--low-memory-unused"],
        has_notices: false,
        standard_library: StandardLibrary::FromSource,
    },
];

/// What nobody reads of a module that is not looked at in a debugger: the words of a panic, where it was, and values as `{:?}` shows them.
const UNTOLD: [&str; 4] =
    ["-Zunstable-options", "-Cpanic=immediate-abort", "-Zlocation-detail=none", "-Zfmt-debug=none"];

/// What is optimised for speed as the toolchain's is: allocator, comparisons of memory. For size, all of it would save 7 KB, and reading a dump
/// would take a quarter longer.
const STANDARD_PACKAGES: [&str; 5] = ["core", "alloc", "std", "compiler_builtins", "dlmalloc"];

/// A folder of this clone and what is made in it.
struct Workshop {
    root: PathBuf,
    target_directory: PathBuf,
}

/// Whether the module keeps the names of its functions, which are a sixth of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    Stripped,
    Kept,
}

impl Workshop {
    fn open() -> Result<Self> {
        // Asked at run time: two clones that share a target directory share this program.
        let manifest = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&manifest).parent().context("the xtask lies in the repository")?.to_owned();
        ensure_target(&root)?;
        let target_directory = match env::var_os("CARGO_TARGET_DIR") {
            Some(directory) => root.join(directory),
            None => root.join("target"),
        };
        Ok(Self { root, target_directory })
    }

    /// Makes the module in a folder of its own, and gives that folder and what the module measured before wasm-opt.
    fn make(&self, module: &Module, names: Names) -> Result<(PathBuf, u64)> {
        let Self { root, target_directory } = self;
        let wasm_opt = root.join("node_modules/binaryen/bin/wasm-opt");
        ensure!(wasm_opt.is_file(), "{} is missing: run `npm ci` in {} first", wasm_opt.display(), root.display());
        let mut build = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        build
            .current_dir(root)
            .args(["build", "--profile", module.profile, "--target", TARGET, "-p", module.package])
            .arg("--target-dir")
            .arg(target_directory);
        let mut flags = flags(root);
        // Where the source is, the compiler names its files, also in what comes with the toolchain.
        flags.push(remap(&library_source(root)?, "/rust"));
        if module.standard_library == StandardLibrary::FromSource {
            build.arg("-Zbuild-std=std,panic_abort").env("RUSTC_BOOTSTRAP", "1");
            for package in STANDARD_PACKAGES {
                build.arg("--config").arg(format!("profile.{}.package.{package}.opt-level=3", module.profile));
            }
            flags.extend(UNTOLD.map(OsString::from));
        }
        let flags = flags.join(OsStr::new("\u{1f}"));
        run(build.env("CARGO_ENCODED_RUSTFLAGS", flags))?;

        let staging = target_directory.join("xtask").join(match names {
            Names::Stripped => module.name.to_owned(),
            Names::Kept => format!("{}-with-names", module.name),
        });
        remove_directory(&staging)?;
        let input = target_directory.join(TARGET).join(module.profile).join(module.artifact).with_extension("wasm");
        Bindgen::new()
            .input_path(&input)
            .out_name(module.stem)
            .web(true)?
            .typescript(true)
            // The importer knows the URL of the module; a default here would differ from what bundlers understand.
            .omit_default_module_path(true)
            .remove_name_section(names == Names::Stripped)
            .remove_producers_section(true)
            .generate(&staging)
            .with_context(|| format!("wasm-bindgen on {}", input.display()))?;

        let wasm = module.wasm(&staging);
        let bound = staging.join("bound.wasm");
        fs::rename(&wasm, &bound).with_context(|| format!("wasm-bindgen wrote no {}", wasm.display()))?;
        // No feature flags: wasm-opt reads the features from the module, and a module with others enabled may not load.
        // The list of features itself is for tools only and goes last.
        let mut optimise = node();
        optimise.arg(&wasm_opt).args(module.optimisation).arg("--strip-target-features");
        if names == Names::Kept {
            optimise.arg("-g");
        }
        run(optimise.arg(&bound).arg("-o").arg(&wasm))?;
        let before = fs::metadata(&bound)?.len();
        fs::remove_file(&bound)?;
        Ok((staging, before))
    }
}

impl Module {
    fn wasm(&self, directory: &Path) -> PathBuf {
        directory.join(format!("{}_bg.wasm", self.stem))
    }
}

pub(crate) fn build(module: &Module) -> Result<()> {
    let workshop = Workshop::open()?;
    // Everything is made aside and put in place only when it is known to load, so that a failed build breaks no importer.
    let (staging, before) = workshop.make(module, Names::Stripped)?;
    check(&module.wasm(&staging))?;
    if module.has_notices {
        let notices = notices::of(&workshop.root, module.package, TARGET)?;
        fs::write(staging.join("THIRD-PARTY-NOTICES"), notices)?;
    }
    let output = workshop.root.join(module.output);
    remove_directory(&output)?;
    copy_directory(&staging, &output)?;
    let after = fs::metadata(module.wasm(&output))?.len();
    println!("{}/{}_bg.wasm: {after} bytes, {before} before wasm-opt", module.output, module.stem);
    Ok(())
}

/// The module as it is shipped, but with the names of its functions.
pub(crate) fn with_names(module: &Module) -> Result<Vec<u8>> {
    let (staging, _) = Workshop::open()?.make(module, Names::Kept)?;
    let wasm = module.wasm(&staging);
    fs::read(&wasm).with_context(|| format!("cannot read {}", wasm.display()))
}

/// Panic messages name source files. The paths of the machine that built the module are nobody's business, and without
/// them every machine builds the same module.
fn flags(root: &Path) -> Vec<OsString> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    let given = env::var("RUSTFLAGS").unwrap_or_default();
    let mut flags: Vec<OsString> = given.split_whitespace().map(OsString::from).collect();
    flags.extend(home.map(|home| remap(&home, "/cargo")));
    flags.push(remap(root, "/rtctrace"));
    flags
}

fn remap(path: &Path, name: &str) -> OsString {
    let mut flag = OsString::from("--remap-path-prefix=");
    flag.push(path);
    flag.push("=");
    flag.push(name);
    flag
}

/// Where the source of the standard library is.
fn library_source(root: &Path) -> Result<PathBuf> {
    let output =
        Command::new("rustc").current_dir(root).args(["--print", "sysroot"]).output().context("cannot run rustc")?;
    let library = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()).join("lib/rustlib/src/rust/library");
    ensure!(
        output.status.success() && library.join("Cargo.lock").is_file(),
        "the source of Rust's standard library is missing: run `rustup component add rust-src` in {}",
        root.display()
    );
    fs::canonicalize(&library).with_context(|| format!("cannot find {}", library.display()))
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
