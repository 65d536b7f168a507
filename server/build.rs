//! Embedded files are part of the release binary: when one of their folders changes, the crate is built anew. A debug build
//! reads them from the disk when they are asked for; but a folder that is missing when it is compiled it would never look
//! into, so an empty one is made.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=../migrations");
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    for folder in ["../dump-viewer/dist", "../demo", "../npm/dist"] {
        if is_release {
            println!("cargo:rerun-if-changed={folder}");
        } else {
            // Where nothing can be written, the files are missing as before, and the collector says so when they are asked for.
            let _ = std::fs::create_dir_all(folder);
        }
    }
}
