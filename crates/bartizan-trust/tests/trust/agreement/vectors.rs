//! Replays `vectors/authorize`. With `BARTIZAN_WRITE_VECTORS=1` it writes them first, from the generated histories.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::*;

/// A promotion that comes with a job.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Promotion {
    envelope: String,
    index: u64,
    path: Vec<Sha256>,
}

/// One decision. Bytes are base64.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Vector {
    /// `run`, `need_content`, or the code of the refusal.
    pub(super) expect: String,
    now: UnixSeconds,
    agent_version: String,
    state: State,
    envelope: String,
    proof: String,
    consistency: Vec<Sha256>,
    stage: u32,
    index: u32,
    path: Vec<Sha256>,
    promotions: Vec<Promotion>,
    content: Option<String>,
    package: Option<Package>,
    /// Of the state afterwards: witness time, and the size of the jobs log.
    floor: UnixSeconds,
    jobs_size: u64,
}

fn folder(name: &str) -> PathBuf {
    folder_of("authorize", name)
}

pub(super) fn folder_of(set: &str, name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors").join(set).join(name)
}

impl Vector {
    pub(super) fn judge(&self) -> bartizan_trust::authorize::Outcome {
        let bytes = |text: &str| BASE64.decode(text.as_bytes()).unwrap();
        let delivery = build::Delivery {
            envelope: bytes(&self.envelope),
            proof: bytes(&self.proof),
            consistency: self.consistency.clone(),
            stage: self.stage,
            index: self.index,
            path: self.path.clone(),
            promotions: self
                .promotions
                .iter()
                .map(|logged| LoggedStatement {
                    envelope: bytes(&logged.envelope),
                    index: logged.index,
                    path: logged.path.clone(),
                })
                .collect(),
            content: self.content.as_deref().map(bytes),
            package: self.package.clone(),
        };
        let facts = LocalFacts { now: self.now, agent_version: &self.agent_version };
        authorize(&self.state, &facts, &delivery.as_ref())
    }

    pub(super) fn of(played: Played) -> Self {
        let delivery = played.delivery;
        let vector = Self {
            expect: name(played.answer).to_owned(),
            now: played.clock,
            agent_version: "0.1.0".to_owned(),
            state: played.before,
            envelope: BASE64.encode(&delivery.envelope),
            proof: BASE64.encode(&delivery.proof),
            consistency: delivery.consistency,
            stage: delivery.stage,
            index: delivery.index,
            path: delivery.path,
            promotions: delivery
                .promotions
                .into_iter()
                .map(|logged| Promotion {
                    envelope: BASE64.encode(&logged.envelope),
                    index: logged.index,
                    path: logged.path,
                })
                .collect(),
            content: delivery.content.map(|content| BASE64.encode(&content)),
            package: delivery.package,
            floor: UnixSeconds::ZERO,
            jobs_size: 0,
        };
        vector.with_what_follows()
    }

    /// The same delivery at an endpoint whose bundle demands another version of the agent.
    pub(super) fn under(mut self, min_agent: &str, expect: &str) -> Self {
        min_agent.clone_into(&mut self.state.trust.as_mut().unwrap().bundle.min_agent);
        expect.clone_into(&mut self.expect);
        self.with_what_follows()
    }

    fn with_what_follows(mut self) -> Self {
        let after = self.judge().state;
        self.floor = after.floor;
        self.jobs_size = after.jobs.size;
        self
    }
}

#[test]
fn authorize_vectors_are_judged_as_they_say() {
    if env::var_os("BARTIZAN_WRITE_VECTORS").is_some() {
        write();
    }
    replay("authorize", [5, 38]);
}

/// Judges every file of a set, which has at least so many to accept and to reject.
pub(super) fn replay(set: &str, least: [usize; 2]) {
    for (name, accept, least) in [("accept", true, least[0]), ("reject", false, least[1])] {
        let files: Vec<_> =
            fs::read_dir(folder_of(set, name)).unwrap().map(|file| file.unwrap().path()).collect();
        assert!(files.len() >= least, "{name}: {} files", files.len());
        for file in files {
            let vector: Vector = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
            let outcome = vector.judge();
            let found = super::name(answer(&outcome.verdict));
            assert_eq!(found, vector.expect, "{}", file.display());
            assert_eq!(
                accept,
                matches!(found, "run" | "stand" | "need_content"),
                "{}",
                file.display()
            );
            let after = (outcome.state.floor, outcome.state.jobs.size);
            assert_eq!(after, (vector.floor, vector.jobs_size), "{}", file.display());
        }
    }
}

/// One file per refusal, the smallest that came up; and the first few that run.
fn write() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut smallest: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for _ in 0..400 {
        let case = generate::case().new_tree(&mut runner).unwrap().current();
        for played in play(&case) {
            // An envelope above the limit is 60 KiB of nothing: the limits have tests of their own.
            if played.answer == Answer::No(Refusal::TooLarge) {
                continue;
            }
            let class = if played.answer == Answer::Run {
                let update = if played.delivery.package.is_some() { "_update" } else { "" };
                format!("{update}{}", played.before.seen.len())
            } else {
                String::new()
            };
            let vector = Vector::of(played);
            let mut text = serde_json::to_vec_pretty(&vector).unwrap();
            text.push(b'\n');
            let known = smallest.entry(format!("{}{class}", vector.expect)).or_insert(text.clone());
            if text.len() < known.len() {
                *known = text;
            }
        }
    }
    for name in ["accept", "reject"] {
        let _ = fs::remove_dir_all(folder(name));
        fs::create_dir_all(folder(name)).unwrap();
    }
    for (name, text) in smallest {
        let kind = if name.starts_with("run") || matches!(&*name, "stand" | "need_content") {
            "accept"
        } else {
            "reject"
        };
        fs::write(folder(kind).join(format!("{name}.json")), text).unwrap();
    }
}
