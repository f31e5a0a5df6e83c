//! Founding an organisation, and joining one: what `init`, `recovery new`, `card` and `join` do, for a page.

use std::time::Instant;

use anyhow::{Context as _, Result};
use bartizan_proto::operator::ServerIdentity;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{Anchor, OperatorId};
use bartizan_trust::json::Validate as _;
use bartizan_trust::keys::PublicKey;
use bartizan_trust::statement::{Bundle, OperatorRole, SignatureRole};
use bartizan_trust::words::eight_words;
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::signed_in;
use super::signing::{bare, by_passkey, give, usable};
use crate::api::session::{self, Prepared};
use crate::api::tls::Pin;
use crate::commands::keys::{Card, CardKey, PasskeyRules, check_name};
use crate::commands::options::slug;
use crate::commands::recovery::{PublicHalves, key_words, new_key, witness_vkey};
use crate::console::desk::{Desk, locked};
use crate::console::drafts::{self, Draft, Passphrase};
use crate::console::failure::problem;
use crate::console::shapes::{
    CardRequest, CountersignRequest, FoundDraft, FoundRequest, Founding, FoundingKey,
    FoundingWaits, JoinRequest, KeyPlace, NewPerson, OwnCard, PaperCheck, PaperFact, PaperKind,
    PaperLeft, PaperSheet, PersonRequest, Sheet, Signed,
};
use crate::console::sheets::{Held, Then};
use crate::exit::{Code, fail, refused};
use crate::founding::{self, CHANGE_ENDPOINTS_MAX, RECOVERY_DELAY_S, Wish};
use crate::home::OrgFile;
use crate::keys::Signer;
use crate::mine;
use crate::recovery::sheet::{self as paper, Kind};
use crate::sign::render;

/// The first bundle that was signed here, until the organisation is entered. Holds no secret.
const FILE: &str = "founding.json";

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FoundingFile {
    /// `host:port` of the operator plane.
    address: String,
    /// The envelope, in base64.
    genesis: String,
}

/// A key of this person.
struct OwnKey {
    place: KeyPlace,
    public: PublicKey,
    passkey: Option<PasskeyRules>,
}

/// The key that signs, and the one after it.
fn own_keys(desk: &Desk) -> Result<Vec<OwnKey>> {
    let (home, given) = (&desk.context.home, desk.context.key.as_deref());
    let mut keys = Vec::new();
    if !by_passkey(desk)?
        && let Some(public) = Signer::public_of(home, given)
    {
        let place = match (Signer::is_in_a_file(home, given), public.key_type().is_hardware()) {
            (true, true) => KeyPlace::SecurityKey,
            (true, false) => KeyPlace::File,
            (false, _) => KeyPlace::Agent,
        };
        keys.push(OwnKey { place, public, passkey: None });
    }
    for one in usable(desk)? {
        let rules = PasskeyRules { origin: one.origin.clone(), synced: one.synced };
        keys.push(OwnKey { place: KeyPlace::Passkey, public: one.public()?, passkey: Some(rules) });
    }
    keys.truncate(2);
    Ok(keys)
}

fn card_of(desk: &Desk, id: &str, name: &str) -> Result<Card> {
    let usage = |problem: String| fail(Code::Usage, problem, "write another short name");
    let id: OperatorId = slug(id).map_err(usage)?;
    check_name("of this console", name)?;
    let mut keys = own_keys(desk)?.into_iter();
    let next = "make a passkey on this page, or start the console with --key";
    let first = keys.next().ok_or_else(|| fail(Code::Error, "there is no key yet", next))?;
    let mut card = Card::new(&desk.context, &id, name, first.public.to_openssh(), first.passkey)?;
    card.spare =
        keys.next().map(|spare| CardKey { ssh: spare.public.to_openssh(), passkey: spare.passkey });
    Ok(card)
}

/// How far this console is.
pub(crate) fn state(desk: &Desk) -> Result<Founding> {
    founding::check_none(&desk.context.home)?;
    let key = |key: OwnKey| FoundingKey {
        place: key.place,
        fingerprint: key.public.fingerprint(),
        key_type: key.public.key_type().name().to_owned(),
        synced: key.passkey.is_some_and(|rules| rules.synced),
    };
    let keys = own_keys(desk)?;
    Ok(Founding {
        origin: desk.origin(),
        signs_by_passkey: keys.is_empty() || by_passkey(desk)?,
        keys: keys.into_iter().map(key).collect(),
        waiting: waiting(desk)?,
    })
}

fn load(desk: &Desk) -> Result<Option<(Envelope, String)>> {
    let Some(file) = desk.context.home.load::<FoundingFile>(FILE)? else { return Ok(None) };
    let bytes = BASE64.decode(file.genesis.as_bytes()).context("read founding.json")?;
    Ok(Some((Envelope::decode(&bytes).context("read founding.json")?, file.address)))
}

fn waiting(desk: &Desk) -> Result<Option<FoundingWaits>> {
    let Some((envelope, address)) = load(desk)? else { return Ok(None) };
    let bundle = first_bundle(&envelope)?;
    let asked = serves(&bundle, &envelope, &address);
    let anchor = founding::anchor_of(&envelope);
    Ok(Some(FoundingWaits {
        anchor: anchor.to_string(),
        words: eight_words(anchor.org().hash()),
        address,
        file: BASE64.encode(&envelope.encode()),
        signatures: signed_in(&bundle, &[], &envelope),
        needed: bundle.root.threshold,
        complete: founding::is_complete(&envelope),
        published: *asked.as_ref().unwrap_or(&false),
        problem: asked.as_ref().err().map(problem),
    }))
}

/// Whether the server has this organisation, by its own word. The key of whoever answers stands in the bundle.
fn serves(bundle: &Bundle, envelope: &Envelope, address: &str) -> Result<bool> {
    let api = session::stranger(address, founding::server_of(bundle))?;
    let identity: ServerIdentity = api.fetch("/v1/server")?;
    match identity.org {
        None => Ok(false),
        Some(org) if org == founding::anchor_of(envelope).org() => Ok(true),
        Some(org) => Err(taken(&org.to_string())),
    }
}

fn taken(org: &str) -> anyhow::Error {
    let problem = format!("this server serves the organisation {org} already");
    fail(Code::Error, problem, "join that one, or take a fresh server")
}

/// A card whose words its person has read.
pub(crate) fn person(desk: &Desk, request: &PersonRequest) -> Result<NewPerson> {
    founding::check_none(&desk.context.home)?;
    let card = Card::compared_text(&request.card, &request.words)?;
    let keys = card.operator_keys("")?;
    let fingerprint = |ssh: &str| PublicKey::parse_openssh(ssh).map(|key| key.fingerprint());
    Ok(NewPerson {
        id: card.id.name().to_owned(),
        name: card.name,
        fingerprints: keys.iter().filter_map(|key| fingerprint(&key.ssh).ok()).collect(),
    })
}

/// The card of this person.
pub(crate) fn card(desk: &Desk, request: &CardRequest) -> Result<OwnCard> {
    founding::check_none(&desk.context.home)?;
    let card = card_of(desk, &request.id, &request.name)?;
    let text = serde_json::to_string(&card).context("write the card")?;
    Ok(OwnCard { card: text, words: card.words() })
}

/// Composes the first bundle, and makes the sheets that it names. What was composed before is forgotten.
pub(crate) fn draft(desk: &Desk, request: &FoundRequest) -> Result<FoundDraft> {
    founding::check_none(&desk.context.home)?;
    let mut cards = vec![card_of(desk, &request.id, &request.name)?];
    for person in &request.people {
        cards.push(Card::compared_text(&person.card, &person.words)?);
    }
    let identity = identity(&request.identity)?;
    is_that_server(&identity, &request.address)?;
    let (public, keys) = if request.recovery { recovery_keys()? } else { (None, Vec::new()) };
    let bundle = founding::genesis(Wish {
        // Two of them, so that one stolen key changes nothing; one who is alone has nobody to ask.
        threshold: u32::try_from(cards.len().min(2)).unwrap_or(2),
        cards,
        guardians: Vec::new(),
        identity: &identity,
        recovery: public,
        recovery_delay_s: RECOVERY_DELAY_S,
        change_endpoints_max: CHANGE_ENDPOINTS_MAX,
    })?;
    let envelope = Envelope::new(&bundle);
    let anchor = founding::anchor_of(&envelope);
    let sheets = keys.iter().map(|key| sheet(key, anchor)).collect::<Result<_>>()?;
    let phrases = keys.into_iter().map(|key| key.passphrase).collect();
    let (address, now) = (request.address.trim().to_owned(), Instant::now());
    *locked(&desk.draft) = Some(Draft::new(envelope, address, phrases, now));
    Ok(FoundDraft {
        anchor: anchor.to_string(),
        words: eight_words(anchor.org().hash()),
        warnings: founding::warnings(&bundle).into_iter().map(str::to_owned).collect(),
        sheets,
    })
}

fn identity(text: &str) -> Result<ServerIdentity> {
    serde_json::from_str(text).map_err(|error| {
        let next = "paste all of what `bartizan-server identity` prints on the server";
        fail(Code::Usage, format!("this is no server's identity: {error}"), next)
    })
}

/// Finds out now what would fail after everybody has signed. The identity came by a way that the person trusts; the address is
/// only where to look.
fn is_that_server(identity: &ServerIdentity, address: &str) -> Result<()> {
    let api = session::stranger(address.trim(), Pin::Keys(vec![identity.spki]))?;
    let answered: ServerIdentity = api.fetch("/v1/server")?;
    if let Some(org) = answered.org {
        return Err(taken(&org.to_string()));
    }
    if answered.control_vkey != identity.control_vkey || answered.jobs_vkey != identity.jobs_vkey {
        let next = "run `bartizan-server identity` on the server again, and paste all of it";
        return Err(refused("the server has other log keys than its identity says", next));
    }
    Ok(())
}

/// A key for paper.
struct PaperKey {
    kind: Kind,
    /// The public half, as the sheet shows it.
    public: String,
    words: String,
    armor: String,
    passphrase: Passphrase,
}

fn recovery_keys() -> Result<(Option<PublicHalves>, Vec<PaperKey>)> {
    let made = |kind| -> Result<_> {
        let passphrase = Passphrase::new(kind)?;
        let (public, armor) = new_key(passphrase.phrase())?;
        Ok((public, armor, passphrase))
    };
    let (recovery, armor, passphrase) = made(Kind::Recovery)?;
    let first = PaperKey {
        kind: Kind::Recovery,
        public: recovery.fingerprint(),
        words: key_words(recovery.blob()),
        armor,
        passphrase,
    };
    let (spare, armor, passphrase) = made(Kind::SpareWitness)?;
    let vkey = witness_vkey(&spare)?;
    let second = PaperKey {
        kind: Kind::SpareWitness,
        public: vkey.to_string(),
        words: key_words(vkey.key_bytes()),
        armor,
        passphrase,
    };
    let public = PublicHalves {
        recovery: recovery.to_openssh(),
        spare_witness: Some(second.public.clone()),
    };
    Ok((Some(public), vec![first, second]))
}

fn sheet(key: &PaperKey, anchor: Anchor) -> Result<PaperSheet> {
    let (public, words, armor) = (&key.public, &key.words, key.armor.trim_end());
    let sheet = paper::Sheet { kind: key.kind, anchor: Some(anchor), public, words, armor };
    let fact =
        |name: &str, value: &str| PaperFact { name: name.to_owned(), value: value.to_owned() };
    Ok(PaperSheet {
        kind: paper_kind(key.kind),
        title: key.kind.title().to_owned(),
        purpose: key.kind.purpose().to_owned(),
        facts: sheet.facts().iter().map(|(name, value)| fact(name, value)).collect(),
        armor: armor.to_owned(),
        code: paper::code(armor)?,
        use_it: sheet.use_it(),
        cases: paper::CASES.iter().map(|(name, value)| fact(name, value)).collect(),
        passphrase: key.passphrase.phrase().expose().clone(),
        asked: key.passphrase.asked(),
    })
}

const fn paper_kind(kind: Kind) -> PaperKind {
    match kind {
        Kind::Recovery => PaperKind::Recovery,
        Kind::SpareWitness => PaperKind::SpareWitness,
    }
}

/// Somebody shows that a passphrase is written down.
pub(crate) fn check(desk: &Desk, request: &PaperCheck) -> Result<PaperLeft> {
    founding::check_none(&desk.context.home)?;
    let kind = match request.kind {
        PaperKind::Recovery => Kind::Recovery,
        PaperKind::SpareWitness => Kind::SpareWitness,
    };
    let mut slot = locked(&desk.draft);
    let left = drafts::current(&mut slot, Instant::now())?.check(kind, &request.words)?;
    Ok(PaperLeft { left: left.into_iter().map(paper_kind).collect() })
}

/// The first bundle, to be signed by its founder.
pub(crate) fn genesis(desk: &Desk) -> Result<Sheet> {
    founding::check_none(&desk.context.home)?;
    let (envelope, address) = drafts::current(&mut locked(&desk.draft), Instant::now())?.ready()?;
    first_sheet(desk, envelope, address, "Found this organisation?")
}

/// The first bundle, to be signed by another who founds it.
pub(crate) fn countersign(desk: &Desk, request: &CountersignRequest) -> Result<Sheet> {
    founding::check_none(&desk.context.home)?;
    let next = "choose the file that the founder's console saved";
    let bytes = BASE64.decode(request.file.as_bytes()).ok();
    let envelope = bytes.and_then(|bytes| Envelope::decode(&bytes).ok());
    let envelope = envelope.ok_or_else(|| fail(Code::Usage, "this is no first bundle", next))?;
    first_bundle(&envelope)?;
    let address = request.address.trim().to_owned();
    first_sheet(desk, envelope, address, "Compare the words with the founder. Sign as well?")
}

/// A bundle that follows no other. Whoever signs something else as one would found what nobody meant.
fn first_bundle(envelope: &Envelope) -> Result<Bundle> {
    let next = "have the founder send the file of their console again";
    let bundle: Bundle = envelope
        .statement()
        .map_err(|error| refused(format!("this is no first bundle: {error}"), next))?;
    if bundle.version != 1 || bundle.prev.is_some() || bundle.org.is_some() {
        return Err(refused("this bundle belongs to an organisation that is there", next));
    }
    bundle
        .validate()
        .map_err(|problem| refused(format!("this first bundle is invalid: {problem}"), next))?;
    Ok(bundle)
}

fn first_sheet(desk: &Desk, envelope: Envelope, address: String, question: &str) -> Result<Sheet> {
    let bundle = first_bundle(&envelope)?;
    let text = render::statement(&envelope)?;
    let signatures = signed_in(&bundle, &[], &envelope);
    let disabled = cannot_sign(desk, &bundle, &envelope)?;
    let held = Held { envelope, role: SignatureRole::Root, then: Then::Found { address } };
    let mut sheet = bare(&held, text, question);
    sheet.notes = founding::warnings(&bundle).into_iter().map(str::to_owned).collect();
    sheet.until = Some(bundle.expires.get());
    sheet.who_else = Some(match bundle.root.threshold {
        1 => "nobody".to_owned(),
        needed => format!("{needed} of the {} people in it sign", bundle.operators.len()),
    });
    (sheet.signatures, sheet.disabled) = (signatures, disabled);
    give(desk, held, sheet)
}

/// Why this person cannot sign a first bundle.
fn cannot_sign(desk: &Desk, bundle: &Bundle, envelope: &Envelope) -> Result<Option<String>> {
    let own: Vec<String> = own_keys(desk)?.iter().map(|key| key.public.to_openssh()).collect();
    let me = bundle.operators.iter().find(|operator| {
        operator.roles.contains(&OperatorRole::Root)
            && operator.keys.iter().any(|key| own.contains(&key.ssh))
    });
    let Some(me) = me else {
        let text = "It does not name a key of this console. Send your card again, as it is now.";
        return Ok(Some(text.to_owned()));
    };
    let signed = signed_in(bundle, &[], envelope);
    let by_me = signed.iter().any(|one| {
        one.verification.verified && one.operator.as_deref() == Some(me.id.to_string().as_str())
    });
    Ok(by_me.then(|| "You have signed it already.".to_owned()))
}

/// Keeps the signed bundle, and hands it to the server once enough people have signed.
pub(super) fn hand_over(desk: &Desk, envelope: &Envelope, address: &str) -> Result<Signed> {
    let home = &desk.context.home;
    founding::check_none(home)?;
    mine::remember(home, envelope)?;
    let genesis = BASE64.encode(&envelope.encode());
    home.save(FILE, &FoundingFile { address: address.to_owned(), genesis })?;
    *locked(&desk.draft) = None;
    let enough = founding::is_complete(envelope);
    if enough {
        founding::publish(envelope, address)
            .context("it is signed and kept here, but the server did not take it")?;
    }
    let text = if enough {
        "The organisation exists. Now let this console in."
    } else {
        "It waits for another person: give them the file."
    };
    Ok(Signed {
        id: envelope.id().to_string(),
        kind: "bundle".to_owned(),
        enough,
        text: text.to_owned(),
        log_index: enough.then_some(0),
        command: None,
    })
}

/// Hands a complete bundle over that the server has not taken yet.
pub(crate) fn publish(desk: &Desk) -> Result<Founding> {
    founding::check_none(&desk.context.home)?;
    let next = "found an organisation first";
    let (envelope, address) =
        load(desk)?.ok_or_else(|| fail(Code::Error, "nothing was signed here", next))?;
    founding::publish(&envelope, &address)?;
    state(desk)
}

/// Forgets what was composed or signed. Whoever has the file can still publish it when it is complete.
pub(crate) fn forget(desk: &Desk) -> Result<Founding> {
    founding::check_none(&desk.context.home)?;
    *locked(&desk.draft) = None;
    let path = desk.context.home.path(FILE);
    if path.exists() {
        std::fs::remove_file(&path).with_context(|| format!("remove {}", path.display()))?;
    }
    state(desk)
}

/// What makes this console part of an organisation that is there: the first login.
pub(crate) fn join(desk: &Desk, request: &JoinRequest) -> Result<Sheet> {
    founding::check_none(&desk.context.home)?;
    let anchor: Anchor =
        request.anchor.trim().parse().map_err(|error| {
            fail(Code::Usage, format!("{error}"), "give the whole anchor, `bz1-…`")
        })?;
    let org = founding::at(anchor, request.address.trim())?;
    let Prepared { envelope, console } = session::prepare(&org)?;
    let text = render::statement(&envelope)?;
    let then = Then::Join { org, console: Box::new(console) };
    let held = Held { envelope, role: SignatureRole::Login, then };
    let mut sheet = bare(&held, text, "Enter the organisation?");
    if own_keys(desk)?.is_empty() {
        sheet.disabled = Some("There is no key here yet.".to_owned());
    }
    give(desk, held, sheet)
}

/// Logs in with what was signed, and enters if all that the server shows leads back to the anchor.
pub(super) fn enter(desk: &Desk, org: &OrgFile, signed: &Prepared, ssh: String) -> Result<()> {
    let home = &desk.context.home;
    founding::check_none(home)?;
    session::complete(home, org, signed, ssh)?;
    let api = session::open(home, org, desk.context.key.as_deref())?;
    founding::enter(home, org, &api)?;
    // From here on the organisation is believed by its log, not by this file.
    let path = home.path(FILE);
    if path.exists() {
        std::fs::remove_file(&path).with_context(|| format!("remove {}", path.display()))?;
    }
    desk.forget_view();
    Ok(())
}
