//! Puts the console's pages into the program as they are. Never runs a package manager: where nobody has built them, the program
//! serves a page that says how to.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), String> {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/dist");
    println!("cargo:rerun-if-env-changed=BARTIZAN_REQUIRE_CONSOLE");
    println!("cargo:rerun-if-changed={}", dist.display());
    // Cargo takes a folder that is missing for one that changed, and would build anew each time.
    let _ = fs::create_dir_all(&dist);
    let mut files = Vec::new();
    list(&dist, &mut files);
    files.sort();
    let built = files.iter().any(|file| file.ends_with("index.html"));
    if !built && env::var_os("BARTIZAN_REQUIRE_CONSOLE").is_some_and(|value| !value.is_empty()) {
        return Err(
            "web/dist holds no pages: run `npm ci --ignore-scripts && npm run build` in web/"
                .to_owned(),
        );
    }
    let mut text = String::from("pub(super) static FILES: &[(&str, &[u8])] = &[\n");
    for file in files.iter().filter(|_| built) {
        let name = file.strip_prefix(&dist).unwrap_or(file).display().to_string();
        let _ =
            writeln!(text, "    (\"/{name}\", include_bytes!({:?})),", file.display().to_string());
    }
    text += "];\n";
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("pages.rs");
    fs::write(&out, text).map_err(|error| format!("write {}: {error}", out.display()))
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            list(&path, files);
        } else {
            files.push(path);
        }
    }
}
