use super::*;

fn fresh() -> (tempfile::TempDir, PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("reports");
    (place, folder)
}

fn observation(kind: ReportKind, items: u64, bytes: &[u8]) -> Observation {
    Observation { kind, at: 1_800_000_000, items, bytes: bytes.to_vec() }
}

fn samples(bytes: &[u8]) -> Observation {
    observation(ReportKind::Samples, 1, bytes)
}

fn take(reports: &mut Reports, admitted: bool) -> Vec<Report> {
    let mut taken = Vec::new();
    reports.send(admitted, |message| {
        let Message::Report(report) = message else { panic!("a report") };
        taken.push(report);
        true
    });
    taken
}

/// Everything there is, confirmed as it comes.
fn drain(reports: &mut Reports) -> Vec<Report> {
    let mut all = Vec::new();
    loop {
        let some = take(reports, true);
        let Some(last) = some.last() else { return all };
        reports.confirm(last.epoch, last.seq);
        all.extend(some);
    }
}

fn bodies(reports: &[Report]) -> Vec<&[u8]> {
    reports.iter().map(|report| report.bytes.as_slice()).collect()
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut all: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some())
        .collect();
    all.sort();
    all
}

#[test]
fn what_is_not_confirmed_goes_out_again_and_what_is_does_not() {
    let (_place, folder) = fresh();
    let mut reports = Reports::open(folder.clone());
    for body in [b"a", b"b", b"c"] {
        reports.add(samples(body));
    }
    let first = take(&mut reports, true);
    assert_eq!(bodies(&first), [b"a", b"b", b"c"]);
    assert!(first.windows(2).all(|pair| pair[0].seq < pair[1].seq));
    assert!(take(&mut reports, true).is_empty(), "all are on their way");
    reports.confirm(first[0].epoch, first[0].seq);
    reports.begin_link();
    assert_eq!(take(&mut reports, true), first[1..]);
    reports.confirm(first[0].epoch.wrapping_add(1), u64::MAX);
    reports.begin_link();
    assert_eq!(take(&mut reports, true), first[1..], "another spool's confirmation");
    reports.confirm(first[2].epoch, first[2].seq);
    assert!(files_in(&folder).is_empty(), "nothing is left on the disk");
}

#[test]
fn a_killed_guard_leaves_what_it_wrote_and_numbers_are_never_used_twice() {
    let (_place, folder) = fresh();
    let mut seen = Vec::new();
    for round in 0..5_u8 {
        let mut reports = Reports::open(folder.clone());
        reports.add(samples(&[round]));
        // Whoever is killed runs no destructor, and nothing here needs one.
        std::mem::forget(reports);
        let mut again = Reports::open(folder.clone());
        let waiting = take(&mut again, true);
        assert_eq!(waiting.len(), usize::from(round) + 1);
        let newest = waiting.last().unwrap();
        assert!(!seen.contains(&newest.seq));
        seen.push(newest.seq);
        assert_eq!(waiting[0].epoch, newest.epoch);
    }
    // All confirmed, nothing on the disk but the numbers.
    let mut reports = Reports::open(folder.clone());
    drain(&mut reports);
    let mut reports = Reports::open(folder);
    reports.add(samples(b"later"));
    assert!(take(&mut reports, true)[0].seq > *seen.last().unwrap());
}

#[test]
fn a_torn_tail_is_cut_off_and_never_misread() {
    let (_place, folder) = fresh();
    let mut reports = Reports::open(folder.clone());
    for body in [b"first ", b"second", b"third "] {
        reports.add(samples(body));
    }
    let sent = take(&mut reports, true);
    drop(reports);
    let [path] = files_in(&folder).try_into().unwrap();
    let whole = fs::read(&path).unwrap();
    for cut in 0..whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        let read = take(&mut Reports::open(folder.clone()), true);
        assert!(read.len() < 3 && sent.starts_with(&read), "cut at {cut}: {read:?}");
        fs::write(&path, &whole).unwrap();
    }
    for at in 0..whole.len() {
        let mut bad = whole.clone();
        bad[at] ^= 1;
        fs::write(&path, &bad).unwrap();
        let read = take(&mut Reports::open(folder.clone()), true);
        assert!(read.len() < 3 && sent.starts_with(&read), "byte {at}: {read:?}");
        fs::write(&path, &whole).unwrap();
    }
    // What comes after a torn tail is not lost with it.
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let mut reports = Reports::open(folder);
    reports.add(samples(b"fourth"));
    assert_eq!(bodies(&drain(&mut reports)), [b"first ", b"second", b"fourth"]);
}

#[test]
fn a_full_spool_forgets_the_oldest_samples_and_says_how_many() {
    let (_place, folder) = fresh();
    let room = 3 * 1024 * 1024;
    let mut reports = Reports::with_room(folder.clone(), room);
    let body = vec![7; 30_000];
    reports.add(observation(ReportKind::Checks, 5, b"a check result"));
    for _ in 0..200 {
        reports.add(observation(ReportKind::Samples, 10, &body));
        let bytes: u64 = files_in(&folder).iter().map(|f| f.metadata().unwrap().len()).sum();
        assert!(bytes <= room + 300, "{bytes}");
    }
    let mut reports = Reports::with_room(folder, room);
    let left = drain(&mut reports);
    assert_eq!(left[0].bytes, b"a check result", "results outlive samples");
    let arrived = 10 * u64::try_from(left.len() - 1).unwrap();
    let dropped: u64 = left.iter().map(|report| report.dropped).sum();
    assert_eq!(arrived + dropped, 2000, "every sample is there or counted");
    assert!(dropped > 0 && arrived > 900);
}

#[test]
fn when_only_results_are_left_the_oldest_of_them_go() {
    let (_place, folder) = fresh();
    let mut reports = Reports::with_room(folder, 1024 * 1024);
    for number in 0..60_u64 {
        let mut body = vec![0; 30_000];
        body[0] = u8::try_from(number).unwrap();
        reports.add(observation(ReportKind::Checks, 1, &body));
    }
    let left = drain(&mut reports);
    let dropped: u64 = left.iter().map(|report| report.dropped).sum();
    assert_eq!(dropped + u64::try_from(left.len()).unwrap(), 60);
    assert_eq!(left.last().unwrap().bytes[0], 59);
}

#[test]
fn there_is_an_end_to_the_number_of_reports() {
    let (_place, folder) = fresh();
    let mut reports = Reports::open(folder);
    for _ in 0..=REPORTS_MAX {
        reports.add(samples(b""));
    }
    assert!(reports.entries.len() <= REPORTS_MAX);
    let left = drain(&mut reports);
    let dropped: u64 = left.iter().map(|report| report.dropped).sum();
    assert_eq!(left.len() + usize::try_from(dropped).unwrap(), REPORTS_MAX + 1);
    assert!(dropped > 0);
}

#[test]
fn what_does_not_fit_a_report_is_counted() {
    let (_place, folder) = fresh();
    let mut reports = Reports::open(folder);
    reports.add(observation(ReportKind::Events, 3, &vec![0; REPORT_BYTES_MAX + 1]));
    reports.add(observation(ReportKind::Events, 1, &vec![0; REPORT_BYTES_MAX]));
    let left = drain(&mut reports);
    assert_eq!((left.len(), left[0].dropped), (1, 3));
}

#[test]
fn a_disk_that_takes_nothing_costs_reports_and_not_the_guard() {
    let (place, folder) = fresh();
    let mut reports = Reports::open(folder.clone());
    fs::remove_dir_all(&folder).unwrap();
    fs::write(&folder, b"a file in its place").unwrap();
    reports.add(observation(ReportKind::Samples, 7, b"lost"));
    assert!(take(&mut reports, true).is_empty());
    fs::remove_file(&folder).unwrap();
    fs::create_dir(&folder).unwrap();
    reports.add(observation(ReportKind::Samples, 1, b"kept"));
    let left = take(&mut reports, true);
    assert_eq!((bodies(&left), left[0].dropped), (vec![b"kept".as_slice()], 7));
    drop(place);
}

#[test]
fn a_lost_folder_begins_another_spool() {
    let (_place, folder) = fresh();
    let mut reports = Reports::open(folder.clone());
    reports.add(samples(b"a"));
    let before = take(&mut reports, true)[0].epoch;
    fs::remove_file(folder.join("spool")).unwrap();
    let mut reports = Reports::open(folder.clone());
    assert!(files_in(&folder).is_empty(), "nothing of the old one under the new one's name");
    reports.add(samples(b"b"));
    assert_ne!(take(&mut reports, true)[0].epoch, before);
}

#[test]
fn a_folder_put_back_to_an_older_copy_begins_another_spool() {
    let (_place, folder) = fresh();
    let mut reports = Reports::open(folder);
    reports.add(samples(b"a"));
    let sent = take(&mut reports, true);
    reports.confirm(sent[0].epoch, sent[0].seq + 1);
    reports.add(samples(b"b"));
    let left = take(&mut reports, true);
    assert_eq!((left.len(), left[0].dropped), (1, 1));
    assert_ne!(left[0].epoch, sent[0].epoch);
}

#[test]
fn from_quarantine_only_inventory_goes_out() {
    let (_place, folder) = fresh();
    let mut reports = Reports::open(folder);
    reports.add(observation(ReportKind::Inventory, 1, b"section"));
    reports.add(samples(b"a"));
    reports.add(observation(ReportKind::Inventory, 1, b"later"));
    assert_eq!(bodies(&take(&mut reports, false)), [b"section"]);
    assert_eq!(bodies(&take(&mut reports, true)), [b"a".as_slice(), b"later"]);
}

#[test]
fn few_are_on_their_way_at_once_and_a_full_pipe_is_no_loss() {
    let (_place, folder) = fresh();
    let mut reports = Reports::open(folder);
    for number in 0..40_u8 {
        reports.add(samples(&[number]));
    }
    assert_eq!(take(&mut reports, true).len(), IN_FLIGHT_MAX);
    reports.begin_link();
    let mut room = 3;
    reports.send(true, |_| {
        room -= 1;
        room >= 0
    });
    let rest = take(&mut reports, true);
    assert_eq!(rest[0].bytes, [3], "the one that nobody took comes next");
    reports.begin_link();
    assert_eq!(drain(&mut reports).len(), 40);
}
