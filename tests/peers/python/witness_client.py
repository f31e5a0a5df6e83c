"""A client of C2SP tlog-witness, written from its text: a log of its own, its proofs, its signed notes, and the checks of what
a witness answers. Arguments: the log's name, then the witness's URL and verifier key; or the log's name alone, which prints
the log's verifier key. Prints a JSON list of what happened."""

import base64
import hashlib
import json
import struct
import sys
import urllib.error
import urllib.request

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SEED = hashlib.sha256(b"a log made in Python").digest()


def b64(data):
    return base64.b64encode(data).decode()


def sha(data):
    return hashlib.sha256(data).digest()


def root(leaves):
    if not leaves:
        return sha(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return sha(b"\x01" + root(leaves[:k]) + root(leaves[k:]))


def split(n):
    k = 1
    while k * 2 < n:
        k *= 2
    return k


# RFC 6962 section 2.1.2.
def proof(m, leaves):
    return subproof(m, leaves, True) if m else []


def subproof(m, leaves, whole):
    n = len(leaves)
    if m == n:
        return [] if whole else [root(leaves)]
    k = split(n)
    if m <= k:
        return subproof(m, leaves[:k], whole) + [root(leaves[k:])]
    return subproof(m - k, leaves[k:], False) + [root(leaves[:k])]


def key_id(name, kind, public):
    return sha(name.encode() + b"\n" + bytes([kind]) + public)[:4]


class Log:
    def __init__(self, name, seed=SEED):
        self.name = name
        self.key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self.key.public_key().public_bytes_raw()

    def vkey(self):
        return f"{self.name}+{key_id(self.name, 1, self.public).hex()}+{b64(bytes([1]) + self.public)}"

    def note(self, leaves):
        text = f"{self.name}\n{len(leaves)}\n{b64(root(leaves))}\n"
        line = b64(key_id(self.name, 1, self.public) + self.key.sign(text.encode()))
        return text, f"{text}\n— {self.name} {line}\n"


def post(url, body):
    request = urllib.request.Request(url + "/add-checkpoint", data=body, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers.get("content-type"), answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers.get("content-type"), answer.read().decode()


def cosigned(vkey, text, lines):
    """Whether one of the lines is a cosignature/v1 of this witness over the text."""
    name, hex_id, encoded = vkey.split("+", 2)
    material = base64.b64decode(encoded, validate=True)
    assert material[0] == 4 and key_id(name, 4, material[1:]).hex() == hex_id, "the witness's key"
    for line in lines.splitlines():
        mark, who, signature = line.split(" ")
        blob = base64.b64decode(signature, validate=True)
        if mark != "—" or who != name or blob[:4].hex() != hex_id or len(blob) != 4 + 8 + 64:
            continue
        (at,) = struct.unpack(">Q", blob[4:12])
        try:
            message = f"cosignature/v1\ntime {at}\n{text}".encode()
            Ed25519PublicKey.from_public_bytes(material[1:]).verify(blob[12:], message)
            return True
        except InvalidSignature:
            pass
    return False


def main():
    log = Log(sys.argv[1])
    if len(sys.argv) == 2:
        print(json.dumps(log.vkey()))
        return
    url, vkey = sys.argv[2:]
    leaves = [sha(b"\x00" + f"entry {n}".encode()) for n in range(20)]
    forked = leaves[:3] + [sha(b"\x00" + f"other {n}".encode()) for n in range(17)]
    said = []

    def ask(what, old, entries, path, by=log):
        text, note = by.note(entries)
        body = f"old {old}\n" + "".join(b64(hash) + "\n" for hash in path) + "\n" + note
        status, kind, answer = post(url, body.encode())
        good = status == 200 and cosigned(vkey, text, answer)
        size = answer if kind == "text/x.tlog.size" else None
        said.append({"what": what, "status": status, "cosigned": good, "size": size})

    ask("first sight", 0, leaves[:3], [])
    ask("growth", 3, leaves[:11], proof(3, leaves[:11]))
    ask("the same again", 11, leaves[:11], [])
    ask("from zero", 0, leaves[:12], [])
    ask("shrunk", 3, leaves[:3], [])
    ask("another root", 11, forked[:11], [])
    ask("a fork", 11, forked, proof(11, forked))
    ask("old above new", 12, leaves[:11], [])
    ask("not its key", 11, leaves[:12], proof(11, leaves[:12]), Log(sys.argv[1], sha(b"another key")))
    ask("unknown log", 0, leaves[:1], [], Log("another.log"))
    ask("growth after all that", 11, leaves, proof(11, leaves))
    status, _, _ = post(url, b"old 20\nnonsense\n\n")
    said.append({"what": "nonsense", "status": status, "cosigned": False, "size": None})
    status, _, _ = post(url, b"old 20\n" + b"x" * 40000)
    said.append({"what": "too long", "status": status, "cosigned": False, "size": None})
    print(json.dumps(said))


main()
