//! What counts as tightening (and so needs no delay), field by field; and what a waiting bundle takes from people at once (B8).

use bartizan_testkit::world::World;
use bartizan_trust::chain::{PendingBundle, people};
use bartizan_trust::id::{Sha256, StatementId};
use bartizan_trust::state::TrustState;
use bartizan_trust::statement::*;
use bartizan_trust::tighten::only_tightens;

/// Alice's key is a passkey of two origins; one customer countersigns; the class has stages.
fn before() -> Bundle {
    let mut bundle = World::new().unwrap().bundle;
    bundle.operators[0].keys[0].origins =
        ["a", "b"].map(|host| format!("https://{host}.test")).to_vec();
    bundle.operators[0].keys[0].backup_ok = true;
    bundle.operators[0].keys[0].uv = false;
    let key = bundle.operators[2].keys[0].clone();
    let another = bundle.operators[1].keys[0].clone();
    bundle.customers = vec![Customer {
        tenant: "tn_acme".parse().unwrap(),
        keys: vec![key, another],
        rule: CustomerRule { from_class: Class::Change },
    }];
    bundle.tenants = vec![TenantSize { tenant: "tn_acme".parse().unwrap(), endpoints: 100 }];
    bundle.classes[1] = ClassRule {
        stages_min: 2,
        first_stage_max: 10,
        soak_s_min: 600,
        ..bundle.classes[1].clone()
    };
    bundle
}

/// Whether a change tightens: one that does must not tighten the other way round, unless it changed nothing that counts.
#[track_caller]
fn tightens(change: impl FnOnce(&mut Bundle)) -> (bool, bool) {
    let before = before();
    let mut after = before.clone();
    change(&mut after);
    assert_ne!(before, after);
    (only_tightens(&before, &after), only_tightens(&after, &before))
}

const STRICTER: (bool, bool) = (true, false);
const BOTH_WEAKEN: (bool, bool) = (false, false);

#[test]
fn a_passkey_loses_origins_but_never_all_and_gains_none() {
    let origins = |bundle: &mut Bundle, to: &[&str]| {
        bundle.operators[0].keys[0].origins = to.iter().map(|one| (*one).to_owned()).collect();
    };
    assert_eq!(tightens(|bundle| origins(bundle, &["https://a.test"])), STRICTER);
    assert_eq!(tightens(|bundle| origins(bundle, &["https://c.test"])), BOTH_WEAKEN);
    // Without origins it is any key, which no passkey was.
    assert_eq!(tightens(|bundle| origins(bundle, &[])), BOTH_WEAKEN);
    let more = ["https://a.test", "https://b.test", "https://c.test"];
    assert_eq!(tightens(|bundle| origins(bundle, &more)), (false, true));
}

#[test]
fn a_key_tightens_by_its_checks_and_is_never_replaced() {
    let key = |change: fn(&mut OperatorKey)| {
        tightens(move |bundle| change(&mut bundle.operators[0].keys[0]))
    };
    assert_eq!(key(|key| key.uv = true), STRICTER);
    assert_eq!(key(|key| key.backup_ok = false), STRICTER);
    assert_eq!(key(|key| key.ssh = "ssh-ed25519 AAAA".to_owned()), BOTH_WEAKEN);
}

#[test]
fn a_person_loses_tenants_and_gains_none() {
    let scope = |tenants: &[&str]| {
        TenantScope::Only(tenants.iter().map(|tenant| tenant.parse().unwrap()).collect())
    };
    let of = |from: TenantScope, to: TenantScope| {
        let mut old = before();
        old.operators[0].tenants = from;
        let mut new = old.clone();
        new.operators[0].tenants = to;
        (only_tightens(&old, &new), only_tightens(&new, &old))
    };
    assert_eq!(of(TenantScope::All, scope(&["tn_a"])), STRICTER);
    assert_eq!(of(scope(&["tn_a", "tn_b"]), scope(&["tn_b"])), STRICTER);
    assert_eq!(of(scope(&["tn_a"]), scope(&["tn_b"])), BOTH_WEAKEN);
}

#[test]
fn stages_become_more_and_longer_and_the_first_smaller() {
    let class = |change: fn(&mut ClassRule)| tightens(move |bundle| change(&mut bundle.classes[1]));
    assert_eq!(class(|rule| rule.stages_min = 3), STRICTER);
    assert_eq!(class(|rule| rule.soak_s_min += 1), STRICTER);
    assert_eq!(class(|rule| rule.first_stage_max -= 1), STRICTER);
    // Where no stages were demanded, the size of the first one said nothing.
    let unstaged =
        |change: fn(&mut ClassRule)| tightens(move |bundle| change(&mut bundle.classes[0]));
    assert_eq!(unstaged(|rule| rule.first_stage_max += 1), (true, true));
    assert_eq!(
        unstaged(|rule| {
            rule.stages_min = 2;
            rule.first_stage_max += 1;
        }),
        STRICTER
    );
}

#[test]
fn a_customer_keeps_its_say() {
    assert_eq!(tightens(|bundle| bundle.customers.clear()), (false, true));
    let customer =
        |change: fn(&mut Customer)| tightens(move |bundle| change(&mut bundle.customers[0]));
    assert_eq!(customer(|customer| customer.rule.from_class = Class::Routine), STRICTER);
    assert_eq!(customer(|customer| customer.keys.truncate(1)), STRICTER);
    assert_eq!(customer(|customer| customer.tenant = "tn_other".parse().unwrap()), BOTH_WEAKEN);
}

#[test]
fn the_size_of_a_tenant_stays_said_and_grows_only_with_a_delay() {
    assert_eq!(tightens(|bundle| bundle.tenants.clear()), (false, true));
    assert_eq!(tightens(|bundle| bundle.tenants[0].endpoints -= 1), STRICTER);
    assert_eq!(
        tightens(|bundle| bundle.tenants[0].tenant = "tn_other".parse().unwrap()),
        BOTH_WEAKEN
    );
}

/// Who still counts while a bundle waits that only tightens, behind another that does not.
fn counting(change: impl FnOnce(&mut Bundle)) -> Operator {
    let bundle = before();
    let waits = |bundle: &Bundle, delay_s: u64| PendingBundle {
        trust: TrustState { id: StatementId::new(Sha256::of(b"waits")), bundle: bundle.clone() },
        seen_at: bundle.iat,
        delay_s,
    };
    let mut weaker = bundle.clone();
    weaker.weaken_delay_s -= 1;
    let mut stricter = weaker.clone();
    change(&mut stricter);
    people(&bundle, &[waits(&weaker, 86_400), waits(&stricter, 0)]).operators[0].clone()
}

#[test]
fn a_waiting_bundle_takes_tenants_at_once() {
    let acme = TenantScope::Only(vec!["tn_acme".parse().unwrap()]);
    let only = acme.clone();
    assert_eq!(counting(move |bundle| bundle.operators[0].tenants = only).tenants, acme);
    assert_eq!(counting(|_| {}).tenants, TenantScope::All);
}

#[test]
fn a_waiting_bundle_takes_keys_and_their_freedoms_at_once() {
    let key = |change: fn(&mut OperatorKey)| {
        counting(move |bundle| change(&mut bundle.operators[0].keys[0])).keys
    };
    assert!(key(|key| key.uv = true)[0].uv);
    assert!(!key(|_| {})[0].uv);
    assert!(!key(|key| key.backup_ok = false)[0].backup_ok);
    assert!(key(|_| {})[0].backup_ok);
    assert_eq!(key(|key| key.origins.truncate(1))[0].origins, ["https://a.test"]);
    // The only origin that is left is one that the key has not yet: it may be used nowhere.
    assert_eq!(key(|key| key.origins = vec!["https://c.test".to_owned()]), []);
    let mut two = before();
    let other = two.operators[1].keys[0].clone();
    two.operators[0].keys.push(other.clone());
    let mut one = two.clone();
    one.operators[0].keys.remove(0);
    let trust = TrustState { id: StatementId::new(Sha256::of(b"waits")), bundle: one };
    let waits = PendingBundle { trust, seen_at: two.iat, delay_s: 0 };
    assert_eq!(people(&two, &[waits]).operators[0].keys, [other]);
}
