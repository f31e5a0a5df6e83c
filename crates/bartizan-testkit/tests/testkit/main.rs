//! Replays the committed fuzz corpora on stable, each input whole, cut and flipped.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "functions that tests share are tests"
)]

mod model;
mod pages;

use std::path::{Path, PathBuf};

use bartizan_testkit::fuzz::{TARGETS, seeds};
use bartizan_testkit::numbers::Numbers;

/// Mutations tried per target; shared evenly by its corpus files.
const MUTATIONS_PER_TARGET: u64 = 20_000;
/// The decisions verify signatures on every input; fewer keep the whole test within seconds.
const MUTATIONS_PER_DECISION: u64 = 3000;

fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let listing = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("corpus `{}`: {error}", folder.display()));
    let mut files: Vec<PathBuf> = listing.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "no corpus in `{}`", folder.display());
    files.into_iter().map(|path| (path.clone(), std::fs::read(&path).unwrap())).collect()
}

fn replay(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let files = corpus(name);
    let budget = match name {
        "authorize" | "control" | "pipe" => MUTATIONS_PER_DECISION,
        _ => MUTATIONS_PER_TARGET,
    };
    let each = budget / u64::try_from(files.len()).unwrap() + 1;
    for (path, bytes) in files {
        // What once was a bug stays in the corpus, under a name that says what must become of it.
        let refused = path.file_name().unwrap().to_string_lossy().starts_with("refused-");
        assert_eq!((target.run)(&bytes), !refused, "`{}`: accepted or not", path.display());
        for seed in 0..each {
            let mutated = Numbers::new(seed).damage(&bytes);
            let outcome = std::panic::catch_unwind(|| (target.run)(&mutated));
            assert!(outcome.is_ok(), "`{}` with seed {seed} breaks `{name}`", path.display());
        }
    }
}

/// Every prefix of a small seed is refused or reads on its own; none panics.
fn cuts(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    for (_, bytes) in corpus(name).iter().filter(|(_, bytes)| bytes.len() < 2048) {
        for end in 0..bytes.len() {
            (target.run)(&bytes[..end]);
        }
    }
}

macro_rules! replays {
    ($($target:ident)*) => {$(
        #[test]
        fn $target() {
            replay(stringify!($target));
        }
    )*

        #[test]
        fn every_target_is_replayed() {
            let mut replayed = vec![$(stringify!($target)),*];
            replayed.sort_unstable();
            let targets: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(replayed, targets);
        }

        #[test]
        fn no_cut_of_a_small_seed_panics() {
            $(cuts(stringify!($target));)*
        }
    };
}

replays! {
    add_checkpoint authorize checkpoint checks control entries envelope frames inventory message note payload pipe policy probe proof
    public_key samples sshsig state
}

#[test]
fn every_target_has_its_line_in_the_fuzz_crate() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let manifest = std::fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    for target in TARGETS {
        let file = fuzz.join(format!("fuzz_targets/{}.rs", target.name));
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(&format!("fuzz::{}(", target.name)), "{}", file.display());
        assert!(manifest.contains(&format!("name = \"{}\"", target.name)), "{}", target.name);
    }
}

#[test]
fn seeds_are_accepted_and_refused_without_their_last_byte() {
    for seed in seeds().unwrap() {
        let target = TARGETS.iter().find(|target| target.name == seed.target).unwrap();
        let refused = seed.name.starts_with("refused-");
        assert_eq!((target.run)(&seed.bytes), !refused, "{}/{}", seed.target, seed.name);
        // A policy's last line feed is optional; a proof hands its checkpoint on unread.
        if seed.bytes.len() > 64 && !["policy", "proof"].contains(&seed.target) {
            let cut = &seed.bytes[..seed.bytes.len() - 1];
            assert!(!(target.run)(cut), "{}/{} without its last byte", seed.target, seed.name);
        }
    }
}
