//! Who and what there is in the model's world: three operators, of whom Carol is corrupt, two endpoints, and every
//! statement that anybody signs.

use bartizan_testkit::world::{BEGINNING, CONTENT, Log, Witness, World, script, signed};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::StatementId;
use bartizan_trust::sshsig::SshSig;
use bartizan_trust::statement::SignatureRole::{Approve, Author, Freeze, Root};
use bartizan_trust::statement::{Action, Bundle, FreezeScope, Job, Stage, Window};
use bartizan_trust::time::UnixSeconds;

/// One step of the clock. Windows last three, freezes two, freshness and the delay of a weakening one.
pub(super) const UNIT_S: u64 = 1800;
/// The organisation is older than its first week, in which nothing would wait.
const AGE_S: u64 = 8 * 24 * 3600;

/// When the clock shows this many steps.
pub(super) const fn at(clock: u8) -> UnixSeconds {
    // Widening; `u64::from` is not const.
    #[expect(clippy::as_conversions, reason = "widening")]
    BEGINNING.plus(clock as u64 * UNIT_S)
}

/// Envelopes that can stand in the jobs log and be delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Paper {
    /// By Alice and Bob, for both endpoints.
    Honest,
    /// By Alice, for the first endpoint; Bob does not like it.
    HalfDone,
    /// The same, and Carol approves it: two people.
    HalfDoneAndCarol,
    /// By Carol.
    Carols,
    /// By Carol, approved by Carol.
    CarolsTwice,
    /// By Carol, with the approval Bob gave to the honest job.
    CarolsAndBobs,
}

impl Paper {
    pub(super) const ALL: [Self; 6] = [
        Self::Honest,
        Self::HalfDone,
        Self::HalfDoneAndCarol,
        Self::Carols,
        Self::CarolsTwice,
        Self::CarolsAndBobs,
    ];

    /// Which job it is: signatures do not make another.
    pub(super) const fn job(self) -> usize {
        match self {
            Self::Honest => 0,
            Self::HalfDone | Self::HalfDoneAndCarol => 1,
            Self::Carols | Self::CarolsTwice | Self::CarolsAndBobs => 2,
        }
    }

    /// True authors and approvers.
    pub(super) const fn people(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::Honest => (&["alice"], &["bob"]),
            Self::HalfDone => (&["alice"], &[]),
            Self::HalfDoneAndCarol => (&["alice"], &["carol"]),
            // What Bob signed was something else.
            Self::Carols | Self::CarolsAndBobs => (&["carol"], &[]),
            Self::CarolsTwice => (&["carol"], &["carol"]),
        }
    }

    /// Endpoints its author meant.
    pub(super) const fn targets(self) -> &'static [u32] {
        match self {
            Self::HalfDone | Self::HalfDoneAndCarol => &[0],
            Self::Honest | Self::Carols | Self::CarolsTwice | Self::CarolsAndBobs => &[0, 1],
        }
    }

    /// Whether the server can have it before Alice and Bob have signed.
    pub(super) const fn needs_the_honest_job(self) -> bool {
        matches!(self, Self::Honest | Self::CarolsAndBobs)
    }
}

/// Entries of the control log after the genesis bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Entry {
    /// Alice and Bob take Carol out.
    Tighten,
    /// Carol takes Alice and Bob out.
    Forged,
    /// Alice and Bob were talked into jobs with one signature.
    Weaken,
    /// Alice thinks better of it.
    Veto,
    /// Bob stops everything.
    Freeze,
    /// Alice and Bob go on.
    Thaw,
}

impl Entry {
    pub(super) const ALL: [Self; 6] =
        [Self::Tighten, Self::Forged, Self::Weaken, Self::Veto, Self::Freeze, Self::Thaw];
}

/// Everything that was ever signed.
pub(super) struct Cast {
    pub(super) world: World,
    pub(super) tightened: StatementId,
    pub(super) weakened: StatementId,
    template: Job,
    papers: Vec<Envelope>,
    entries: Vec<Envelope>,
}

impl Cast {
    pub(super) fn new() -> Self {
        let mut world = World::at(at(0), |bundle| {
            bundle.iat = UnixSeconds::new(BEGINNING.get() - AGE_S);
            bundle.weaken_delay_s = UNIT_S;
            bundle.classes[1].freshness_s = UNIT_S;
            bundle.classes[1].jobs_per_hour_max = 1000;
            Ok(())
        })
        .unwrap();
        let template = world.job().unwrap();
        let papers = papers(&template);
        let entries = entries(&world);
        let id = |entry: Entry| entries[place(&Entry::ALL, &entry)].id();
        let (tightened, weakened) = (id(Entry::Tighten), id(Entry::Weaken));
        Self { world, tightened, weakened, template, papers, entries }
    }

    pub(super) fn paper(&self, paper: Paper) -> &Envelope {
        &self.papers[place(&Paper::ALL, &paper)]
    }

    pub(super) fn entry(&self, entry: Entry) -> &Envelope {
        &self.entries[place(&Entry::ALL, &entry)]
    }

    /// A job that Alice and Bob sign at some later time, for both endpoints.
    pub(super) fn later_job(&self, now: UnixSeconds) -> Envelope {
        let job = job(&self.template, 4, &[0, 1], now);
        signed(&job, &[("alice", Author), ("bob", Approve)]).unwrap()
    }

    /// The control log with these entries.
    pub(super) fn control(&self, entries: &[Entry]) -> Log {
        let mut log = Log::named("control").unwrap();
        for genesis in self.world.control.entries_from(0) {
            log.append(genesis);
        }
        for entry in entries {
            log.append(self.entry(*entry).encode());
        }
        log
    }

    /// The jobs log with these envelopes.
    pub(super) fn jobs(&self, papers: &[Paper]) -> Log {
        let mut log = Log::named("jobs").unwrap();
        for paper in papers {
            log.append(self.paper(*paper).encode());
        }
        log
    }
}

fn place<T: PartialEq>(all: &[T], one: &T) -> usize {
    all.iter().position(|each| each == one).unwrap()
}

/// A job of class `change`, which needs a second person.
fn job(template: &Job, number: u32, targets: &[u32], made_at: UnixSeconds) -> Job {
    Job {
        iat: made_at,
        nonce: format!("{number:032x}"),
        window: Window { nbf: made_at, exp: made_at.plus(3 * UNIT_S) },
        action: Action::Script(script(CONTENT).unwrap()),
        targets: World::tree(targets).unwrap().targets(),
        stages: vec![Stage::only(u32::try_from(targets.len()).unwrap())],
        ..template.clone()
    }
}

fn papers(template: &Job) -> Vec<Envelope> {
    let honest = job(template, 1, &[0, 1], at(0));
    let half = job(template, 2, &[0], at(0));
    let carols = job(template, 3, &[0, 1], at(0));
    let honest = signed(&honest, &[("alice", Author), ("bob", Approve)]).unwrap();
    let mut transplanted = signed(&carols, &[("carol", Author)]).unwrap();
    let bobs = honest.signature_blobs().nth(1).unwrap();
    transplanted.add_signature(&SshSig::decode(bobs).unwrap()).unwrap();
    vec![
        honest,
        signed(&half, &[("alice", Author)]).unwrap(),
        signed(&half, &[("alice", Author), ("carol", Approve)]).unwrap(),
        signed(&carols, &[("carol", Author)]).unwrap(),
        signed(&carols, &[("carol", Author), ("carol", Approve)]).unwrap(),
        transplanted,
    ]
}

fn entries(world: &World) -> Vec<Envelope> {
    let next = |change: &dyn Fn(&mut Bundle)| {
        let mut next = world.bundle.clone();
        next.org = Some(world.org);
        next.version = 2;
        next.prev = Some(world.bundle_id);
        change(&mut next);
        next
    };
    let keep = |bundle: &mut Bundle, names: &[&str]| {
        bundle.operators.retain(|operator| names.contains(&operator.id.name()));
    };
    let tightened = next(&|bundle| keep(bundle, &["alice", "bob"]));
    let forged = next(&|bundle| {
        keep(bundle, &["carol"]);
        bundle.root.threshold = 1;
    });
    let weakened = next(&|bundle| bundle.classes[1].approvals = 0);
    let weakened = signed(&weakened, &[("alice", Root), ("bob", Root)]).unwrap();
    let veto = world.veto(weakened.id());
    let freeze = signed(&world.freeze(FreezeScope::Org, 2 * UNIT_S), &[("bob", Freeze)]).unwrap();
    let thaw = world.thaw(freeze.id());
    vec![
        signed(&tightened, &[("alice", Root), ("bob", Root)]).unwrap(),
        signed(&forged, &[("carol", Root)]).unwrap(),
        weakened,
        signed(&veto, &[("alice", Root)]).unwrap(),
        freeze,
        signed(&thaw, &[("alice", Freeze), ("bob", Freeze)]).unwrap(),
    ]
}

/// The key that Carol also witnesses with.
pub(super) fn rogue(world: &World) -> &Witness {
    &world.witnesses[1]
}
