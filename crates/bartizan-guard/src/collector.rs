//! The inventory, collected on a thread of its own: a file system that does not answer holds up this thread and no other.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bartizan_os::confine;
use bartizan_os::inventory::{self, FoundCertificate, Reading, Root, Section, ToldCertificate};
use bartizan_proto::inventory::{
    Delta, Fact, Item, Items, Scheme, check_key, compare, difference, records, section_hash,
};
use bartizan_proto::message::ReportKind;

use crate::guard::Event;
use crate::install::now;
use crate::reports::Observation;

/// How often the machine is looked through. What changes faster is in the metrics.
const INTERVAL: Duration = Duration::from_hours(1);
/// After the first link: a machine that starts has other things to do.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
/// How often a section that did not change is said to be as it was, so that the server notices if it has another.
const STILL_INTERVAL: Duration = Duration::from_hours(6);

/// Least time between two looks at everything that somebody asked for: a server that asks without end keeps no processor busy,
/// and does not fill the spool.
const WHOLE_DISTANCE: Duration = Duration::from_secs(10);

/// What the thread is asked.
#[derive(Debug)]
enum Wish {
    /// A link is up.
    Linked,
    /// Everything, whole, now.
    Whole,
}

/// Asks it.
pub(crate) struct Collector(SyncSender<Wish>);

impl Collector {
    /// Starts the thread. It gives up everything but reading before it reads anything.
    pub(crate) fn start(root: Root, jobs: String, events: SyncSender<Event>) -> Result<Self> {
        let (sender, wishes) = sync_channel(4);
        let work = move || {
            if let Err(error) = confine::reading_thread() {
                eprintln!("inventory: none, because its thread cannot give up privileges: {error}");
                return;
            }
            let mut sent = Sent::default();
            let mut asked = None;
            while let Some(whole) = wait(&wishes, sent.is_empty(), asked) {
                if whole {
                    sent = Sent::default();
                    asked = Some(Instant::now());
                }
                if !sent.collect(&root, &jobs, &events) {
                    return;
                }
            }
        };
        thread::Builder::new()
            .name("inventory".to_owned())
            .spawn(work)
            .context("start the inventory")?;
        Ok(Self(sender))
    }

    /// One that nobody listens to.
    #[cfg(test)]
    pub(crate) fn deaf() -> Self {
        Self(sync_channel(1).0)
    }

    /// A link is up: the first inventory is due soon.
    pub(crate) fn link_up(&self) {
        // Full means that it is asked already, and works or hangs.
        let _ = self.0.try_send(Wish::Linked);
    }

    /// Everything is wanted, whole and now.
    pub(crate) fn collect_whole(&self) {
        let _ = self.0.try_send(Wish::Whole);
    }
}

/// Waits until it is time; whether everything is wanted whole. Nothing when the guard ends. `asked` is when everything was
/// looked at for somebody before.
fn wait(wishes: &Receiver<Wish>, first: bool, asked: Option<Instant>) -> Option<bool> {
    let mut due = (!first).then(|| Instant::now() + INTERVAL);
    let mut whole = false;
    loop {
        let left = due.map_or(INTERVAL, |due| due.saturating_duration_since(Instant::now()));
        match wishes.recv_timeout(left) {
            Ok(Wish::Whole) => (whole, due) = (true, Some(earliest(asked, Instant::now()))),
            Ok(Wish::Linked) => due = due.or_else(|| Some(Instant::now() + FIRST_PAUSE)),
            Err(RecvTimeoutError::Timeout) => return Some(whole),
            Err(RecvTimeoutError::Disconnected) => return None,
        }
    }
}

/// When somebody who asks now is served.
fn earliest(asked: Option<Instant>, now: Instant) -> Instant {
    asked.map_or(now, |asked| now.max(asked + WHOLE_DISTANCE))
}

/// What the spool was given.
#[derive(Default)]
struct Sent(BTreeMap<&'static str, (Items, Instant)>);

impl Sent {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Looks through the machine; false when nobody listens any more.
    fn collect(&mut self, root: &Root, jobs: &str, events: &SyncSender<Event>) -> bool {
        let agent = env!("CARGO_PKG_VERSION");
        let reading =
            Reading { agent, jobs, compare: by_dpkg, certificates: &read_no_certificates };
        let mut heard = true;
        inventory::collect(root, &reading, |section| {
            for observation in self.observations(section) {
                heard = heard && events.send(Event::Observed(observation)).is_ok();
            }
        });
        heard
    }

    /// What is to be said of a section.
    fn observations(&mut self, section: Section) -> Vec<Observation> {
        let (name, items) = (section.name, convert(section));
        let said = self.0.get(name);
        let base = said.map(|(items, _)| section_hash(name, items));
        let delta = difference(said.map_or(&Items::new(), |(items, _)| items), &items);
        let recent = said.is_some_and(|(_, at)| at.elapsed() < STILL_INTERVAL);
        if delta == Delta::default() && recent {
            return Vec::new();
        }
        let count = u64::try_from(delta.set.len() + delta.gone.len()).unwrap_or(u64::MAX);
        let all = records(name, &items, base, delta);
        self.0.insert(name, (items, Instant::now()));
        let at = now().get();
        let observation =
            |bytes| Observation { kind: ReportKind::Inventory, at, items: count.max(1), bytes };
        all.iter().map(|record| observation(record.encode())).collect()
    }
}

fn by_dpkg(left: &str, right: &str) -> std::cmp::Ordering {
    compare(Scheme::Dpkg, left, right)
}

fn read_no_certificates(_: &[FoundCertificate]) -> Result<Vec<Option<ToldCertificate>>, String> {
    Err("subject, issuer and dates are not read on this system yet".to_owned())
}

fn convert(section: Section) -> Items {
    let fact = |fact| match fact {
        inventory::Fact::Flag(flag) => Fact::Flag(flag),
        inventory::Fact::Number(number) => Fact::Number(number),
        inventory::Fact::Text(text) => Fact::Text(text),
    };
    let item = |item: inventory::Item| -> Item {
        item.0.into_iter().map(|(name, value)| (name.to_owned(), fact(value))).collect()
    };
    let all = section.items.into_iter().filter(|(key, _)| check_key(key).is_ok());
    all.map(|(key, value)| (key, item(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bartizan_os::limits as os;
    use bartizan_proto::inventory::{self as wire, Record, apply};
    use std::fs;

    fn take(state: &mut BTreeMap<String, Items>, observation: &Observation) {
        let record = Record::decode(&observation.bytes).unwrap();
        let name = record.section.clone();
        let (hash, last) = (record.hash, record.part + 1 == record.parts);
        let old = state.remove(&name).unwrap_or_default();
        let start = if record.base.is_none() && record.part == 0 { Items::new() } else { old };
        let new = apply(start, &record.into_delta()).unwrap();
        assert!(!last || section_hash(&name, &new) == hash, "{name}");
        state.insert(name, new);
    }

    #[test]
    fn whoever_asks_without_end_is_served_now_and_then() {
        let now = Instant::now();
        assert_eq!(earliest(None, now), now, "the first at once");
        assert_eq!(earliest(Some(now), now + Duration::from_secs(1)), now + WHOLE_DISTANCE);
        let later = now + WHOLE_DISTANCE + Duration::from_secs(1);
        assert_eq!(earliest(Some(now), later), later);

        let (sender, wishes) = sync_channel(4);
        sender.send(Wish::Whole).unwrap();
        sender.send(Wish::Whole).unwrap();
        drop(sender);
        assert_eq!(
            wait(&wishes, true, None),
            None,
            "two questions are one, and the guard has ended"
        );
    }

    #[test]
    fn what_is_said_adds_up_to_what_there_is() {
        let folder = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let packages = |count: usize| -> String {
            let one = |number| {
                format!(
                    "Package: p{number}\nStatus: install ok installed\nArchitecture: all\nVersion: 1.{number}\n\n"
                )
            };
            (0..count).map(one).collect()
        };
        put("var/lib/dpkg/status", &packages(1500));
        let (sender, events) = sync_channel(1024);
        let root = Root::new(folder.path());
        let mut sent = Sent::default();
        let mut state = BTreeMap::new();
        let mut round = |sent: &mut Sent| {
            assert!(sent.collect(&root, "no cgroup", &sender));
            let said: Vec<Observation> = events
                .try_iter()
                .map(|event| match event {
                    Event::Observed(observation) => observation,
                    other => panic!("{other:?}"),
                })
                .collect();
            for observation in &said {
                take(&mut state, observation);
            }
            (said.len(), state["packages"].len(), state.len())
        };
        let (said, known, sections) = round(&mut sent);
        assert!(said > sections, "packages go in parts: {said} records");
        assert_eq!((known, sections), (1500, 15));
        assert_eq!(round(&mut sent).0, 0, "nothing changed, nothing is said");
        put("var/lib/dpkg/status", &packages(1501));
        assert_eq!(round(&mut sent).1, 1501);
        put("var/lib/dpkg/status", &packages(10));
        assert_eq!(round(&mut sent).1, 10);
        let (said, ..) = round(&mut Sent::default());
        assert_eq!(said, 15, "whole again when it is asked for");
    }

    #[test]
    fn what_the_machine_may_say_the_server_takes() {
        const { assert!(os::SECTION_ITEMS_MAX < wire::ITEMS_MAX) };
        const { assert!(os::SECTION_BYTES_MAX < wire::SECTION_BYTES_MAX) };
        assert_eq!(os::SECTION_TEXT_BYTES_MAX, wire::TEXT_BYTES_MAX);
        assert_eq!(os::SECTION_KEY_BYTES_MAX, wire::KEY_BYTES_MAX);
    }

    #[test]
    fn it_waits_for_a_link_and_then_for_an_hour() {
        let (sender, wishes) = sync_channel(4);
        sender.send(Wish::Whole).unwrap();
        assert_eq!(wait(&wishes, true, None), Some(true));
        drop(sender);
        assert_eq!(wait(&wishes, true, None), None);
        assert_eq!(wait(&wishes, false, None), None);
    }
}
