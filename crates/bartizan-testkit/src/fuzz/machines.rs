//! The decisions as fuzz targets: an endpoint that is honest, a server that sends anything.

use std::sync::OnceLock;

use bartizan_proto::message::{JobMessage, Message};
use bartizan_trust::authorize::{self, JobDelivery, Verdict};
use bartizan_trust::control::{ControlUpdate, replay};
use bartizan_trust::envelope::Envelope;

use crate::load::scene::{self, Scene, Size};

/// Small, so that paths stay short and every byte of an input matters.
pub(super) const SIZE: Size = Size { targets: 5, logged: 6 };

/// The scene all inputs are judged in.
#[expect(clippy::expect_used, reason = "a scene that cannot be built is a broken test kit")]
pub(super) fn stage() -> &'static Scene {
    static STAGE: OnceLock<Scene> = OnceLock::new();
    STAGE.get_or_init(|| Scene::new(SIZE).expect("the scene is always the same"))
}

/// A delivery as a job message; bytes after the message are the content. Accepted: it would run.
/// Then it must be the one job both operators signed, and a refusal must leave a state in which
/// that job still runs (I1, I9).
pub fn authorize(bytes: &[u8]) -> bool {
    let stage = stage();
    let Some((message, content)) = cut(bytes) else { return false };
    let delivery = JobDelivery {
        envelope: &message.envelope,
        proof: &message.proof,
        consistency: &message.consistency,
        stage: message.stage,
        index: message.index,
        path: &message.path,
        promotions: &message.promotions,
        content: (!content.is_empty()).then_some(content),
        package: None,
    };
    let outcome = authorize::authorize(&stage.state, &scene::facts(), &delivery);
    match outcome.verdict {
        Verdict::Run(authorized) => {
            let honest = Envelope::decode(&stage.job).map(|envelope| envelope.id());
            assert!(honest.is_ok_and(|id| id == authorized.job()), "a job nobody signed would run");
            assert_eq!(authorized.content(), stage.content, "content nobody signed would run");
            true
        }
        Verdict::Update(authorized) => {
            // No delivery here carries a package, so nothing can stand behind one.
            assert!(authorized.signers().is_empty(), "an update nobody signed would be installed");
            false
        }
        Verdict::Scan(authorized) => {
            // Nor a scan.
            assert!(authorized.signers().is_empty(), "a scan nobody signed would look");
            false
        }
        Verdict::Stand(order) => {
            // The corpus holds no standing order: whatever stands was signed by nobody.
            assert_eq!(Ok(order.id), Err(()), "an order nobody signed would stand");
            true
        }
        Verdict::NeedContent(_) | Verdict::Refused(_) => {
            let again = authorize::authorize(&outcome.state, &scene::facts(), &stage.delivery());
            assert!(matches!(again.verdict, Verdict::Run(_)), "a refusal poisoned the state");
            false
        }
    }
}

/// Content is at most a few bytes in the corpus: four bytes of length in front tell the message from it.
fn cut(bytes: &[u8]) -> Option<(JobMessage, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (message, content) = rest.split_at_checked(length)?;
    match Message::decode(message).ok()? {
        Message::Job(message) => Some((message, content)),
        _ => None,
    }
}

/// A control message to a fresh endpoint. Accepted: trust moved. Then the organisation's own genesis
/// bundle is in force; a refusal moves nothing by its type.
pub fn control(bytes: &[u8]) -> bool {
    let scene = stage();
    let Ok(Message::Control { start, entries, checkpoint }) = Message::decode(bytes) else {
        return false;
    };
    let update = ControlUpdate { start, entries: &entries, checkpoint: &checkpoint };
    let Ok((state, _)) = replay(&scene.fresh, &scene::facts(), &update) else { return false };
    assert_eq!(state.trust, scene.state.trust, "trust moved to a bundle nobody signed");
    true
}
