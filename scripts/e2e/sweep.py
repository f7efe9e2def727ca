"""Planted secrets, and everything in which somebody could read them.

`Secrets` knows each secret in the forms in which it could lie about; `Seen` collects what commands said, files, processes as
the kernel shows them, and the sidecar's pages. Standard library only.
"""

import base64
import json
import re
import shutil
import urllib.request
from pathlib import Path

from session import ORDER_ID, PASTED_KEY, Check
from shell import Ran
from stage import Stage, get

# Typed at prompts, and handed over as a key.
PASSPHRASE = "canary badgers under every hedge"
PASSED_IN = "passphrase:canary otters in the mill pond"


# What somebody writes to an order.
WRITTEN = {
    "an e-mail that was written": "canary.heron@example.com",
    "a street that was written": "Canary Quay 77",
    "a note that was written": "canary herons nest behind the kiln",
    "a parcel's number that was written": "1ZCANARYHERON0077",
}


class Secrets:
    """What to look for, in each form in which it could lie about."""

    def __init__(self, stage: Stage):
        key = (stage.home / "master.key").read_text().strip()
        # What a sweep finds in the bytes of the key: bech32 without its checksum is the key five bits at a time.
        raw = _bech32_bytes(key)
        assert len(raw) == 32, f"master.key holds {len(raw)} bytes"
        self.always = {
            "the master key": key.encode(),
            "the master key, its middle": key[10:40].encode(),
            "the master key in capitals": key.upper().encode(),
            "the master key's bytes": raw,
            "the master key in hex": raw.hex().encode(),
            "the master key in base64": base64.b64encode(raw).rstrip(b"="),
            "the master key in url-safe base64": base64.urlsafe_b64encode(raw).rstrip(b"="),
            "a passphrase": PASSPHRASE.encode(),
            "a passphrase as the key": PASSED_IN.removeprefix("passphrase:").encode(),
            "a key pasted into a conversation": PASTED_KEY.encode(),
            **{f"the API key of {store['name']}": store["api_key"].encode() for store in stage.stores},
            **{
                f"the API key of {store['name']} in base64": base64.b64encode(store["api_key"].encode())[:-4]
                for store in stage.stores
            },
        }
        order = json.loads(_asked(stage, f"orders/{ORDER_ID}"))["order"]
        self.personal = {
            "an order's e-mail": order["email"].encode(),
            "an order's phone": order["shipping"]["phone"].encode(),
            "an order's street": order["shipping"]["address1"].encode(),
            **{what: text.encode() for what, text in WRITTEN.items()},
        }

    def add(self, what: str, secret: str) -> None:
        self.always[what] = secret.encode()

    def found_in(self, seen: "Seen") -> list[Check]:
        checks = []
        for group, wanted in (("keys and passphrases", self.always), ("people", self.personal)):
            places = [(where, text) for where, text, personal in seen.places if group != "people" or not personal]
            found = [f"{what} in {where}" for what, secret in wanted.items() for where, text in places if secret in text]
            size = sum(len(text) for _, text in places)
            name = f"{group}: {len(wanted)} canaries are in none of {len(places)} places ({size / 1e6:.1f} MB)"
            checks.append(Check(name, not found and len(places) > 20 and size > 100_000, "; ".join(found[:12])))
        return checks

    def can_be_found(self, scratch: Path) -> Check:
        """The sweep proves nothing unless it finds what is there."""
        scratch.mkdir()
        planted = {**self.always, **self.personal}
        for number, secret in enumerate(planted.values()):
            (scratch / f"{number}.bin").write_bytes(b"\0\xff before " + secret + b" after \n")
        seen = Seen()
        seen.files("scratch", scratch)
        found = [what for what, secret in planted.items() if any(secret in text for _, text, _ in seen.places)]
        shutil.rmtree(scratch)
        return Check(
            f"the sweep finds each of {len(planted)} planted canaries", sorted(found) == sorted(planted), f"only {found}"
        )


class Seen:
    """Everything that somebody could read: (where, its bytes, whether people's data may be there)."""

    def __init__(self):
        self.places: list[tuple[str, bytes, bool]] = []

    def note(self, where: str, text: str | bytes, personal: bool = False) -> None:
        self.places.append((where, text if isinstance(text, bytes) else text.encode(), personal))

    def commands(self, commands: list[Ran]) -> None:
        for ran in commands:
            self.note(f"the command line `{ran.command}`", ran.command)
            self.note(f"stderr of `{ran.command}`", ran.stderr)
            # A tool that was called from the shell answers there.
            self.note(f"stdout of `{ran.command}`", ran.stdout, personal=" call " in ran.command)

    def files(self, what: str, folder: Path, but: list[Path] = (), depth: int = 9) -> None:
        for path in folder.rglob("*"):
            if path.is_file() and path not in but and len(path.relative_to(folder).parts) <= depth:
                self.note(f"{what}: {path.relative_to(folder)}", path.read_bytes())

    def process(self, what: str, pid: int) -> None:
        for name in ("cmdline", "environ", "comm", "status", "maps"):
            self.note(f"/proc/PID/{name} of {what}", proc(pid, name))

    def pages(self, stage: Stage) -> None:
        for path in ("/metrics", "/health", "/health/ready", "/health/detailed", "/openapi.json"):
            _, body = get(f"{stage.sidecar_url}{path}", stage.admin_token)
            self.note(f"the sidecar's {path}", body)


def proc(pid: int, name: str) -> bytes:
    """What the kernel tells us about a process; nothing where it refuses."""
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except PermissionError:
        return b""


def _asked(stage: Stage, path: str) -> str:
    """What the shop itself says, asked without any of us in between."""

    store = stage.store
    headers = {"ORDERDESK-STORE-ID": store["store_id"], "ORDERDESK-API-KEY": store["api_key"]}
    with urllib.request.urlopen(urllib.request.Request(f"{stage.base_url}/{path}", headers=headers)) as answer:
        return answer.read().decode()


def _bech32_bytes(text: str) -> bytes:
    """The bytes of a bech32 text without looking at its checksum: a sweep needs no more."""
    words = ["qpzry9x8gf2tvdw0s3jn54khce6mua7l".index(letter) for letter in re.sub("^.*1", "", text)[:-6]]
    bits = "".join(f"{word:05b}" for word in words)
    return bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits) // 8 * 8, 8))
