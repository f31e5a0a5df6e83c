//! Scans: a compromised server chooses neither rules nor places, and reads no evidence that it was not meant to.

use bartizan_testkit::world::trigger;
use bartizan_trust::json::Validate as _;
use bartizan_trust::people::pack_keys;
use bartizan_trust::statement::On;

use super::*;

/// As a pack file: the endpoint's decision does not read it.
const PACK: &[u8] = b"rules of the day";
/// What makes a scan another one.
type Change = Box<dyn Fn(&mut Scan)>;
/// A recipient that nobody has the key of.
const RECIPIENT: &str = "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq";

fn pack(name: &str, file: &[u8]) -> ScanPack {
    let size = u32::try_from(file.len()).unwrap();
    ScanPack { name: name.to_owned(), body: Sha256::of(file), size }
}

fn scan() -> Scan {
    Scan {
        packs: vec![pack("kaseya-2021", b""), pack("today", PACK)],
        content: Content { sha256: Sha256::of(PACK), size: u32::try_from(PACK.len()).unwrap() },
        look: Look::Machine {},
        processes: true,
        exclude: vec!["**/cache/**".to_owned()],
        expect_tools: vec!["anydesk".to_owned()],
        cpu_percent: 50,
        io_mb_per_s: Some(100),
        time_budget_s: 2400,
        result_max: limits::SCAN_RESULT_BYTES_MIN,
        evidence: None,
    }
}

fn evidence() -> EvidenceOrder {
    EvidenceOrder {
        recipients: vec![RECIPIENT.to_owned()],
        bytes_max: limits::SCAN_EVIDENCE_BYTES_MIN,
    }
}

/// An organisation whose bundle has the class `observe`, for which one signature is enough.
fn organisation() -> World {
    World::with(|bundle| {
        let routine = bundle.classes[0].clone();
        bundle.limits.timeout_s_max = bundle.limits.timeout_s_max.max(3600);
        bundle.limits.output_max = 256 * 1024;
        bundle.classes.insert(
            0,
            ClassRule {
                class: Class::Observe,
                approvals: 0,
                endpoints_new_max: 1000,
                endpoints_max: 1000,
                ..routine
            },
        );
        Ok(())
    })
    .unwrap()
}

fn delivery(
    world: &mut World,
    state: &State,
    signers: &[(&str, SignatureRole)],
    change: impl FnOnce(&mut Job, &mut Scan),
) -> Delivery {
    let mut job = world.job().unwrap();
    job.class = Class::Observe;
    let mut scan = scan();
    change(&mut job, &mut scan);
    job.action = Action::Scan(Box::new(scan));
    let mut delivery = world.deliver(&signed(&job, signers).unwrap(), state).unwrap();
    delivery.content = Some(PACK.to_vec());
    delivery
}

const ALICE: [(&str, SignatureRole); 1] = [("alice", Author)];

#[track_caller]
fn scan_refused(
    signers: &[(&str, SignatureRole)],
    change: impl FnOnce(&mut Job, &mut Scan),
    spoil: impl FnOnce(&mut Delivery),
    expected: Refusal,
) {
    let mut world = organisation();
    let state = world.endpoint(0).unwrap();
    let mut bad = delivery(&mut world, &state, signers, change);
    spoil(&mut bad);
    refused(&mut world, &state, &bad, expected);
    let good = delivery(&mut world, &state, &ALICE, |_, _| {});
    assert!(matches!(deliver(&world, &state, &good).verdict, Verdict::Scan(_)));
}

#[test]
fn one_signature_is_enough_to_look_once_and_the_proof_has_all_that_was_signed() {
    let mut world = organisation();
    let state = world.endpoint(0).unwrap();
    let mut good = delivery(&mut world, &state, &ALICE, |_, _| {});
    let content = good.content.take();
    let outcome = deliver(&world, &state, &good);
    assert!(matches!(outcome.verdict, Verdict::NeedContent(wanted) if wanted == scan().content));
    good.content = content;
    let outcome = deliver(&world, &outcome.state, &good);
    let Verdict::Scan(proof) = outcome.verdict else { panic!("{:?}", outcome.verdict) };
    assert_eq!((proof.action(), proof.content()), (&scan(), PACK));
    refused(&mut world, &outcome.state, &good, Refusal::Replayed);
}

#[test]
fn a_server_cannot_have_anything_looked_for_that_nobody_signed() {
    scan_refused(&[], |_, _| {}, |_| {}, Refusal::AuthorMissing);
    scan_refused(&[("mallory", Author)], |_, _| {}, |_| {}, Refusal::AuthorMissing);
    // Approving is not asking for it.
    scan_refused(&[("bob", Approve)], |_, _| {}, |_| {}, Refusal::AuthorMissing);
}

#[test]
fn a_server_cannot_choose_the_rules() {
    for other in [&b"rules of the server"[..], b"", b"rules of the dax", b"rules of the day "] {
        let swap = |delivery: &mut Delivery| delivery.content = Some(other.to_vec());
        scan_refused(&ALICE, |_, _| {}, swap, Refusal::ContentMismatch);
    }
}

#[test]
fn a_server_cannot_choose_the_place_or_who_reads_the_evidence() {
    // What was signed, with another place in it: the signature is about other bytes.
    let mut world = organisation();
    let state = world.endpoint(0).unwrap();
    let change = |job: &mut Job, scan: &mut Scan| {
        job.class = Class::Change;
        scan.evidence = Some(evidence());
    };
    for (signed_text, forged) in [
        ("{\"kind\":\"machine\"}", "{\"kind\":\"root\",\"path\":\"/root\"}".to_owned()),
        (RECIPIENT, RECIPIENT.replace("qqqqqq", "pppppp")),
    ] {
        let mut bad = delivery(&mut world, &state, &BOTH, change);
        let envelope: serde_json::Value = serde_json::from_slice(&bad.envelope).unwrap();
        let payload = envelope["payload"].as_str().unwrap();
        let decode = |text: &str| data_encoding::BASE64.decode(text.as_bytes()).unwrap();
        let text = String::from_utf8(decode(payload)).unwrap();
        assert!(text.contains(signed_text));
        let text = text.replace(signed_text, &forged);
        let text = if forged.contains("root") {
            text.replace("\"processes\":true", "\"processes\":false")
        } else {
            text
        };
        let forged = data_encoding::BASE64.encode(text.as_bytes());
        let whole = String::from_utf8(bad.envelope.clone()).unwrap().replace(payload, &forged);
        let entry = Envelope::decode(whole.as_bytes()).unwrap();
        bad = world.deliver(&entry, &state).unwrap();
        bad.content = Some(PACK.to_vec());
        refused(&mut world, &state, &bad, Refusal::AuthorMissing);
    }
}

#[test]
fn evidence_needs_as_many_people_as_a_script_that_could_fetch_it() {
    let wanting = |class| {
        move |job: &mut Job, scan: &mut Scan| {
            job.class = class;
            scan.evidence = Some(evidence());
        }
    };
    scan_refused(&ALICE, wanting(Class::Observe), |_| {}, Refusal::ClassTooWeak);
    let many = |job: &mut Job, scan: &mut Scan| {
        let mut endpoints: Vec<u32> = (1..12).collect();
        endpoints.push(0);
        aim(job, World::tree(&endpoints).unwrap().targets());
        wanting(Class::Routine)(job, scan);
    };
    scan_refused(&ALICE, many, |_| {}, Refusal::ClassTooWeak);
    scan_refused(&ALICE, wanting(Class::Change), |_| {}, Refusal::ApprovalsMissing);
    let mut world = organisation();
    let state = world.endpoint(0).unwrap();
    let good = delivery(&mut world, &state, &BOTH, wanting(Class::Change));
    assert!(matches!(deliver(&world, &state, &good).verdict, Verdict::Scan(_)));
}

#[test]
fn a_scan_makes_no_script_a_reviewed_one() {
    let mut world = organisation();
    let state = world.endpoint(0).unwrap();
    let countersigned = delivery(&mut world, &state, &BOTH, |_, _| {});
    let outcome = deliver(&world, &state, &countersigned);
    assert!(matches!(outcome.verdict, Verdict::Scan(_)));
    assert_eq!(outcome.state.reviewed, state.reviewed);
}

#[test]
fn without_the_class_in_the_bundle_a_scan_needs_what_a_script_needs() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let bad = delivery(&mut world, &state, &ALICE, |_, _| {});
    refused(&mut world, &state, &bad, Refusal::ClassTooWeak);
}

#[test]
fn a_script_cannot_claim_to_observe() {
    let mut world = organisation();
    job_refused_in(&mut world, |job| job.class = Class::Observe, &BOTH, Refusal::ClassTooWeak);
}

#[test]
fn a_scan_beyond_the_bundles_time_or_output_is_refused() {
    let slow = |_: &mut Job, scan: &mut Scan| scan.time_budget_s = 3001;
    scan_refused(&ALICE, slow, |_| {}, Refusal::ClassCap);
    let talkative = |_: &mut Job, scan: &mut Scan| scan.result_max = 256 * 1024 + 1;
    scan_refused(&ALICE, talkative, |_| {}, Refusal::ClassCap);
    let together = |job: &mut Job, scan: &mut Scan| {
        job.class = Class::Change;
        scan.result_max = 128 * 1024;
        scan.evidence = Some(EvidenceOrder { bytes_max: 128 * 1024 + 1, ..evidence() });
    };
    scan_refused(&BOTH, together, |_| {}, Refusal::ClassCap);
}

#[test]
fn a_malformed_scan_is_refused() {
    let root = |path: &str| Look::Root { path: path.to_owned() };
    let recipients = |texts: &[&str]| EvidenceOrder {
        recipients: texts.iter().map(|text| (*text).to_owned()).collect(),
        ..evidence()
    };
    let bad: Vec<Change> = vec![
        Box::new(|scan| scan.packs.clear()),
        Box::new(|scan| scan.packs.reverse()),
        Box::new(|scan| scan.packs[1].name = "kaseya-2021".to_owned()),
        Box::new(|scan| scan.packs[0].name = "a\nb".to_owned()),
        Box::new(|scan| scan.packs[1].size += 1),
        Box::new(|scan| scan.packs[1].size = u32::MAX),
        Box::new(|scan| scan.content.size = 0),
        Box::new(move |scan| scan.look = root("/mnt/image")), // processes of an image
        Box::new(move |scan| (scan.processes, scan.look) = (false, root("mnt"))),
        Box::new(move |scan| (scan.processes, scan.look) = (false, root(""))),
        Box::new(|scan| scan.exclude = vec![String::new()]),
        Box::new(|scan| scan.expect_tools = vec!["x".to_owned(); limits::SCAN_NAMES_MAX + 1]),
        Box::new(|scan| scan.cpu_percent = 0),
        Box::new(|scan| scan.cpu_percent = 101),
        Box::new(|scan| scan.io_mb_per_s = Some(0)),
        Box::new(|scan| scan.time_budget_s = 0),
        Box::new(|scan| scan.time_budget_s = limits::SCAN_TIME_S_MAX + 1),
        Box::new(|scan| scan.result_max = limits::SCAN_RESULT_BYTES_MIN - 1),
        Box::new(|scan| scan.result_max = limits::SCAN_RESULT_BYTES_MAX + 1),
        Box::new(move |scan| scan.evidence = Some(recipients(&[]))),
        Box::new(move |scan| scan.evidence = Some(recipients(&[RECIPIENT, RECIPIENT]))),
        Box::new(move |scan| scan.evidence = Some(recipients(&["age1short"]))),
        Box::new(move |scan| scan.evidence = Some(recipients(&[&RECIPIENT.to_uppercase()]))),
        Box::new(move |scan| scan.evidence = Some(recipients(&["ssh-rsa AAAA"]))),
        Box::new(move |scan| scan.evidence = Some(recipients(&["ssh-ed25519 AAAA"]))),
        Box::new(|scan| {
            let bytes_max = limits::SCAN_EVIDENCE_BYTES_MAX + 1;
            scan.evidence = Some(EvidenceOrder { bytes_max, ..evidence() });
        }),
        Box::new(|scan| {
            let bytes_max = limits::SCAN_EVIDENCE_BYTES_MIN - 1;
            scan.evidence = Some(EvidenceOrder { bytes_max, ..evidence() });
        }),
    ];
    for (number, change) in bad.iter().enumerate() {
        let mut changed = scan();
        change(&mut changed);
        let mut job = world().job().unwrap();
        job.action = Action::Scan(Box::new(changed));
        assert!(job.validate().is_err(), "change {number}");
    }
    scan_refused(&ALICE, |_, scan| scan.cpu_percent = 0, |_| {}, Refusal::Malformed);
    let standing =
        |job: &mut Job, _: &mut Scan| job.trigger = Some(trigger(On::Start {}, job.window.exp));
    scan_refused(&ALICE, standing, |_| {}, Refusal::Malformed);
}

#[test]
fn the_largest_scan_is_within_every_limit() {
    let line = |number: usize| format!("{number:0256}");
    let key = |seed: &str| Key::named(seed).unwrap().public.to_openssh();
    let mut recipients: Vec<String> =
        (0..limits::SCAN_RECIPIENTS_MAX).map(|number| key(&format!("reader {number}"))).collect();
    recipients.sort();
    let size = limits::SCAN_CONTENT_BYTES_MAX;
    let mut packs: Vec<ScanPack> =
        (0..limits::SCAN_PACKS_MAX).map(|number| pack(&line(number), b"")).collect();
    packs[3].size = size;
    let largest = Scan {
        packs,
        content: Content { sha256: Sha256::of(b"x"), size },
        look: Look::Logs { path: format!("/{}", "l".repeat(255)) },
        processes: false,
        exclude: (0..limits::SCAN_NAMES_MAX).map(line).collect(),
        expect_tools: (0..limits::SCAN_NAMES_MAX).map(line).collect(),
        cpu_percent: 100,
        io_mb_per_s: Some(limits::SCAN_IO_MB_PER_S_MAX),
        time_budget_s: limits::SCAN_TIME_S_MAX,
        result_max: limits::SCAN_RESULT_BYTES_MAX,
        evidence: Some(EvidenceOrder { recipients, bytes_max: limits::SCAN_EVIDENCE_BYTES_MAX }),
    };
    let mut job = world().job().unwrap();
    job.action = Action::Scan(Box::new(largest));
    let envelope = Envelope::new(&job);
    assert_eq!(Envelope::decode(&envelope.encode()).unwrap().statement::<Job>().unwrap(), job);
}

#[test]
fn packs_are_believed_by_the_keys_of_the_tenants_authors_only() {
    let world = World::with(|bundle| {
        bundle.operators[1].roles.retain(|role| *role != OperatorRole::Author);
        bundle.operators[2].tenants =
            TenantScope::Only(vec![TenantId::from_name("globex").unwrap()]);
        Ok(())
    })
    .unwrap();
    let acme = TenantId::from_name("acme").unwrap();
    let alice = Key::named("alice").unwrap().public.to_openssh();
    assert_eq!(pack_keys(&world.bundle, &acme), [alice.as_str()]);
}
