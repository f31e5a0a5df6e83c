//! From what is meant to what arrives: real keys, envelopes, logs and proofs.

use super::generate::{Oddity, Step};
use super::model::{
    Brought, Cosigned, Device, Evidence, Kind, Rules, Script, Signed, Vendor, Wave, Wish,
};
use super::*;

/// Ids of entries that were put into a fork begin here.
const FORGED: u64 = 1_000_000;
/// This endpoint, and those beside it: sorted by id it stands behind most of them, in a later stage.
const HERE: u32 = 2;
const OTHERS: [u32; 5] = [3, 0, 4, 1, 5];

/// One endpoint, and everything that was ever made for it.
pub(super) struct Stage {
    pub world: World,
    pub state: State,
    rules: Rules,
    /// The true jobs log, by entry.
    pub(super) main: Vec<u64>,
    pub(super) entries: BTreeMap<u64, Vec<u8>>,
    made: Vec<Wish>,
    /// Promotions made.
    pub(super) promoted: u64,
}

/// A delivery that owns its parts.
pub(super) type Delivery = world::Delivery;

impl Stage {
    pub(super) fn new(rules: Rules) -> Self {
        let world = World::with(|bundle| {
            change(bundle, &rules);
            Ok(())
        })
        .unwrap();
        let state = world.endpoint(HERE).unwrap();
        let forged = |number| (FORGED + number, format!("forked {number}").into_bytes());
        let entries = (0..2).map(forged).collect();
        Self { world, state, rules, main: Vec::new(), entries, made: Vec::new(), promoted: 0 }
    }

    /// What is meant, what is true of it, and the bytes.
    pub(super) fn delivery(&mut self, step: &Step, memory: &Memory) -> (Wish, Evidence, Delivery) {
        let again = step.again.and_then(|at| self.made.get(at % self.made.len().max(1)).cloned());
        let wish = again.unwrap_or_else(|| self.make(step));
        let envelope = self.entries[&wish.id].clone();
        let has = |oddity| step.oddities.contains(&oddity);
        let listed = self.lists_us(&wish);
        let numbers = numbers(wish.count, listed);
        let tree = World::staged_tree(&numbers, &stages(&wish)).unwrap();
        let TargetPlace { stage, index, path } =
            tree.place(&self.state.endpoint).unwrap_or_default();
        let made = self.promotions(step, &wish, stage);
        let shown = self.shown_log(step, wish.id);
        let log = self.log_of(&shown);
        let size = shown.len() as u64;
        let place = shown.iter().position(|id| *id == wish.id);
        let cosigned = self.cosignatures(step);
        let note = if has(Oddity::OtherLogKey) {
            self.world.control.note(1, &self.world.all_witnesses(), self.world.now).unwrap()
        } else {
            note(&log, &cosigned)
        };
        let entry = place.unwrap_or(0) as u64;
        let mut proof = LogProof::decode(&log.proof(entry, size, note).unwrap()).unwrap();
        if has(Oddity::ProofWrong) {
            proof.path.push(Sha256::of(b"one too many"));
        }
        let mut consistency = self.consistency(&memory.log, &shown);
        if has(Oddity::ConsistencyWrong) {
            consistency.push(Sha256::of(b"one too many"));
        }
        let (promotions, logged) = self.logged(made, &shown, &log);
        let content = brought(step);
        let evidence = Evidence {
            listed_here: listed && !has(Oddity::WrongPlace) && !has(Oddity::WrongStage),
            stage,
            promotions,
            proof_readable: !has(Oddity::ProofUnreadable),
            proven_entry: place.filter(|_| !has(Oddity::ProofWrong)).map(|at| shown[at]),
            shown_log: shown,
            signed_by_log: !has(Oddity::OtherLogKey),
            cosigned,
            consistency_path_right: !has(Oddity::ConsistencyWrong),
            content,
            vendor: step.vendor,
        };
        let right = bytes(wish.script);
        let delivery = Delivery {
            envelope,
            proof: if has(Oddity::ProofUnreadable) { b"no proof".to_vec() } else { proof.encode() },
            consistency,
            stage: stage + u32::from(has(Oddity::WrongStage)),
            index: index + u32::from(has(Oddity::WrongPlace)),
            path,
            promotions: logged,
            package: wish.update.and_then(|newer| package(newer, content, step.vendor)),
            content: match content {
                _ if wish.update.is_some() => None,
                Brought::Right => Some(right.to_vec()),
                Brought::Wrong => Some(b"echo something else\n".to_vec()),
                Brought::Nothing => None,
            },
        };
        (wish, evidence, delivery)
    }

    /// A freeze by Bob in the control log, seen at once; lifted by Bob and Carol if the step says so.
    pub(super) fn freeze(&mut self, scope: &FreezeScope, seconds: u64, thawed: bool) {
        let role = SignatureRole::Freeze;
        let freeze = world::signed(&self.world.freeze(scope.clone(), seconds), &[("bob", role)]);
        let freeze = freeze.unwrap();
        self.world.log_control(&freeze);
        if thawed {
            let thaw = self.world.thaw(freeze.id());
            self.world
                .log_control(&world::signed(&thaw, &[("bob", role), ("carol", role)]).unwrap());
        }
        self.state = self.world.caught_up(&self.state).unwrap();
    }

    /// Bob takes an earlier job back, seen at once. Nothing when there is none.
    pub(super) fn withdraw(&mut self, at: usize) -> Option<u64> {
        let made: Vec<u64> = self
            .made
            .iter()
            .filter(|wish| !wish.garbage && !wish.too_large)
            .map(|wish| wish.id)
            .collect();
        let id = *made.get(at % made.len().max(1))?;
        let withdrawal = self.world.withdrawal(self.id_of(id));
        let signed = world::signed(&withdrawal, &[("bob", SignatureRole::Freeze)]).unwrap();
        self.world.log_control(&signed);
        self.state = self.world.caught_up(&self.state).unwrap();
        Some(id)
    }

    pub(super) fn ended_well(&mut self, wish: &Wish) {
        let seq = self.state.receipt_seq + 1;
        let now = self.world.now;
        let receipt = Receipt {
            v: V1,
            org: self.world.org,
            iat: now,
            crit: Vec::new(),
            endpoint: self.state.endpoint,
            seq,
            prev: self.state.receipt_prev,
            job: self.id_of(wish.id),
            occurrence: None,
            decision: Decision::Done,
            code: "ok".to_owned(),
            t0: now,
            t1: now,
            exit: Some(0),
            output: Output { sha256: Sha256::of(b""), size: 0 },
            program: None,
            state: self.state.summary(),
        };
        self.state.record_receipt(Envelope::new(&receipt).id(), &receipt);
    }

    pub(super) fn id_of(&self, id: u64) -> StatementId {
        Envelope::decode(&self.entries[&id]).unwrap().id()
    }

    fn lists_us(&self, wish: &Wish) -> bool {
        let Ok(envelope) = Envelope::decode(&self.entries[&wish.id]) else { return true };
        let Ok(job) = envelope.statement::<Job>() else { return true };
        job.targets.root
            == World::staged_tree(&numbers(wish.count, true), &job.stages).unwrap().targets().root
    }

    /// The log this delivery shows; the entry is appended to the true one if it was not there.
    fn shown_log(&mut self, step: &Step, id: u64) -> Vec<u64> {
        for oddity in &step.oddities {
            if let Oddity::Fork(left_out, forged) = oddity {
                let kept = self.main.len().saturating_sub(*left_out);
                let mut fork = self.main[..kept].to_vec();
                fork.extend((0..*forged as u64).map(|number| FORGED + number));
                fork.retain(|known| *known != id);
                fork.push(id);
                return fork;
            }
        }
        if !self.main.contains(&id) {
            self.main.push(id);
        }
        for oddity in &step.oddities {
            if let Oddity::OldCheckpoint(back) = oddity {
                let size = self.main.len().saturating_sub(*back).max(1);
                return self.main[..size].to_vec();
            }
        }
        self.main.clone()
    }

    fn log_of(&self, ids: &[u64]) -> Log {
        let mut log = Log::named("jobs").unwrap();
        for id in ids {
            log.append(self.entries[id].clone());
        }
        log
    }

    /// The path an honest log would give between two sizes, of the longer of the two.
    fn consistency(&self, seen: &[u64], shown: &[u64]) -> Vec<Sha256> {
        let (old, new) = if shown.len() < seen.len() { (shown, seen) } else { (seen, shown) };
        self.log_of(new).consistency(old.len() as u64, new.len() as u64).unwrap()
    }

    fn cosignatures(&self, step: &Step) -> Vec<Cosigned> {
        let has = |oddity| step.oddities.contains(&oddity);
        let now = self.world.now.get();
        let at = if has(Oddity::OldCosignature) { now - 50_000 } else { now };
        let mut all = vec![Cosigned { who: "one", at }, Cosigned { who: "two", at: now }];
        if has(Oddity::OneWitness) {
            all.truncate(1);
        }
        if has(Oddity::NoWitness) {
            all.clear();
        }
        if has(Oddity::StrangerWitness) {
            all.pop();
            all.push(Cosigned { who: "stranger", at: now });
        }
        all
    }

    /// A new job.
    fn make(&mut self, step: &Step) -> Wish {
        let id = self.made.len() as u64;
        let wish = self.wish(step, id);
        let envelope = self.envelope(step, &wish);
        self.entries.insert(id, envelope);
        self.made.push(wish.clone());
        wish
    }

    fn wish(&self, step: &Step, id: u64) -> Wish {
        let has = |oddity| step.oddities.contains(&oddity);
        let now = self.world.now.get();
        let mut window = (now, now + 5000);
        for oddity in &step.oddities {
            match oddity {
                Oddity::WindowBackwards => window = (now + 10, now + 10),
                Oddity::WindowLong => window = (now, now + 10_001),
                Oddity::WindowPast => window = (now - 200, now),
                Oddity::WindowSoon => window = (now + 100, now + 5000),
                Oddity::WindowFuture => window = (now + 3500, now + 5000),
                _ => {}
            }
        }
        let after = if has(Oddity::AfterEarlier) {
            self.made.iter().rev().find(|wish| !wish.garbage && !wish.too_large).map(|wish| wish.id)
        } else {
            has(Oddity::AfterUnknown).then_some(u64::MAX)
        };
        let kind = step.oddities.iter().find_map(|oddity| match oddity {
            Oddity::Kind(kind) => Some(*kind),
            _ => None,
        });
        Wish {
            id,
            too_large: has(Oddity::TooLarge),
            garbage: has(Oddity::Garbage),
            kind: kind.unwrap_or(Kind::Job),
            payload_malformed: has(Oddity::PayloadMalformed),
            crit: has(Oddity::Crit),
            our_org: !has(Oddity::OtherOrg),
            tenant: if has(Oddity::OtherTenant) { "globex" } else { "acme" },
            bundle_min: if has(Oddity::NewerBundle) { 2 } else { 1 },
            class: step.class.unwrap_or_else(|| self.mildest(step)),
            destructive: has(Oddity::Destructive) && step.scan.is_none(),
            script: step.script,
            update: step.update,
            scan: step.scan,
            count: step.count,
            timeout_s: if has(Oddity::SlowScript) { 3601 } else { 3600 },
            stages: waves(step),
            trigger: has(Oddity::Trigger).then_some(5000),
            made_at: if has(Oddity::MadeAhead) { now + 3600 } else { now },
            begins: window.0,
            ends: window.1,
            after,
            signatures: signatures(step),
        }
    }

    fn mildest(&self, step: &Step) -> Class {
        if step.update.is_some() {
            return Class::Update;
        }
        let fits = |rule: &&ClassRule| step.count <= rule.endpoints_new_max;
        let destructive = step.oddities.contains(&Oddity::Destructive) && step.scan.is_none();
        let observe = |rule: &&ClassRule| rule.class != Class::Observe || step.scan == Some(false);
        let rule = self.rules.classes.iter().filter(observe).filter(|_| !destructive).find(fits);
        rule.map_or(Class::Fleet, |rule| rule.class)
    }

    fn job(&self, wish: &Wish, numbers: &[u32]) -> Job {
        let script = world::script(bytes(wish.script)).unwrap();
        let after = wish.after.map(|id| {
            if id == u64::MAX { StatementId::new(Sha256::of(b"unknown")) } else { self.id_of(id) }
        });
        let trigger = wish.trigger.map(|life| {
            let until = UnixSeconds::new(wish.begins + life);
            Trigger { freshness_s: 600, ..world::trigger(On::Interval { every_s: 600 }, until) }
        });
        Job {
            v: V1,
            org: if wish.our_org { self.world.org } else { OrgId::new(Sha256::of(b"other")) },
            iat: UnixSeconds::new(wish.made_at),
            crit: if wish.crit { vec!["tomorrow".to_owned()] } else { Vec::new() },
            nonce: format!("{:032x}", wish.id),
            bundle_min: wish.bundle_min,
            tenant: TenantId::from_name(wish.tenant).unwrap(),
            class: wish.class,
            action: match (wish.update, wish.scan) {
                (Some(newer), _) => Action::Update(update(newer)),
                (None, Some(evidence)) => Action::Scan(Box::new(scan(wish, evidence))),
                (None, None) => Action::Script(bartizan_trust::statement::Script {
                    timeout_s: wish.timeout_s,
                    destructive: wish.destructive,
                    ..script
                }),
            },
            targets: World::staged_tree(numbers, &stages(wish)).unwrap().targets(),
            window: Window { nbf: UnixSeconds::new(wish.begins), exp: UnixSeconds::new(wish.ends) },
            after: after.into_iter().collect(),
            stages: stages(wish),
            display: Display {
                title: "generated".to_owned(),
                ticket: String::new(),
                reason: String::new(),
            },
            trigger,
        }
    }

    fn envelope(&self, step: &Step, wish: &Wish) -> Vec<u8> {
        if wish.too_large {
            return vec![b'{'; limits::ENVELOPE_BYTES_MAX + 1];
        }
        if wish.garbage {
            return format!("no envelope, number {}", wish.id).into_bytes();
        }
        let numbers = numbers(wish.count, !step.oddities.contains(&Oddity::Unlisted));
        let mut envelope = Envelope::new(&self.job(wish, &numbers));
        for signed in &wish.signatures {
            envelope.add_signature(&signature(signed, &envelope.pae())).unwrap();
        }
        let mut text = String::from_utf8(envelope.encode()).unwrap();
        if wish.payload_malformed {
            let encoded = |text: &str| data_encoding::BASE64.encode(text.as_bytes());
            let start = text.find("\"payload\":\"").unwrap() + "\"payload\":\"".len();
            let end = start + text[start..].find('"').unwrap();
            text.replace_range(start..end, &encoded(&format!("{{\"number\":{}}}", wish.id)));
        }
        let kind = match wish.kind {
            Kind::Job => "bartizan.job.v1",
            Kind::JobOfTheFuture => "bartizan.job.v2",
            Kind::Freeze => "bartizan.freeze.v1",
            Kind::Promotion => "bartizan.promotion.v1",
            Kind::Grant => "bartizan.grant.v1",
            Kind::Login => "bartizan.login.v1",
            Kind::Foreign => "example.job.v1",
        };
        text.replace("bartizan.job.v1", kind).into_bytes()
    }
}

/// So many endpoints, with or without this one.
fn numbers(count: u32, with_us: bool) -> Vec<u32> {
    let us = with_us.then_some(HERE);
    us.into_iter().chain(OTHERS).take(count as usize).collect()
}

/// The first stage and those after it, as many as there are endpoints for.
fn waves(step: &Step) -> Vec<Wave> {
    let mut left = step.count;
    let mut all = Vec::new();
    let first = Wave { count: 1, soak_s: 0, promoters: 0, failures_percent_max: 100 };
    for wave in core::iter::once(&first).chain(&step.waves) {
        let count = wave.count.min(left);
        left -= count;
        if count > 0 {
            all.push(Wave { count, ..*wave });
        }
    }
    all.last_mut().unwrap().count += left;
    all
}

fn stages(wish: &Wish) -> Vec<bartizan_trust::statement::Stage> {
    let stage = |wave: &Wave| bartizan_trust::statement::Stage {
        name: "wave".to_owned(),
        count: wave.count,
        soak_s: wave.soak_s,
        promote_min: wave.promoters,
        failures_percent_max: wave.failures_percent_max,
    };
    wish.stages.iter().map(stage).collect()
}

fn change(bundle: &mut Bundle, rules: &Rules) {
    for (operator, member) in bundle.operators.iter_mut().zip(&rules.members) {
        operator.roles.clone_from(&member.roles);
        operator.roles.sort_unstable();
        let tenant = |name| TenantId::from_name(name).unwrap();
        operator.tenants = match (member.acme, member.globex) {
            (true, true) => TenantScope::All,
            (true, false) => TenantScope::Only(vec![tenant("acme")]),
            (false, _) => TenantScope::Only(vec![tenant("globex")]),
        };
        let hardware = sk_ed25519_public(&hardware_key(member.name)).unwrap();
        operator.keys.push(OperatorKey {
            uv: member.hardware_needs_verification,
            ..operator_key(&hardware)
        });
        operator.keys.sort_by(|a, b| a.ssh.cmp(&b.ssh));
    }
    bundle.classes.clone_from(&rules.classes);
    bundle.expires = UnixSeconds::new(rules.expires);
    bundle.min_statement = rules.min_statement;
    if !rules.min_agent_met {
        "0.2.0".clone_into(&mut bundle.min_agent);
    }
    let acme = TenantId::from_name("acme").unwrap();
    let size = |endpoints| TenantSize { tenant: acme.clone(), endpoints };
    bundle.tenants = rules.acme_endpoints.map(size).into_iter().collect();
    bundle.customers = rules
        .acme_owner_signs_from
        .map(|from_class| Customer {
            tenant: TenantId::from_name("acme").unwrap(),
            keys: vec![operator_key(&Key::named("owner").unwrap().public)],
            rule: CustomerRule { from_class },
        })
        .into_iter()
        .collect();
}

fn hardware_key(name: &str) -> Key {
    Key::named(&format!("{name}'s hardware key")).unwrap()
}

fn signatures(step: &Step) -> Vec<Signed> {
    let has = |oddity| step.oddities.contains(&oddity);
    let by = |(who, device), role| Signed { who, role, device, true_signature: true };
    let mut all = Vec::new();
    if !has(Oddity::NoAuthor) {
        all.push(by(step.author, SignatureRole::Author));
    }
    if has(Oddity::AuthorApproves) {
        all.push(by(step.author, SignatureRole::Approve));
    }
    all.extend(step.approvers.iter().map(|who| by(*who, SignatureRole::Approve)));
    if let Some(last) = all.last_mut().filter(|last| last.role == SignatureRole::Approve) {
        last.true_signature = !has(Oddity::BrokenApproval);
        if has(Oddity::ApprovalInAnotherRole) {
            last.role = SignatureRole::Root;
        }
    }
    let software = |who| (who, Device::Software);
    if has(Oddity::StrangerApproves) {
        all.push(by(software("mallory"), SignatureRole::Approve));
    }
    if has(Oddity::OwnerSigns) {
        all.push(by(software("owner"), SignatureRole::Customer));
    }
    if has(Oddity::OwnerForged) {
        all.push(by(software("carol"), SignatureRole::Customer));
    }
    all
}

pub(super) fn signature(signed: &Signed, pae: &[u8]) -> SshSig {
    let mut message = pae.to_vec();
    if !signed.true_signature {
        message.push(b'x');
    }
    match signed.device {
        Device::Software => {
            let key = Key::named(signed.who).unwrap();
            let raw = key.raw(&bartizan_trust::sshsig::to_be_signed(signed.role, &message));
            SshSig::from_ed25519(&key.public, signed.role, raw.unwrap())
        }
        Device::Touched | Device::Verified => {
            let flags = if signed.device == Device::Touched { 0x01 } else { 0x05 };
            sk_ed25519_with(&hardware_key(signed.who), signed.role, &message, flags).unwrap()
        }
    }
}

fn note(log: &Log, cosigned: &[Cosigned]) -> Vec<u8> {
    let witnesses: Vec<(Witness, UnixSeconds)> = cosigned
        .iter()
        .map(|cosigned| (Witness::named(cosigned.who).unwrap(), UnixSeconds::new(cosigned.at)))
        .collect();
    let each: Vec<_> = witnesses.iter().map(|(witness, at)| (witness, *at)).collect();
    log.note_at(log.size(), &each).unwrap()
}

fn brought(step: &Step) -> Brought {
    if step.oddities.contains(&Oddity::NoContent) {
        Brought::Nothing
    } else if step.oddities.contains(&Oddity::OtherContent) {
        Brought::Wrong
    } else {
        Brought::Right
    }
}

const fn bytes(script: Script) -> &'static [u8] {
    match script {
        Script::Hello => b"echo hello\n",
        Script::Goodbye => b"echo goodbye\n",
    }
}

fn scan(wish: &Wish, evidence: bool) -> Scan {
    let content = world::script(bytes(wish.script)).unwrap().content;
    let pack = ScanPack { name: "ours".to_owned(), body: Sha256::of(b"body"), size: content.size };
    let order = EvidenceOrder {
        recipients: vec![Key::named("reader").unwrap().public.to_openssh()],
        bytes_max: limits::SCAN_EVIDENCE_BYTES_MIN,
    };
    Scan {
        packs: vec![pack],
        content,
        look: Look::Machine {},
        processes: false,
        exclude: Vec::new(),
        expect_tools: Vec::new(),
        cpu_percent: 50,
        io_mb_per_s: None,
        time_budget_s: wish.timeout_s - limits::SCAN_REPORT_S,
        result_max: limits::SCAN_RESULT_BYTES_MIN,
        evidence: evidence.then_some(order),
    }
}

fn update(newer: bool) -> Update {
    Update {
        target: "bartizan-endpoint.tar".to_owned(),
        version: if newer { "0.2.0" } else { "0.1.0" }.to_owned(),
        program: Content { sha256: Sha256::of(b"program"), size: 50 },
        content: Content { sha256: Sha256::of(b"program and metadata"), size: 100 },
    }
}

fn package(newer: bool, content: Brought, vendor: Vendor) -> Option<Package> {
    let update = update(newer);
    let said =
        |version| VendorTarget { name: update.target.clone(), version, program: update.program };
    let (program, wrong) = (update.program, Content { sha256: Sha256::of(b"other"), size: 100 });
    Some(Package {
        content: match content {
            Brought::Right => update.content,
            Brought::Wrong => wrong,
            Brought::Nothing => return None,
        },
        program,
        vendor: match vendor {
            Vendor::TheSame => Some(said(update.version.clone())),
            Vendor::AnotherVersion => Some(said("0.3.0".to_owned())),
            Vendor::Nothing => None,
        },
    })
}
