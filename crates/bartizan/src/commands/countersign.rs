//! `customer export`, `approve`, `send`: a customer's person countersigns without any connection to the server. A file goes
//! there, a signature comes back.
//!
//! The file proves nothing, and need not: the person signs what is shown from its exact bytes, and what nobody else signed
//! runs nowhere. So neither the way there nor the way back has to be safe.

use std::fs::File as OpenFile;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use bartizan_proto::operator::{JobDetail, Stored};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::Sha256;
use bartizan_trust::people::lacks_customer;
use bartizan_trust::sshsig::SshSig;
use bartizan_trust::statement::{Job, SignatureRole};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Context, approve, watch};
use crate::api::session;
use crate::exit::{Code, fail, refused};
use crate::home::{now, read_bounded, write_private};
use crate::keys::Signer;
use crate::keys::security_key::{armour, read_armour};
use crate::mine;
use crate::sign::render;
use crate::witness;

/// Largest request: the largest content, an update's package, in base64, and an envelope.
const REQUEST_BYTES_MAX: u64 = 88 * 1024 * 1024;
const ROLE: SignatureRole = SignatureRole::Customer;

/// What the customer's person gets.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    v: u8,
    /// The exact envelope, in base64.
    envelope: String,
    /// What it runs, in base64.
    content: String,
}

/// `customer export`: what is to be signed, for `customer approve` and for stock `ssh-keygen`.
pub(super) fn export(context: &Context, id: &str, dir: &Path) -> Result<()> {
    let console = context.connect()?;
    let id = watch::find(&console, id)?;
    let detail: JobDetail = console.api.fetch(&format!("/v1/jobs/{id}"))?;
    let (envelope, content) = approve::check(&console, id, &detail)?;
    let job: Job = envelope.statement().context("read the job")?;
    if !lacks_customer(&console.trust.bundle, &job, &envelope) {
        return Err(not_needed());
    }
    let request = Request {
        v: 1,
        envelope: BASE64.encode(&envelope.encode()),
        content: BASE64.encode(&content),
    };
    let request = serde_json::to_vec(&request).context("write the request")?;
    let sheet = render::job_envelope(&envelope, &content)?;
    write_private(&dir.join("request.json"), &request)?;
    write_private(&dir.join("sheet.txt"), sheet.as_bytes())?;
    write_private(&dir.join("content"), &content)?;
    write_private(&dir.join("pae"), &envelope.pae())?;
    let commands = [
        "bartizan customer approve request.json --out pae.sig".to_owned(),
        format!("ssh-keygen -Y sign -n {} -f KEY pae", ROLE.namespace()),
    ];
    let send = format!("bartizan customer send {id} pae.sig");
    let shown = json!({
        "job": id, "dir": dir, "words": render::words(&envelope), "commands": commands, "send": send,
    });
    let text = format!(
        "{sheet}written to {}. There, either of\n  {}\nand with what comes back:\n  {send}",
        dir.display(),
        commands.join("\n  ")
    );
    context.terminal.result(&shown, &text)
}

/// `customer approve`: shows the same sheet as any approver sees, asks, signs. Needs no server.
pub(super) fn approve(context: &Context, file: &Path, out: Option<&Path>) -> Result<()> {
    let (envelope, content) = read_request(file)?;
    context.terminal.show(&render::job_envelope(&envelope, &content)?)?;
    context.terminal.confirm("This runs on your own endpoints. Sign for the customer?")?;
    let mut signed = Envelope::decode(&envelope.encode()).context("read the job")?;
    Signer::open(&context.home, context.key.as_deref())?.sign(&mut signed, ROLE)?;
    mine::remember(&context.home, &signed)?;
    let known: Vec<&[u8]> = envelope.signature_blobs().collect();
    let own = signed.signature_blobs().find(|blob| !known.contains(blob));
    let own = own.context("you have signed this job already")?;
    let path: PathBuf = out.map_or_else(|| file.with_extension("sig"), Path::to_owned);
    write_private(&path, armour(own).as_bytes())?;
    let id = envelope.id();
    let shown = json!({ "job": id, "words": render::words(&envelope), "signature": path });
    let text = format!(
        "{id} countersigned; send {} back. It is no secret, and of no use for anything else.",
        path.display()
    );
    context.terminal.result(&shown, &text)
}

/// `customer send`: what came back goes to the server, if it is what it should be.
pub(super) fn send(context: &Context, id: &str, file: &Path) -> Result<()> {
    let signature = read_signature(file)?;
    let console = context.connect()?;
    let id = watch::find(&console, id)?;
    let detail: JobDetail = console.api.fetch(&format!("/v1/jobs/{id}"))?;
    let (mut envelope, _) = approve::check(&console, id, &detail)?;
    let job: Job = envelope.statement().context("read the job")?;
    if !lacks_customer(&console.trust.bundle, &job, &envelope) {
        return Err(not_needed());
    }
    if signature.verify(&envelope.pae()).is_err() {
        let next = "compare the eight words: the file that was signed may be of another job, or changed on its way";
        return Err(refused("the signature is not one of this job", next));
    }
    envelope.add_signature(&signature).context("add the signature")?;
    if lacks_customer(&console.trust.bundle, &job, &envelope) {
        let problem = format!(
            "the key {} is not one of the customer's, or its signature lacks what the bundle asks of it",
            signature.public_key().fingerprint()
        );
        let next =
            "have it signed with a key that `bartizan customer list` shows for the job's tenant";
        return Err(refused(problem, next));
    }
    let path = format!("/v1/jobs/{id}/signatures");
    let _: Stored = console.api.send(&path, &session::body(&envelope))?;
    witness::cosign_both(&context.home, &console.api, &console.trust.bundle)?;
    let shown = json!({ "job": id, "words": render::words(&envelope) });
    context.terminal.result(&shown, &format!("{id} is countersigned by the customer"))
}

fn not_needed() -> anyhow::Error {
    let next = "nothing is to be done; `bartizan customer list` shows which jobs need it";
    fail(Code::Error, "this job needs no signature of the customer", next)
}

/// A job with the content that belongs to it, still worth signing.
fn read_request(file: &Path) -> Result<(Envelope, Vec<u8>)> {
    let next = "ask for the file again: `bartizan customer export`";
    let damaged = |what: &str| refused(format!("{}: {what}", file.display()), next);
    let mut bytes = Vec::new();
    let open = OpenFile::open(file).with_context(|| format!("open {}", file.display()))?;
    open.take(REQUEST_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("read {}", file.display()))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > REQUEST_BYTES_MAX) {
        return Err(damaged("larger than any request"));
    }
    let request: Request =
        serde_json::from_slice(&bytes).map_err(|_| damaged("this is no request to sign"))?;
    if request.v != 1 {
        return Err(damaged("made by a newer version of this program"));
    }
    let decode = |text: &str| BASE64.decode(text.as_bytes()).map_err(|_| damaged("it is damaged"));
    let content = decode(&request.content)?;
    let envelope = Envelope::decode(&decode(&request.envelope)?)
        .map_err(|_| damaged("the job in it is damaged"))?;
    let job: Job =
        envelope.statement().map_err(|_| damaged("it holds something else than a job"))?;
    if job.action.content().sha256 != Sha256::of(&content) {
        return Err(damaged("the content is another one than the job names"));
    }
    if now() >= job.window.exp {
        let next = "ask the author to sign it again, for longer";
        return Err(refused("the job's window is over", next));
    }
    Ok((envelope, content))
}

/// An armoured signature of a customer, as `customer approve` and `ssh-keygen -Y sign` write it.
fn read_signature(file: &Path) -> Result<SshSig> {
    let next = format!("sign with: ssh-keygen -Y sign -n {} -f KEY pae", ROLE.namespace());
    let wrong = |what: &str| refused(format!("{}: {what}", file.display()), next.clone());
    let blob = read_armour(&read_bounded(file)?).map_err(|_| wrong("this is no SSH signature"))?;
    let signature = SshSig::decode(&blob)
        .map_err(|_| wrong("a signature of another kind, or in another namespace"))?;
    if signature.role() != ROLE {
        let what = format!("it was signed as `{}`", signature.role().namespace());
        return Err(wrong(&what));
    }
    Ok(signature)
}
