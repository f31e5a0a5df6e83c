//! Replays `vectors/scan`: what endpoints decide with scans. With `BARTIZAN_WRITE_VECTORS=1` it writes them first, each from a
//! case by name and not from the generated histories, so that they stay as they are when those change.

use std::{env, fs};

use bartizan_testkit::world::signed;

use super::*;

const RULES: &[u8] = b"bartizan-pack 1 in name only\n";
const ALICE: (&str, SignatureRole) = ("alice", SignatureRole::Author);
const BOB: (&str, SignatureRole) = ("bob", SignatureRole::Approve);

/// What is changed in a job that would be accepted, who signs it, and what is brought as its content.
struct Case {
    name: &'static str,
    signers: &'static [(&'static str, SignatureRole)],
    change: fn(&mut Job, &mut Scan),
    content: Option<&'static [u8]>,
    answer: Answer,
}

fn as_it_is(_: &mut Job, _: &mut Scan) {}

fn with_evidence(job: &mut Job, scan: &mut Scan) {
    let mut recipients = vec![
        Key::named("reader").unwrap().public.to_openssh(),
        "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq".to_owned(),
    ];
    recipients.sort();
    scan.evidence = Some(EvidenceOrder { recipients, bytes_max: limits::SCAN_EVIDENCE_BYTES_MIN });
    job.class = Class::Change;
}

const fn case(name: &'static str, change: fn(&mut Job, &mut Scan), answer: Answer) -> Case {
    Case { name, signers: &[ALICE], change, content: Some(RULES), answer }
}

fn cases() -> Vec<Case> {
    let no = Answer::No;
    vec![
        case("machine", as_it_is, Answer::Run),
        case(
            "image",
            |_, scan| scan.look = Look::Root { path: "/mnt/image".to_owned() },
            Answer::Run,
        ),
        case(
            "logs",
            |_, scan| scan.look = Look::Logs { path: "/srv/logs".to_owned() },
            Answer::Run,
        ),
        case("stricter_class", |job, _| job.class = Class::Routine, Answer::Run),
        Case { content: None, ..case("need_content", as_it_is, Answer::NeedContent) },
        Case { signers: &[ALICE, BOB], ..case("evidence", with_evidence, Answer::Run) },
        case("evidence_by_one", with_evidence, no(Refusal::ApprovalsMissing)),
        Case {
            signers: &[ALICE, BOB],
            ..case(
                "evidence_as_observe",
                |job, scan| {
                    with_evidence(job, scan);
                    job.class = Class::Observe;
                },
                no(Refusal::ClassTooWeak),
            )
        },
        case("class_update", |job, _| job.class = Class::Update, no(Refusal::ClassTooWeak)),
        Case { signers: &[BOB], ..case("no_author", as_it_is, no(Refusal::AuthorMissing)) },
        Case {
            content: Some(b"other rules"),
            ..case("other_rules", as_it_is, no(Refusal::ContentMismatch))
        },
        case("beyond_the_bundles_time", |_, scan| scan.time_budget_s = 3001, no(Refusal::ClassCap)),
        case("no_packs", |_, scan| scan.packs.clear(), no(Refusal::Malformed)),
        case("sizes_do_not_add_up", |_, scan| scan.packs[0].size += 1, no(Refusal::Malformed)),
        case("no_processor", |_, scan| scan.cpu_percent = 0, no(Refusal::Malformed)),
        case(
            "path_is_relative",
            |_, scan| scan.look = Look::Root { path: "mnt".to_owned() },
            no(Refusal::Malformed),
        ),
        case(
            "processes_of_an_image",
            |_, scan| {
                scan.look = Look::Root { path: "/mnt".to_owned() };
                scan.processes = true;
            },
            no(Refusal::Malformed),
        ),
        case(
            "standing",
            |job, _| {
                let on = On::Interval { every_s: 3600 };
                job.trigger = Some(world::trigger(on, job.window.exp));
            },
            no(Refusal::Malformed),
        ),
        case(
            "recipient_that_is_none",
            |job, scan| {
                with_evidence(job, scan);
                scan.evidence.as_mut().unwrap().recipients = vec!["age1reader".to_owned()];
            },
            no(Refusal::Malformed),
        ),
    ]
}

fn scan() -> Scan {
    let size = u32::try_from(RULES.len()).unwrap();
    Scan {
        packs: vec![
            ScanPack { name: "kaseya-2021".to_owned(), body: Sha256::of(b"built in"), size: 0 },
            ScanPack { name: "today".to_owned(), body: Sha256::of(b"its body"), size },
        ],
        content: Content { sha256: Sha256::of(RULES), size },
        look: Look::Machine {},
        processes: false,
        exclude: vec!["**/node_modules/**".to_owned()],
        expect_tools: vec!["anydesk".to_owned()],
        cpu_percent: 50,
        io_mb_per_s: Some(50),
        time_budget_s: 3000,
        result_max: limits::SCAN_RESULT_BYTES_MIN,
        evidence: None,
    }
}

fn played(case: &Case) -> Played {
    let mut world = World::with(|bundle| {
        let observe = ClassRule { class: Class::Observe, ..bundle.classes[0].clone() };
        bundle.classes.insert(0, observe);
        Ok(())
    })
    .unwrap();
    let before = world.endpoint(0).unwrap();
    let (mut job, mut order) = (world.job().unwrap(), scan());
    job.class = Class::Observe;
    // A list of one pack that is changed has its size first.
    if case.name == "sizes_do_not_add_up" || case.name == "no_packs" {
        order.packs.remove(0);
    }
    (case.change)(&mut job, &mut order);
    job.action = Action::Scan(Box::new(order));
    let mut delivery = world.deliver(&signed(&job, case.signers).unwrap(), &before).unwrap();
    delivery.content = case.content.map(<[u8]>::to_vec);
    let outcome = authorize(&before, &world.facts(), &delivery.as_ref());
    assert_eq!(answer(&outcome.verdict), case.answer, "{}", case.name);
    Played { before, clock: world.now, delivery, answer: case.answer }
}

#[test]
fn scan_vectors_are_judged_as_they_say() {
    let writes = env::var_os("BARTIZAN_WRITE_VECTORS").is_some();
    let mut counts = [0, 0];
    for case in cases() {
        let accept = matches!(case.answer, Answer::Run | Answer::NeedContent);
        counts[usize::from(!accept)] += 1;
        let mut text = serde_json::to_vec_pretty(&vectors::Vector::of(played(&case))).unwrap();
        text.push(b'\n');
        let folder = vectors::folder_of("scan", if accept { "accept" } else { "reject" });
        let file = folder.join(format!("{}.json", case.name));
        if writes {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&file, &text).unwrap();
        }
        let known = fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert!(known == text, "{} is another one", file.display());
    }
    vectors::replay("scan", counts);
}
