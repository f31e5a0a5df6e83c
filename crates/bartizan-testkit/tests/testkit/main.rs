//! Replays the committed fuzz corpora on stable, each input whole, cut and flipped.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "functions that tests share are tests"
)]

use std::path::{Path, PathBuf};

use bartizan_testkit::fuzz::{TARGETS, seeds};

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

/// SplitMix64: the same numbers on every machine, so that a failure is its seed.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }
}

/// One to three small damages: a bit, a cut, a doubled or removed piece, an extreme byte.
fn mutate(bytes: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for _ in 0..=numbers.below(3) {
        let at = numbers.below(out.len());
        let end = (at + 1 + numbers.below(8)).min(out.len());
        match numbers.below(6) {
            0 if !out.is_empty() => out[at] ^= 1 << numbers.below(8),
            1 => out.truncate(at),
            2 if !out.is_empty() => drop(out.drain(at..end)),
            3 if !out.is_empty() => {
                let piece = out[at..end].to_vec();
                out.splice(at..at, piece);
            }
            4 if !out.is_empty() => out[at] = [0, 0x7f, 0x80, 0xff, b'"', b'\n'][numbers.below(6)],
            _ => out.insert(at, u8::try_from(numbers.below(256)).unwrap()),
        }
    }
    out
}

fn replay(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let files = corpus(name);
    let budget = match name {
        "authorize" | "control" => MUTATIONS_PER_DECISION,
        _ => MUTATIONS_PER_TARGET,
    };
    let each = budget / u64::try_from(files.len()).unwrap() + 1;
    for (path, bytes) in files {
        // What once was a bug stays in the corpus, under a name that says what must become of it.
        let refused = path.file_name().unwrap().to_string_lossy().starts_with("refused-");
        assert_eq!((target.run)(&bytes), !refused, "`{}`: accepted or not", path.display());
        for seed in 0..each {
            let mutated = mutate(&bytes, &mut Numbers(seed));
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
    add_checkpoint authorize checkpoint control entries envelope frames message note payload policy proof public_key
    sshsig state
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
