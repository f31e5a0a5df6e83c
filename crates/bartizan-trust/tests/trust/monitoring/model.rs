//! The decision written twice: somebody who knows what is true of each delivery, and remembers everything for ever.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Happening {
    Deliver(Offer),
    /// The newest one that stands is taken back.
    Withdraw,
    Freeze,
    Hour,
    RemoveCarol,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Offer {
    who: &'static str,
    place: usize,
    version: u64,
    life_days: u64,
    logged: bool,
    witnessed: bool,
}

fn happening() -> impl Strategy<Value = Happening> {
    let offer = (
        prop::sample::select(vec!["alice", "carol", "mallory"]),
        0..6_usize,
        1..4_u64,
        prop_oneof![4 => Just(30_u64), 1 => Just(91_u64)],
        prop::bool::weighted(0.9),
        prop::bool::weighted(0.9),
    );
    let offer = offer.prop_map(|(who, place, version, life_days, logged, witnessed)| {
        Happening::Deliver(Offer { who, place, version, life_days, logged, witnessed })
    });
    prop_oneof![
        12 => offer,
        1 => Just(Happening::Withdraw),
        1 => Just(Happening::Freeze),
        2 => Just(Happening::Hour),
        1 => Just(Happening::RemoveCarol),
    ]
}

fn place(number: usize) -> PolicyPlace {
    let globex = TenantId::from_name("globex").unwrap();
    let places = [
        PolicyPlace::Org {},
        tenant(),
        site("hq"),
        only(0),
        site("branch"),
        PolicyPlace::Tenant { tenant: globex },
    ];
    places[number].clone()
}

#[derive(Debug, Default)]
struct Model {
    hour: u64,
    frozen_until: u64,
    carol_gone: bool,
    /// Of every place: the highest version ever taken in.
    newest: [u64; 4],
    /// What stands: place, id, who.
    stands: Vec<(usize, StatementId, &'static str)>,
    withdrawn: Vec<StatementId>,
    starts: Vec<u64>,
}

impl Model {
    fn answer(&self, offer: Offer, id: StatementId) -> Result<(), Refusal> {
        if offer.place == 5 {
            return Err(Refusal::WrongTenant);
        }
        if offer.place == 4 {
            return Err(Refusal::WrongPlace);
        }
        if offer.life_days > 90 {
            return Err(Refusal::OrderNotAllowed);
        }
        if self.withdrawn.contains(&id) {
            return Err(Refusal::Withdrawn);
        }
        let counts = match offer.who {
            "alice" => true,
            "carol" => !self.carol_gone && offer.place != 0,
            _ => false,
        };
        if !counts {
            return Err(Refusal::AuthorMissing);
        }
        if !offer.logged {
            return Err(Refusal::NotLogged);
        }
        if !offer.witnessed {
            return Err(Refusal::NotWitnessed);
        }
        if offer.version <= self.newest[offer.place] {
            return Err(Refusal::PolicyOld);
        }
        if self.hour < self.frozen_until {
            return Err(Refusal::Frozen);
        }
        if self.starts.iter().filter(|hour| **hour == self.hour).count() >= 5 {
            return Err(Refusal::RateLimited);
        }
        Ok(())
    }
}

fn play(happenings: &[Happening]) {
    let (mut watched, mut model) = (Watched::new(), Model::default());
    let mut envelopes: Vec<Envelope> = Vec::new();
    for happening in happenings {
        match happening {
            Happening::Deliver(offer) => deliver(&mut watched, &mut model, &mut envelopes, *offer),
            Happening::Withdraw => {
                if let Some((_, id, _)) = model.stands.pop() {
                    let withdrawal = watched.world.withdrawal(id);
                    let by_bob = signed(&withdrawal, &[("bob", SignatureRole::Freeze)]).unwrap();
                    watched.world.log_control(&by_bob);
                    model.withdrawn.push(id);
                }
            }
            Happening::Freeze if model.hour >= model.frozen_until => {
                let freeze = watched.world.freeze(FreezeScope::Tenant(acme()), 3600);
                let roles = [("alice", SignatureRole::Freeze), ("bob", SignatureRole::Freeze)];
                watched.world.log_control(&signed(&freeze, &roles).unwrap());
                model.frozen_until = model.hour + 1;
            }
            Happening::Hour => {
                model.hour += 1;
                watched.pass(3600);
            }
            Happening::RemoveCarol if !model.carol_gone => {
                let gone =
                    |bundle: &mut Bundle| bundle.operators.retain(|o| o.id.name() != "carol");
                watched.world.publish(gone, &["alice", "bob"]).unwrap();
                model.carol_gone = true;
                model.stands.retain(|(_, _, who)| *who != "carol");
            }
            // Once is enough.
            Happening::Freeze | Happening::RemoveCarol => {}
        }
        watched.pass(0);
        compare(&mut watched, &model, &envelopes);
    }
}

fn deliver(watched: &mut Watched, model: &mut Model, envelopes: &mut Vec<Envelope>, offer: Offer) {
    let mut policy = watched.policy(place(offer.place), offer.version);
    policy.until = policy.iat.plus(offer.life_days * DAY);
    policy.nonce = format!("{:032x}", envelopes.len());
    let envelope = signed(&policy, &[(offer.who, Author)]).unwrap();
    let mut delivery = watched.world.deliver(&envelope, &watched.state).unwrap();
    let size = watched.world.jobs.size();
    if !offer.witnessed {
        let note = watched.world.jobs.note(size, &[], watched.world.now).unwrap();
        delivery.proof = watched.world.jobs.proof(size - 1, size, note).unwrap();
    }
    if !offer.logged {
        delivery.proof.clear();
    }
    let expected = model.answer(offer, envelope.id());
    assert_eq!(watched.judge(&delivery).map(|_| ()), expected, "{offer:?} {model:?}");
    if expected.is_ok() {
        model.newest[offer.place] = offer.version;
        model.stands.retain(|(place, ..)| *place != offer.place);
        model.stands.push((offer.place, envelope.id(), offer.who));
        model.starts.push(model.hour);
    }
    envelopes.push(envelope);
}

/// What the endpoint says of everything it ever saw is what the model remembers.
fn compare(watched: &mut Watched, model: &Model, envelopes: &[Envelope]) {
    for envelope in envelopes {
        let id = envelope.id();
        let review = watched.review(envelope);
        if let Err(refusal) = review {
            assert!(ends_policy(refusal), "{refusal}");
            watched.state.policies.end(id);
        }
        let stands = model.stands.iter().any(|(_, known, _)| *known == id);
        let held = (model.hour < model.frozen_until).then_some(Refusal::Frozen);
        assert_eq!(review.ok(), stands.then_some(held), "{model:?}");
    }
}

proptest! {
    #![proptest_config(crate::cases(48))]

    #[test]
    fn an_endpoint_and_somebody_who_remembers_everything_agree(
        happenings in prop::collection::vec(happening(), 1..24)
    ) {
        play(&happenings);
    }
}
