//! Hardware keys by their handle file: OpenSSH's own `ssh-keygen` talks to the device.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use bartizan_trust::sshsig::SshSig;
use bartizan_trust::statement::SignatureRole;

/// Signs `message` (the PAE) in a role.
pub(crate) fn sign(path: &Path, role: SignatureRole, message: &[u8]) -> Result<SshSig> {
    let mut child = Command::new("ssh-keygen")
        .args(["-Y", "sign", "-n", role.namespace(), "-f"])
        .arg(path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("run `ssh-keygen`, which talks to security keys; is OpenSSH installed?")?;
    let mut input = child.stdin.take().context("open its input")?;
    input.write_all(message).context("hand over the statement")?;
    drop(input);
    let output = child.wait_with_output().context("wait for `ssh-keygen`")?;
    if !output.status.success() {
        bail!("`ssh-keygen` could not sign with {} ({})", path.display(), output.status);
    }
    SshSig::decode(&read_armour(&output.stdout)?).context("read its signature")
}

/// The blob inside `-----BEGIN SSH SIGNATURE-----`.
pub(crate) fn read_armour(text: &[u8]) -> Result<Vec<u8>> {
    let text = str::from_utf8(text).context("the armoured signature is not text")?;
    let body: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
    data_encoding::BASE64.decode(body.trim().as_bytes()).context("the armour is damaged")
}

/// Armours a blob as `ssh-keygen` does.
pub(crate) fn armour(blob: &[u8]) -> String {
    let encoded = data_encoding::BASE64.encode(blob);
    let mut text = "-----BEGIN SSH SIGNATURE-----\n".to_owned();
    for (at, c) in encoded.chars().enumerate() {
        if at > 0 && at % 70 == 0 {
            text.push('\n');
        }
        text.push(c);
    }
    text + "\n-----END SSH SIGNATURE-----\n"
}
