//! How long a decision takes, and where the time goes: `cargo bench -p bartizan-trust --bench authorize`.
//!
//! One thread; each figure is the median of many rounds, so that another program's moment does not
//! show. Not a test: nothing fails when the machine is slow.

use std::hint::black_box;
use std::time::Instant;

use bartizan_testkit::load::hardware::{P256, sk_ed25519};
use bartizan_testkit::load::organisation::Key;
use bartizan_testkit::load::scene::{Scene, Size, facts};
use bartizan_trust::authorize::{Verdict, authorize};
use bartizan_trust::checkpoint;
use bartizan_trust::control::{ControlUpdate, replay};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::Sha256;
use bartizan_trust::json;
use bartizan_trust::merkle::{leaf_hash, verify_inclusion};
use bartizan_trust::policy::LogTrust;
use bartizan_trust::proof::LogProof;
use bartizan_trust::sshsig::{SshSig, to_be_signed};
use bartizan_trust::statement::{Job, SignatureRole};
use bartizan_trust::targets::verify_target;

const ROUNDS: usize = 31;
/// A round lasts about this long.
const ROUND_S: f64 = 0.02;

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> Outcome {
    let size = Size { targets: 1000, logged: 100_000 };
    let mut scene = Scene::new(size)?;
    // Cargo passes `--bench`; there is nothing to choose.
    println!(
        "a job with 2 signatures for {} endpoints, in a log of {} entries\n",
        size.targets, size.logged
    );
    whole(&scene);
    parts(&scene)?;
    signatures(&scene)?;
    state_size(&mut scene);
    Ok(())
}

fn whole(scene: &Scene) {
    let verdict = authorize(&scene.state, &facts(), &scene.delivery()).verdict;
    assert!(matches!(verdict, Verdict::Run(_)), "the job should run: {verdict:?}");
    measure("authorize", || authorize(&scene.state, &facts(), &scene.delivery()));
    let mut other = scene.job.clone();
    other.pop();
    let mut delivery = scene.delivery();
    delivery.envelope = &other;
    measure("authorize, a malformed envelope", || authorize(&scene.state, &facts(), &delivery));
    let entries = [scene.genesis.clone()];
    let update = ControlUpdate { start: 0, entries: &entries, checkpoint: &scene.control_note };
    measure("replay of the genesis bundle", || replay(&scene.fresh, &facts(), &update));
}

fn parts(scene: &Scene) -> Outcome {
    println!();
    let envelope = Envelope::decode(&scene.job)?;
    let job: Job = envelope.statement()?;
    measure("  decode the envelope", || Envelope::decode(&scene.job));
    measure("  verify its 2 signatures", || envelope.verify_signatures());
    measure("  decode the payload", || envelope.statement::<Job>());
    let endpoint = &scene.state.endpoint;
    measure("  target path", || verify_target(&job.targets, endpoint, 0, scene.index, &scene.path));
    let trust = scene.state.trust.as_ref().ok_or("no bundle")?;
    measure("  parse the log keys and policy", || LogTrust::parse(&trust.bundle.log));
    let log = LogTrust::parse(&trust.bundle.log)?;
    measure("  decode the log proof", || LogProof::decode(&scene.proof));
    let proof = LogProof::decode(&scene.proof)?;
    measure("  open the checkpoint", || checkpoint::open(&proof.checkpoint, &log.jobs));
    let opened = checkpoint::open(&proof.checkpoint, &log.jobs)?;
    let (leaf, shown) = (leaf_hash(&scene.job), &opened.checkpoint);
    measure("  inclusion", || {
        verify_inclusion(&leaf, proof.index, shown.size, &proof.path, &shown.root)
    });
    measure("  verify 2 co-signatures", || log.policy.satisfied_at("both", &opened.note));
    measure("  hash the content", || Sha256::of(&scene.content));
    measure("  clone the state", || scene.state.clone());
    measure("  encode the state", || json::encode(&scene.state));
    Ok(())
}

fn signatures(scene: &Scene) -> Outcome {
    println!();
    let message = Envelope::decode(&scene.job)?.pae();
    let role = SignatureRole::Approve;
    let (key, p256) = (Key::named("bench")?, P256::generate()?);
    let plain = SshSig::from_ed25519(&key.public, role, key.raw(&to_be_signed(role, &message))?);
    let kinds = [
        ("ssh-ed25519", plain),
        ("sk-ssh-ed25519", sk_ed25519(&key, role, &message)?),
        ("sk-ecdsa", p256.native(role, &message)?),
        ("webauthn-sk-ecdsa", p256.webauthn(role, &message)?),
    ];
    for (name, signature) in &kinds {
        signature.verify(&message)?;
        measure(&format!("one {name} signature"), || signature.verify(&message));
    }
    Ok(())
}

/// The decision copies and the guard writes the whole state: what it costs when it is full.
fn state_size(scene: &mut Scene) {
    println!();
    let exp = scene.state.floor.plus(3600);
    for number in 0..4000_u32 {
        let id = bartizan_trust::id::StatementId::new(Sha256::of(&number.to_be_bytes()));
        scene.state.seen.insert(id, exp);
    }
    measure("authorize with 4,000 jobs remembered", || {
        authorize(&scene.state, &facts(), &scene.delivery())
    });
    measure("  encode that state", || json::encode(&scene.state));
}

fn measure<T>(name: &str, mut work: impl FnMut() -> T) {
    let begin = Instant::now();
    black_box(work());
    let once = begin.elapsed().as_secs_f64().max(1e-9);
    let mut count = 1_u32;
    let mut estimated = once;
    while estimated < ROUND_S && count < 1 << 24 {
        count *= 2;
        estimated *= 2.0;
    }
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let begin = Instant::now();
            for _ in 0..count {
                black_box(work());
            }
            begin.elapsed().as_secs_f64() / f64::from(count)
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let median = times.get(ROUNDS / 2).copied().unwrap_or_default();
    println!("{name:<40} {:>10.2} µs {:>12.0} /s", median * 1e6, 1.0 / median);
}
