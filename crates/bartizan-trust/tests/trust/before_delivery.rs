//! What servers and consoles judge by the same rules, before an endpoint does.

use bartizan_testkit::load::organisation::Key;
use bartizan_testkit::world::{World, operator_key, signed};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::TenantId;
use bartizan_trust::limits;
use bartizan_trust::people::{lacks_customer, reviewed, signers, stand_behind};
use bartizan_trust::refusal::{Refusal, Retry};
use bartizan_trust::stages::{Rollout, halts};
use bartizan_trust::statement::*;

use SignatureRole::{Approve, Author, Promote};

const OWNER: &str = "acme's owner";

/// The tenant acme has a say from class `change` on.
fn world_with_a_customer() -> World {
    World::with(|bundle| {
        bundle.customers = vec![Customer {
            tenant: TenantId::from_name("acme")?,
            keys: vec![operator_key(&Key::named(OWNER)?.public)],
            rule: CustomerRule { from_class: Class::Change },
        }];
        Ok(())
    })
    .unwrap()
}

#[test]
fn people_stand_behind_a_job_when_enough_of_them_and_the_customer_have_signed() {
    let mut world = world_with_a_customer();
    let job = world.job().unwrap();
    let judged = |signers: &[(&str, SignatureRole)]| {
        stand_behind(&world.bundle, &job, &signed(&job, signers).unwrap())
    };
    let (alice, bob, owner) =
        (("alice", Author), ("bob", Approve), (OWNER, SignatureRole::Customer));
    assert_eq!(judged(&[bob, owner]), Err(Refusal::AuthorMissing));
    assert_eq!(judged(&[alice, owner]), Err(Refusal::ApprovalsMissing));
    assert_eq!(judged(&[alice, bob]), Err(Refusal::CustomerMissing));
    assert_eq!(judged(&[alice, bob, owner]), Ok(()));
}

#[test]
fn a_script_counts_as_reviewed_once_a_second_person_stands_behind_it() {
    let mut world = World::new().unwrap();
    let job = Job { class: Class::Routine, ..world.job().unwrap() };
    let Action::Script(script) = &job.action else { panic!("a script") };
    let known = |who: &[(&str, SignatureRole)]| {
        let people = signers(&world.bundle, &job, &signed(&job, who).unwrap()).unwrap();
        (people.len(), reviewed(&people, script))
    };
    assert_eq!(known(&[("alice", Author)]), (1, None));
    assert_eq!(known(&[("alice", Author), ("alice", Approve)]), (1, None), "one person twice");
    assert_eq!(known(&[("alice", Author), ("bob", Approve)]), (2, Some(script.reviewed_as())));
    assert_eq!(reviewed(&[], script), None);
}

#[test]
fn a_job_lacks_its_customer_until_one_of_the_customers_keys_has_signed() {
    let mut world = world_with_a_customer();
    let job = world.job().unwrap();
    let everyday = Job { class: Class::Routine, ..world.job().unwrap() };
    let lacks = |job: &Job, signers: &[(&str, SignatureRole)]| {
        lacks_customer(&world.bundle, job, &signed(job, signers).unwrap())
    };
    let customer = SignatureRole::Customer;
    assert!(lacks(&job, &[("alice", Author), ("bob", Approve)]));
    assert!(lacks(&job, &[("carol", customer)]), "a key that is not the customer's");
    assert!(lacks(&job, &[(OWNER, Approve)]), "not in the role of a customer");
    assert!(!lacks(&job, &[(OWNER, customer)]));
    assert!(!lacks(&everyday, &[("alice", Author)]), "a class it has no say in");
    let mut nobody = World::new().unwrap();
    let job = nobody.job().unwrap();
    let alone = signed(&job, &[("alice", Author)]).unwrap();
    assert!(!lacks_customer(&nobody.bundle, &job, &alone), "a tenant without a customer");
}

#[test]
fn a_roll_out_halts_at_what_stays_refused_or_shows_that_the_server_was_false() {
    let lies = [
        Refusal::NotTargeted,
        Refusal::NotLogged,
        Refusal::LogSignature,
        Refusal::LogShrunk,
        Refusal::LogFork,
        Refusal::ContentMismatch,
    ];
    for refusal in Refusal::ALL {
        let expected = refusal.retry() == Retry::Terminal || lies.contains(refusal);
        assert_eq!(halts(*refusal), expected, "{refusal}");
    }
    assert!(halts(Refusal::ClassTooWeak) && halts(Refusal::Withdrawn));
    assert!(!halts(Refusal::Frozen) && !halts(Refusal::BundleExpired));
}

/// The same statement, and after the signatures that count one that does not, of any length: the envelope has so many bytes.
fn filled_up(envelope: &Envelope, bytes: usize) -> Vec<u8> {
    let text = String::from_utf8(envelope.encode()).unwrap();
    let begun = format!("{},{{\"keyid\":\"", text.strip_suffix("]}").unwrap());
    let room = bytes - begun.len() - "\",\"sig\":\"\"}]}".len();
    let (hint, signature) = ("x".repeat(room % 4), "A".repeat(room - room % 4));
    format!("{begun}{hint}\",\"sig\":\"{signature}\"}}]}}").into_bytes()
}

#[test]
fn a_promotion_has_at_most_12_kib() {
    let mut world = World::new().unwrap();
    let job = world.staged_job(0).unwrap();
    let id = Envelope::new(&job).id();
    let promotion = signed(&world.promotion(id, 1, None), &[("carol", Promote)]).unwrap();
    let rule = world.bundle.class_rule(job.class).unwrap();
    let rollout = Rollout { bundle: &world.bundle, rule, id, job: &job };
    let judged = |bytes: usize| {
        let envelope = filled_up(&promotion, bytes);
        assert_eq!(envelope.len(), bytes);
        assert_eq!(Envelope::decode(&envelope).unwrap().id(), promotion.id());
        rollout.judge(&envelope, 1, None).map(|promoted| promoted.promoters.len())
    };
    assert_eq!(judged(limits::PROMOTION_BYTES_MAX - 1), Ok(1));
    assert_eq!(judged(limits::PROMOTION_BYTES_MAX), Ok(1));
    assert_eq!(judged(limits::PROMOTION_BYTES_MAX + 1), Err(Refusal::NotPromoted));
    assert_eq!(judged(2 * limits::PROMOTION_BYTES_MAX), Err(Refusal::NotPromoted));
}
