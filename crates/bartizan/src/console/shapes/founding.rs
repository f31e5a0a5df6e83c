//! Founding an organisation, and joining one.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{KeyPlace, Problem, SignedBy};

/// How far this console is on its way into an organisation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Founding {
    /// The one origin of this console; passkeys belong to it.
    pub(crate) origin: String,
    /// Keys of this person that a card would name; the first of them signs.
    pub(crate) keys: Vec<FoundingKey>,
    /// Whether a passkey made here would be the key that signs, or the spare one.
    pub(crate) signs_by_passkey: bool,
    /// The first bundle that was signed here, while the organisation is not entered yet.
    pub(crate) waiting: Option<FoundingWaits>,
}

/// A key that a card would name.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FoundingKey {
    /// Where it is.
    pub(crate) place: KeyPlace,
    /// `SHA256:…`
    pub(crate) fingerprint: String,
    /// `ssh-ed25519` …
    pub(crate) key_type: String,
    /// Whether it can be copied to other devices.
    pub(crate) synced: bool,
}

/// A first bundle that was signed here.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FoundingWaits {
    /// `bz1-…`
    pub(crate) anchor: String,
    /// Eight words of the bundle, which are those of the anchor.
    pub(crate) words: String,
    /// `host:port` of the operator plane.
    pub(crate) address: String,
    /// The bundle with its signatures, for the others: base64 of the file.
    pub(crate) file: String,
    /// Signatures it has.
    pub(crate) signatures: Vec<SignedBy>,
    /// How many people must sign it.
    pub(crate) needed: u32,
    /// Whether enough have signed.
    pub(crate) complete: bool,
    /// Whether the server serves it, by its own word; entering the organisation verifies it.
    pub(crate) published: bool,
    /// Why that is not known.
    pub(crate) problem: Option<Problem>,
}

/// A person and the card that they sent.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PersonRequest {
    /// The card: text of the file.
    pub(crate) card: String,
    /// The eight words that the person read aloud.
    pub(crate) words: String,
}

/// A person whose card has the words they read.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NewPerson {
    /// Bare short name.
    pub(crate) id: String,
    /// For people.
    pub(crate) name: String,
    /// `SHA256:…` of each key.
    pub(crate) fingerprints: Vec<String>,
}

/// How many people change the bundle.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ThresholdRequest {
    /// Root operators.
    pub(crate) people: u32,
}

/// Who one is going to be.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CardRequest {
    /// Bare short name.
    pub(crate) id: String,
    /// For people.
    pub(crate) name: String,
}

/// A card, for whoever puts the organisation together or adds a person to it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OwnCard {
    /// The card: text of the file.
    pub(crate) card: String,
    /// Eight words of it, to be read to that person.
    pub(crate) words: String,
}

/// What is asked of whoever founds an organisation.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FoundRequest {
    /// Bare short name.
    pub(crate) id: String,
    /// For people.
    pub(crate) name: String,
    /// Who founds it together with this person.
    pub(crate) people: Vec<PersonRequest>,
    /// What `bartizan-server identity` printed.
    pub(crate) identity: String,
    /// `host:port` of the operator plane.
    pub(crate) address: String,
    /// Make a recovery key and a spare witness for paper.
    pub(crate) recovery: bool,
}

/// A first bundle that is composed and not signed. Its sheets of paper stand in this answer and in no other.
#[derive(Serialize, ToSchema)]
pub(crate) struct FoundDraft {
    /// `bz1-…`
    pub(crate) anchor: String,
    /// Eight words of it.
    pub(crate) words: String,
    /// What to know before it is signed.
    pub(crate) warnings: Vec<String>,
    /// To be printed, each with a passphrase to be written down.
    pub(crate) sheets: Vec<PaperSheet>,
}

/// What a sheet of paper is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PaperKind {
    /// Names new people.
    Recovery,
    /// Co-signs the control log when every console is gone.
    SpareWitness,
}

/// A sheet of paper, and the passphrase that is not on it.
#[derive(Serialize, ToSchema)]
pub(crate) struct PaperSheet {
    /// What it is for.
    pub(crate) kind: PaperKind,
    /// Its head.
    pub(crate) title: String,
    /// What whoever has it can do.
    pub(crate) purpose: String,
    /// Names and values.
    pub(crate) facts: Vec<PaperFact>,
    /// The encrypted key, as text.
    pub(crate) armor: String,
    /// The same as a QR code: an SVG picture.
    pub(crate) code: String,
    /// How it is used.
    pub(crate) use_it: String,
    /// What to do when.
    pub(crate) cases: Vec<PaperFact>,
    /// Eight words that open it. Said once.
    pub(crate) passphrase: String,
    /// Which of them are asked for, counted from one.
    pub(crate) asked: Vec<u32>,
}

/// A line of a sheet.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaperFact {
    /// What.
    pub(crate) name: String,
    /// How.
    pub(crate) value: String,
}

/// Shows that a passphrase was written down.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PaperCheck {
    /// Of which sheet.
    pub(crate) kind: PaperKind,
    /// The words that were asked for, in that order.
    pub(crate) words: Vec<String>,
}

/// What is still to be shown.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaperLeft {
    /// Sheets whose passphrase nobody has shown to have.
    pub(crate) left: Vec<PaperKind>,
}

/// A first bundle that another person signed.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CountersignRequest {
    /// The file, in base64.
    pub(crate) file: String,
    /// `host:port` of the operator plane.
    pub(crate) address: String,
}

/// An organisation that is there.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct JoinRequest {
    /// `bz1-…`, from another operator.
    pub(crate) anchor: String,
    /// `host:port` of the operator plane.
    pub(crate) address: String,
}
