//! The first frame: who is this, and is it let in?

use anyhow::{Context as _, ensure};
use bartizan_proto::limits::PROTOCOL_VERSION;
use bartizan_proto::message::Hello;
use bartizan_store::{Admission, Introduction, Standing};
use bartizan_trust::control::judge_enrolment;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::keys::PublicKey;
use bartizan_trust::statement::{Admit, Descriptor, Enrolment, SignatureRole};

use crate::app::{App, Organisation, now};

/// Checks the introduction against the TLS key, stores it, and says where the endpoint stands.
// SPEC: agent-plane.md "Hello"
pub(super) async fn introduce(
    app: &App,
    device: &PublicKey,
    hello: &Hello,
) -> anyhow::Result<Standing> {
    ensure!(
        hello.protocol == PROTOCOL_VERSION,
        "protocol version {} is not supported",
        hello.protocol
    );
    let organisation = app.organisation().context("this server has no organisation yet")?;
    let descriptor = check_descriptor(&organisation, device, &hello.descriptor)?;
    let admission = judge(&organisation, &descriptor, &hello.enrolment);
    let who = Introduction {
        id: device.endpoint_id(),
        hostname: descriptor.hostname,
        os: descriptor.os,
        descriptor: hello.descriptor.clone(),
        enrolment: hello.enrolment.clone(),
        control_size: hello.control_size,
        jobs_size: hello.jobs_size,
    };
    let at = now().get();
    Ok(app.db.write(move |tx| tx.introduce(&who, admission.as_ref(), at)).await?)
}

fn check_descriptor(
    organisation: &Organisation,
    device: &PublicKey,
    bytes: &[u8],
) -> anyhow::Result<Descriptor> {
    let envelope = Envelope::decode(bytes).context("the descriptor")?;
    let descriptor: Descriptor = envelope.statement().context("the descriptor's payload")?;
    let (signatures, _) = envelope.verify_signatures();
    let signed = signatures.iter().any(|s| s.role == SignatureRole::Descriptor && s.key == *device);
    ensure!(signed, "the descriptor is not signed by the device key of this connection");
    ensure!(
        descriptor.device_key == device.to_openssh(),
        "the descriptor names another device key"
    );
    ensure!(descriptor.org == organisation.org, "the descriptor names another organisation");
    Ok(descriptor)
}

/// What the enrolment grants; `None` leaves the endpoint in quarantine.
fn judge(organisation: &Organisation, descriptor: &Descriptor, bytes: &[u8]) -> Option<Admission> {
    let membership = judge_enrolment(organisation.bundle(), organisation.org, now(), bytes).ok()?;
    if membership.enrolment != descriptor.enrolment {
        return None;
    }
    let enrolment: Enrolment = Envelope::decode(bytes).ok()?.statement().ok()?;
    Some(Admission {
        enrolment: membership.enrolment,
        tenant: membership.tenant,
        site: membership.site,
        uses_max: u64::from(enrolment.max_uses),
        auto: enrolment.admit == Admit::Auto,
    })
}
