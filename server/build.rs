//! Embedded files are part of the release binary: when one of their folders changes, the crate is built anew. A debug build
//! reads them from the disk when they are asked for.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=../migrations");
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        for folder in ["../dump-viewer/dist", "../demo", "../npm/dist"] {
            println!("cargo:rerun-if-changed={folder}");
        }
    }
}
