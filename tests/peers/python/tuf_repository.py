"""Builds a vendor's TUF repositories with python-tuf: a good one, later ones, and everything that must be refused.

    tuf_repository.py OUT NAME FILE

writes OUT/root.json, which a package would pin, and OUT/<variant>/metadata for each variant below; FILE is the target NAME.
"""

import copy
import json
import os
import sys
from datetime import datetime, timedelta, timezone

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    Delegations,
    DelegatedRole,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

OUT, NAME, FILE = sys.argv[1:]
LATER = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=30)
PAST = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(days=1)

ROOT = [CryptoSigner.generate_ed25519() for _ in range(2)]
TARGETS = [CryptoSigner.generate_ed25519() for _ in range(2)]
SNAPSHOT, TIMESTAMP, STRANGER = (CryptoSigner.generate_ed25519() for _ in range(3))
DELEGATE, NEW_TIMESTAMP = (CryptoSigner.generate_ed25519() for _ in range(2))


def root(version, timestamp=TIMESTAMP):
    document = Root(version=version, expires=LATER, consistent_snapshot=True)
    for signer in ROOT:
        document.add_key(signer.public_key, "root")
    for signer in TARGETS:
        document.add_key(signer.public_key, "targets")
    document.add_key(SNAPSHOT.public_key, "snapshot")
    document.add_key(timestamp.public_key, "timestamp")
    document.roles["root"].threshold = 2
    document.roles["targets"].threshold = 2
    return signed(document, ROOT)


def signed(document, signers):
    metadata = Metadata(document)
    for signer in signers:
        metadata.sign(signer, append=True)
    return metadata


def target(version, wrong=False):
    file = TargetFile.from_file(NAME, FILE)
    if wrong:
        file.hashes["sha256"] = "0" * 64
    file.unrecognized_fields["custom"] = {"version": version}
    return file


class Variant:
    """One repository: what differs from the good one is given by name."""

    def __init__(self, name, number=1, version="0.2.0", **differs):
        self.folder = os.path.join(OUT, name, "metadata")
        os.makedirs(self.folder)
        self.differs = differs
        roots = differs.get("roots", [])
        self.write("1.root.json", ROOT_1.to_bytes())
        for file, metadata in roots:
            self.write(file, metadata.to_bytes())
        targets = self.targets(number, version)
        extra = {}
        if differs.get("delegated"):
            extra["vendor.json"] = self.delegated(number, version)
        meta = MetaFile.from_data(number, targets, ["sha256"])
        if differs.get("swapped"):
            other = Targets(version=number, expires=LATER, targets={NAME: target("9.9.9")})
            self.write(f"{number}.targets.json", signed(other, TARGETS).to_bytes())
        snapshot = Snapshot(version=differs.get("snapshot", number), expires=LATER)
        snapshot.meta = {"targets.json": meta, **extra}
        snapshot = signed(snapshot, [SNAPSHOT]).to_bytes()
        if not differs.get("no_snapshot"):
            self.write(f"{differs.get('snapshot', number)}.snapshot.json", snapshot)
        self.timestamp(number, snapshot)

    def targets(self, number, version):
        files = {} if self.differs.get("delegated") else {NAME: target(version, self.differs.get("wrong"))}
        if self.differs.get("without_version"):
            del files[NAME].unrecognized_fields["custom"]
        document = Targets(version=number, expires=LATER, targets=files)
        if self.differs.get("delegated"):
            key = DELEGATE.public_key
            role = DelegatedRole("vendor", [key.keyid], 1, False, paths=["*"])
            document.delegations = Delegations({key.keyid: key}, {"vendor": role})
        metadata = signed(document, self.differs.get("targets_by", TARGETS))
        content = json.loads(metadata.to_bytes())
        if self.differs.get("doubled"):
            # One of two people, counted twice.
            content["signatures"] = [content["signatures"][0]] * 2
        if self.differs.get("relabelled"):
            content["signatures"] = [content["signatures"][0], copy.copy(content["signatures"][0])]
            content["signatures"][1]["keyid"] = TARGETS[1].public_key.keyid
        content = json.dumps(content).encode()
        self.write(f"{number}.targets.json", content)
        return content

    def delegated(self, number, version):
        document = Targets(version=number, expires=LATER, targets={NAME: target(version)})
        content = signed(document, [DELEGATE]).to_bytes()
        self.write(f"{number}.vendor.json", content)
        return MetaFile.from_data(number, content, ["sha256"])

    def timestamp(self, number, snapshot):
        document = Timestamp(
            version=self.differs.get("timestamp", number),
            expires=PAST if self.differs.get("expired") else LATER,
            snapshot_meta=MetaFile.from_data(self.differs.get("snapshot", number), snapshot, ["sha256"]),
        )
        signer = self.differs.get("timestamp_by", TIMESTAMP)
        self.write("timestamp.json", signed(document, [signer]).to_bytes())

    def write(self, file, content):
        with open(os.path.join(self.folder, file), "wb") as out:
            out.write(content)


ROOT_1 = root(1)
os.makedirs(OUT, exist_ok=True)
with open(os.path.join(OUT, "root.json"), "wb") as pinned:
    pinned.write(ROOT_1.to_bytes())

Variant("good")
Variant("newer", number=2, version="0.3.0")
Variant("older_snapshot", number=3, snapshot=1)
Variant("unsigned_target", targets_by=[STRANGER])
Variant("one_of_two", targets_by=TARGETS[:1])
Variant("doubled", targets_by=TARGETS[:1], doubled=True)
Variant("relabelled", targets_by=TARGETS[:1], relabelled=True)
Variant("expired", expired=True)
Variant("swapped", swapped=True)
Variant("wrong_hash", wrong=True)
Variant("delegated", delegated=True)
Variant("without_version", without_version=True)
Variant("root_gap", roots=[("2.root.json", root(3))])
Variant("root_stranger", roots=[("2.root.json", signed(root(2).signed, [STRANGER]))])
Variant("rotated", roots=[("2.root.json", root(2, NEW_TIMESTAMP))], timestamp_by=NEW_TIMESTAMP)
Variant("forged_timestamp", timestamp=99, timestamp_by=STRANGER)
Variant("half_timestamp", timestamp=99, no_snapshot=True)
