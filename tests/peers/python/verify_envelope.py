"""Verifies a DSSE envelope with securesystemslib and stock ssh-keygen: nothing here is Bartizan's own code.

usage: verify_envelope.py ENVELOPE ALLOWED_SIGNERS THRESHOLD

Each line of ALLOWED_SIGNERS is `NAME namespaces="NAMESPACE" TYPE KEY`, as ssh-keygen reads it. securesystemslib reads
the envelope, computes what was signed and counts distinct keys; each signature is handed to `ssh-keygen -Y verify`.
Exits with 0 when at least THRESHOLD keys signed, 1 when fewer did, 2 when the envelope cannot be read.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import UnverifiedSignatureError, VerificationError
from securesystemslib.signer import Key, Signature

LINE = re.compile(r'^(\S+) namespaces="([^"]+)" (\S+ \S+)$')


class SshKey(Key):
    """A key whose signatures ssh-keygen verifies."""

    def __init__(self, keyid: str, name: str, namespace: str, allowed: Path):
        super().__init__(keyid, "ssh", "sshsig", {"public": name}, {})
        self.name = name
        self.namespace = namespace
        self.allowed = allowed

    @classmethod
    def from_dict(cls, keyid: str, key_dict: dict[str, Any]) -> Key:
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        raise NotImplementedError

    def verify_signature(self, signature: Signature, data: bytes) -> None:
        blob = base64.encodebytes(bytes.fromhex(signature.signature)).decode()
        with tempfile.NamedTemporaryFile("w", suffix=".sig") as file:
            file.write(f"-----BEGIN SSH SIGNATURE-----\n{blob}-----END SSH SIGNATURE-----\n")
            file.flush()
            command = ["ssh-keygen", "-Y", "verify", "-f", str(self.allowed)]
            command += ["-I", self.name, "-n", self.namespace, "-s", file.name]
            done = subprocess.run(command, input=data, capture_output=True, check=False)
        if done.returncode != 0:
            raise UnverifiedSignatureError(done.stderr.decode(errors="replace"))


def keys(allowed: Path) -> list[Key]:
    """The keys of the file, under the ids that OpenSSH gives them."""
    found: list[Key] = []
    for line in allowed.read_text().splitlines():
        match = LINE.match(line)
        if match is None:
            raise ValueError(f"not a line of allowed signers: {line}")
        name, namespace, public = match.groups()
        listing = subprocess.run(
            ["ssh-keygen", "-l", "-f", "-"], input=public.encode(), capture_output=True, check=True
        )
        fingerprint = listing.stdout.decode().split()[1]
        found.append(SshKey(fingerprint, name, namespace, allowed))
    return found


def main() -> int:
    envelope_file, allowed, threshold = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    try:
        envelope = Envelope.from_dict(json.loads(envelope_file.read_text()))
    except (ValueError, KeyError, TypeError) as error:
        print(f"unreadable: {error}")
        return 2
    try:
        accepted = envelope.verify(keys(allowed), threshold)
    except VerificationError as error:
        print(f"refused: {error}")
        return 1
    print(f"good: {len(accepted)} keys")
    return 0


if __name__ == "__main__":
    sys.exit(main())
