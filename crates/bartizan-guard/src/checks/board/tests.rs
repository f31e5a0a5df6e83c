use std::fs;

use bartizan_trust::id::Sha256;
use bartizan_trust::statement::Levels;

use super::*;

fn at(seconds: u64) -> UnixSeconds {
    UnixSeconds::new(1_800_000_000 + seconds)
}

fn check(id: &str, subject: Subject) -> Check {
    Check {
        id: id.to_owned(),
        title: String::new(),
        every_s: 10,
        fails: 1,
        recovers: 1,
        flaps: 0,
        subject,
    }
}

fn exists(path: &std::path::Path) -> Subject {
    let path = path.to_str().unwrap().to_owned();
    Subject::FileExists { path, wanted: false, severity: Severity::Error }
}

/// One whose companion cannot be asked.
fn loaded(path: PathBuf) -> Board {
    Board::load(path, Prober::new(crate::launcher::open().0.handle(), PathBuf::new(), None))
}

fn planned(policy: &str, check: &Check) -> Planned {
    Planned {
        policy: StatementId::new(Sha256::of(policy.as_bytes())),
        check: check.clone(),
        held: false,
    }
}

/// Looks at everything at once and waits for what comes back.
fn looked(
    board: &mut Board,
    ended: &BTreeMap<StatementId, EndedRun>,
    now: UnixSeconds,
) -> Vec<CheckResult> {
    for watched in &mut board.watched {
        watched.due = Instant::now();
    }
    board.look(ended, now);
    while board.watched.iter().any(|watched| watched.looking.is_some()) {
        thread::yield_now();
        board.look(ended, now);
    }
    board.poll_results()
}

fn states(results: &[CheckResult]) -> Vec<(&str, CheckState)> {
    results.iter().map(|result| (result.check.as_str(), result.state)).collect()
}

#[test]
fn a_change_is_told_at_once_and_everything_once_an_hour() {
    let folder = tempfile::tempdir().unwrap();
    let (file, none) = (folder.path().join("bad"), BTreeMap::new());
    let mut board = loaded(folder.path().join("checks.json"));
    board.follow(vec![planned("one", &check("there", exists(&file)))], at(0));
    let first = looked(&mut board, &none, at(0));
    assert_eq!(states(&first), [("there", CheckState::Ok)]);
    assert_eq!(looked(&mut board, &none, at(60)), []);
    fs::write(&file, "").unwrap();
    let bad = looked(&mut board, &none, at(120));
    assert_eq!(states(&bad), [("there", CheckState::Error)]);
    assert_eq!((bad[0].since, bad[0].at), (at(120), at(120)));
    assert_eq!(looked(&mut board, &none, at(120 + 3599)), []);
    let alive = looked(&mut board, &none, at(120 + 3600));
    assert_eq!(states(&alive), [("there", CheckState::Error)]);
    assert_eq!((alive[0].since, alive[0].at), (at(120), at(3720)));
    // A clock that was set back keeps nobody silent.
    assert_eq!(looked(&mut board, &none, at(0)).len(), 1);
}

#[test]
fn states_survive_a_start_and_a_new_version_but_not_another_subject() {
    let folder = tempfile::tempdir().unwrap();
    let (file, none) = (folder.path().join("bad"), BTreeMap::new());
    let path = folder.path().join("checks.json");
    fs::write(&file, "").unwrap();
    let patient = Check { recovers: 2, ..check("there", exists(&file)) };
    let mut board = loaded(path.clone());
    board.follow(vec![planned("one", &patient)], at(0));
    assert_eq!(states(&looked(&mut board, &none, at(0))), [("there", CheckState::Error)]);
    fs::remove_file(&file).unwrap();
    assert_eq!(looked(&mut board, &none, at(10)), []);
    board.remember(true);
    // Another life: one more good look is enough, because the first was remembered.
    let mut board = loaded(path.clone());
    board.follow(vec![planned("one", &patient)], at(20));
    let well = looked(&mut board, &none, at(20));
    assert_eq!(states(&well), [("there", CheckState::Ok)]);
    // The same check by the next version of its policy is told anew, with its old age.
    board.follow(vec![planned("two", &patient)], at(30));
    let again = looked(&mut board, &none, at(30));
    assert_eq!((states(&again), again[0].since), (vec![("there", CheckState::Ok)], at(20)));
    assert_ne!(again[0].policy, well[0].policy);
    let other = check("there", exists(&folder.path().join("other")));
    board.follow(vec![planned("two", &other)], at(40));
    assert_eq!(states(&board.poll_results()), [("there", CheckState::Gone)]);
    assert_eq!(looked(&mut board, &none, at(40))[0].since, at(40));
    // Damage costs the states, not the checks.
    fs::write(&path, "{").unwrap();
    let mut board = loaded(path);
    board.follow(vec![planned("two", &other)], at(50));
    assert_eq!(looked(&mut board, &none, at(50)).len(), 1);
}

#[test]
fn what_is_over_is_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let none = BTreeMap::new();
    let mut board = loaded(folder.path().join("checks.json"));
    let one = planned("one", &check("one", exists(&folder.path().join("one"))));
    let two = planned("one", &check("two", exists(&folder.path().join("two"))));
    board.follow(vec![one.clone(), two], at(0));
    assert_eq!(looked(&mut board, &none, at(0)).len(), 2);
    board.follow(vec![one], at(10));
    assert_eq!(states(&board.poll_results()), [("two", CheckState::Gone)]);
    board.follow(Vec::new(), at(20));
    assert_eq!(states(&board.poll_results()), [("one", CheckState::Gone)]);
    assert!(board.remembered.is_empty());
}

#[test]
fn the_exit_status_of_a_standing_order_is_a_state() {
    let folder = tempfile::tempdir().unwrap();
    let order = StatementId::new(Sha256::of(b"order"));
    let subject = Subject::Order { order, ok: vec![0], warn: vec![1] };
    let mut board = loaded(folder.path().join("checks.json"));
    board.follow(vec![planned("one", &check("script", subject))], at(0));
    assert_eq!(looked(&mut board, &BTreeMap::new(), at(0)), [], "it never ran");
    let mut after = |exit| {
        let run = EndedRun { due: at(0), well: exit == Some(0), exit };
        let results = looked(&mut board, &BTreeMap::from([(order, run)]), at(10));
        results.first().map(|result| result.state)
    };
    assert_eq!(after(Some(0)), Some(CheckState::Ok));
    assert_eq!(after(Some(1)), Some(CheckState::Warn));
    assert_eq!(after(Some(2)), Some(CheckState::Error));
    assert_eq!(after(Some(0)), Some(CheckState::Ok));
    assert_eq!(after(None), Some(CheckState::Error));
}

#[test]
fn a_look_that_hangs_is_unknown_and_stops_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let none = BTreeMap::new();
    let mut board = loaded(folder.path().join("checks.json"));
    let hangs = check("hangs", exists(&folder.path().join("one")));
    let fine = check("fine", exists(&folder.path().join("two")));
    let memory = Subject::Memory { above: Levels { warn: None, error: Some(100) } };
    board.follow(
        vec![
            planned("one", &hangs),
            planned("one", &fine),
            planned("one", &check("memory", memory)),
        ],
        at(0),
    );
    // As a look at a dead mount is: it never comes back.
    let (never, found) = sync_channel(1);
    let begun = Instant::now().checked_sub(LOOK_PATIENCE).unwrap();
    board.watched[0].looking = Some(Looking { begun, found });
    board.look(&none, at(0));
    while board.watched[1].looking.is_some() {
        thread::yield_now();
        board.look(&none, at(0));
    }
    let mut found = board.poll_results();
    found.sort_by(|a, b| a.check.cmp(&b.check));
    let states = states(&found);
    assert_eq!(states[0], ("fine", CheckState::Ok));
    assert_eq!(states[1], ("hangs", CheckState::Unknown));
    assert_eq!(states[2].0, "memory");
    drop(never);
}

#[test]
fn no_more_looks_hang_at_once_than_16() {
    let folder = tempfile::tempdir().unwrap();
    let mut board = loaded(folder.path().join("checks.json"));
    let checks: Vec<_> = (0..=LOOKS_MAX)
        .map(|number| {
            let path = folder.path().join(number.to_string());
            planned("one", &check(&format!("c{number:02}"), exists(&path)))
        })
        .collect();
    board.follow(checks, at(0));
    let mut senders = Vec::new();
    for watched in board.watched.iter_mut().take(LOOKS_MAX) {
        let (never, found) = sync_channel(1);
        senders.push(never);
        watched.looking = Some(Looking { begun: Instant::now(), found });
    }
    board.look(&BTreeMap::new(), at(0));
    let found = board.poll_results();
    assert_eq!(states(&found), [("c16", CheckState::Unknown)]);
    drop(senders.pop());
    board.watched[LOOKS_MAX].due = Instant::now();
    while board.poll_results().iter().all(|result| result.state != CheckState::Ok) {
        thread::yield_now();
        board.look(&BTreeMap::new(), at(10));
        board.watched[LOOKS_MAX].due = Instant::now();
    }
}

fn pinged(id: &str) -> Check {
    let loss = Some(Levels { warn: None, error: Some(50) });
    check(id, Subject::Ping { host: "acme.example".to_owned(), loss, above: None })
}

#[test]
fn what_leaves_the_machine_rests_while_it_is_held() {
    let folder = tempfile::tempdir().unwrap();
    let none = BTreeMap::new();
    let mut board = loaded(folder.path().join("checks.json"));
    let local = planned("one", &check("there", exists(&folder.path().join("one"))));
    let asks = planned("one", &pinged("ping"));
    let held = |planned: &Planned| Planned { held: true, ..planned.clone() };
    board.follow(vec![held(&local), held(&asks)], at(0));
    assert_eq!(states(&looked(&mut board, &none, at(0))), [("there", CheckState::Ok)]);
    board.follow(vec![local, asks], at(10));
    assert_eq!(states(&looked(&mut board, &none, at(10))), [("ping", CheckState::Unknown)]);
}

#[test]
fn a_few_ask_at_once_and_nobody_waits_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let mut board = loaded(folder.path().join("checks.json"));
    let count = PROBES_MAX + 2;
    let checks = (0..count).map(|n| planned("one", &pinged(&format!("c{n:02}"))));
    board.follow(checks.collect(), at(0));
    let now = Instant::now();
    for (at, watched) in board.watched.iter_mut().enumerate() {
        // The last ones have waited longest.
        let waited = Duration::from_secs(u64::try_from(at).unwrap());
        watched.due = now.checked_sub(waited).unwrap();
    }
    let mut turn = whose_turn(&board.watched);
    turn.sort_unstable();
    assert_eq!(turn, (2..count).collect::<Vec<_>>());
    let mut senders = Vec::new();
    for watched in board.watched.iter_mut().skip(2) {
        let (never, found) = sync_channel(1);
        senders.push(never);
        watched.looking = Some(Looking { begun: Instant::now(), found });
    }
    assert_eq!(whose_turn(&board.watched), Vec::<usize>::new());
    board.look(&BTreeMap::new(), at(0));
    assert!(board.watched[0].looking.is_none(), "it waits");
    assert!(board.watched[0].due <= now, "and is not late because of that");
    assert_eq!(board.poll_results(), []);
    board.watched[2].looking = None;
    board.watched[2].due = Instant::now() + Duration::from_mins(1);
    assert_eq!(whose_turn(&board.watched), [1]);
}
