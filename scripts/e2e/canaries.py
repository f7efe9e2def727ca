"""Every secret is planted, everything is done well and badly, and then everything that can be read is searched for it.

The Rust test `secrets.rs` does this to one server and to the commands; here it is the whole product as it stands on a
machine: the sidecar's pages, the files of a client, the processes as the kernel shows them, and what a sweep would miss if
it could not find anything.
"""

import base64
import contextlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
import urllib.request
from pathlib import Path

import wire
from session import ORDER_ID, PASTED_KEY, Check
from shell import Ran, Shell
from stage import BIN, OPEN_WIDE, Stage, get

PASSPHRASE = "canary badgers under every hedge"
PASSED_IN = "passphrase:canary otters in the mill pond"

# Everything that libraries listen to, as loud as it goes.
LOUD = {"ORDERDESK_MCP_LOG": "trace", "RUST_LOG": "trace", "RUST_BACKTRACE": "full"}


def check(quiet: Stage) -> list[Check]:
    # A stage of its own: the sidecar is as loud as everything else.
    with Stage(settings={**OPEN_WIDE, **LOUD}, sandbox=["--no-rate-limit"], vault=True) as stage:
        return [*_swept(stage), _closed_to_others(quiet.folder)]


def _swept(stage: Stage) -> list[Check]:
    shell = Shell(stage.folder / "canary-user", {**OPEN_WIDE, **LOUD, "ORDERDESK_MCP_API_BASE_URL": stage.base_url})
    shell.settings["ORDERDESK_MCP_HOME"] = str(stage.home)  # the sidecar's home, so that its pages show what happens here
    secrets = Secrets(stage, shell)
    seen = Seen()
    ran, as_meant = _commands(stage, shell, secrets)
    seen.commands(ran)
    with wire.Server(shell.environment) as server:
        _session(stage, server)
        seen.note("stderr of a server, alive", server.stderr)
        seen.process("a server", server.pid)
        seen.pages(stage)
    seen.note("stderr of a server, ended", server.stderr)
    # The order's own data is in good answers; keys are in none.
    seen.note("answers", "".join(server.frames), personal=True)
    tampered, refused = _tampered(stage, shell)
    seen.commands(tampered)
    from_environment = _handed_over(shell, secrets)
    printed = _printed(shell, secrets, seen)
    seen.files("the home", stage.home, but=[stage.home / "master.key"])
    seen.files("the user's own files", shell.home, but=[shell.home / "moved/master.key"])
    seen.files("logs of the stage", stage.folder, depth=1)
    return [
        as_meant,
        printed,
        *secrets.found_in(seen),
        secrets.can_be_found(stage.folder / "scratch"),
        from_environment,
        refused,
    ]


class Secrets:
    """What to look for, in each form in which it could lie about."""

    def __init__(self, stage: Stage, shell: Shell):
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
            self.note(f"/proc/PID/{name} of {what}", _proc(pid, name))

    def pages(self, stage: Stage) -> None:
        for path in ("/metrics", "/health", "/health/ready", "/health/detailed", "/openapi.json"):
            _, body = get(f"{stage.sidecar_url}{path}", stage.admin_token)
            self.note(f"the sidecar's {path}", body)


def _commands(stage: Stage, shell: Shell, secrets: Secrets) -> tuple[list[Ran], Check]:
    """Every command, with what it wants and with what it does not."""
    store = stage.store
    order = json.dumps({"order_id": ORDER_ID})
    # A second tenant in the same home, whose key is a passphrase.
    second = {"ORDERDESK_MCP_MASTER_KEY": PASSED_IN}
    export = shell.home / "key.age"
    wanted = [
        (["init"], None, {}),
        (["init", "--name", "second"], None, second),
        (["store", "add", "--name", "Theirs", "--id", store["store_id"]], store["api_key"], second),
        (["call", "orders_get", order], None, second),
        (["key", "rotate", "--yes"], None, {}),
        (["store", "list"], None, {}),
        (["store", "list", "--json"], None, {}),
        (["store", "test", store["name"]], None, {}),
        (["store", "add", "--name", "Spare", "--id", "4711", "--no-verify"], f"{PASTED_KEY}\n", {}),
        (["key", "show-id"], None, {}),
        (["key", "export", "--to", export], f"{PASSPHRASE}\n", {}),
        (["config"], None, {}),
        (["config", "--json"], None, second),
        (["tools", "--json"], None, {}),
        (["call", "orders_get", order], None, {}),
        (["call", "orders_find", json.dumps({"query": ORDER_ID})], None, {}),
        (["audit", "list"], None, {}),
        (["audit", "list", "--json"], None, second),
        (["audit", "export", "--format", "csv"], None, {}),
        (["audit", "export", "--format", "json"], None, {}),
        (["audit", "verify"], None, {}),
        (["install", "--client", "claude-code"], None, {}),
        (["install", "--client", "codex", "--force"], None, {}),
        (["install", "--client", "goose", "--force"], None, {}),
        (["install", "--client", "cursor", "--print"], None, {}),
    ]
    unwanted = [
        (["store", "test", "no such shop"], None, {}),
        # The key of nobody's shop: Order Desk refuses it, and what it says about it is not repeated.
        (["store", "add", "--name", "Wrong", "--id", store["store_id"], "--replace"], f"{PASTED_KEY}\n", {}),
        (["store", "add", "--name", "Odd", "--id", "4712"], f"two {PASTED_KEY}\n{PASTED_KEY}\n", {}),
        (["store", "add", "--name", "Odd", "--id", "4712"], "", {}),
        (["store", "test", "Spare"], None, {}),
        (["store", "remove", "Spare"], None, {}),
        (["key", "import", export], f"not {PASSPHRASE}\n", {}),
        (["key", "import", "-"], f"{PASTED_KEY}\n", {}),
        (["call", "orders_get", json.dumps({"order_id": "x"})], None, {}),
        # Keys that are none, or nobody's: the complaint names the source and never the content.
        (["store", "list"], None, {"ORDERDESK_MCP_MASTER_KEY": f"odmk1{'q' * 58}"}),
        (["store", "list"], None, {"ORDERDESK_MCP_MASTER_KEY": secrets.always["the master key"].decode()[:-1] + "?"}),
        (["store", "list"], None, {"ORDERDESK_MCP_MASTER_KEY": secrets.always["the master key"].decode()}),
        (["store", "list"], None, {"ORDERDESK_MCP_MASTER_KEY": PASSED_IN.removeprefix("passphrase:")}),
        (["store", "list"], None, {"ORDERDESK_MCP_MASTER_KEY": f"{PASSED_IN}s"}),
        (["doctor"], None, {"ORDERDESK_MCP_MASTER_KEY": f"{PASSED_IN}s"}),
        (["doctor", "--json"], None, {"ORDERDESK_MCP_STORE_ID": store["store_id"], "ORDERDESK_MCP_API_KEY": PASTED_KEY}),
    ]
    worked = [shell.run(*arguments, stdin=stdin, also=also) for arguments, stdin, also in wanted]
    secrets.add("the master key after a rotation", (stage.home / "master.key").read_text().strip())
    failed = [shell.run(*arguments, stdin=stdin, also=also) for arguments, stdin, also in unwanted]
    odd = [f"`{ran.command}`: {ran.code} {ran.stderr[-300:]}" for ran in worked if ran.code != 0]
    odd += [f"`{ran.command}`: {ran.code}" for ran in failed if ran.code == 0 or "panic" in ran.stderr or not ran.said]
    name = f"{len(worked)} commands work, {len(failed)} are refused"
    return [*worked, *failed, shell.run("store", "remove", "Spare", "--yes"), shell.run("doctor")], Check(
        name, not odd, "; ".join(odd)[:1500]
    )


def _session(stage: Stage, server: wire.Server) -> None:
    """Every tool, with what it wants and with what it does not; a shop that answers with what it should not."""
    listed = server.request("tools/list", {})["result"]["tools"]
    for tool in listed:
        name = tool["name"]
        for arguments in ({}, {"store": "nowhere"}, {"api_key": PASTED_KEY}, {"store": PASTED_KEY}, {"order_id": ORDER_ID}):
            server.call(name, **arguments)
    server.call("orders_find", query=ORDER_ID)
    server.call("stores_register", store_id="4711", store_name="Third")
    server.call("stores_register", store_id=PASTED_KEY, store_name="Third")
    server.call("stores_register", store_id="4711", store_name=PASTED_KEY)


# The seals of this tenant's other shop, and of the same shop at another tenant's.
OTHER_SHOP = "select sealed_key, seal_nonce from stores other where other.name = 'Demo Outlet'"
OTHER_TENANT = "select sealed_key, seal_nonce from stores other where other.name = 'Theirs'"

# What somebody with a database tool could do to a sealed row, and to what it belongs to.
TAMPERING = {
    "a bit of the seal": "update stores set sealed_key = cast(x'00' || substr(sealed_key, 2) as blob)",
    "its end cut": "update stores set sealed_key = cast(substr(sealed_key, 1, length(sealed_key) - 1) as blob)",
    "its nonce": "update stores set seal_nonce = zeroblob(length(seal_nonce))",
    "another address": "update stores set base_url = 'http://127.0.0.1:9/api/v2'",
    "another store": "update stores set store_id = '4711' where name = 'Demo Store'",
    "an older key": "update stores set key_version = key_version - 1",
    "another shop's seal": f"update stores set (sealed_key, seal_nonce) = ({OTHER_SHOP}) where name = 'Demo Store'",
    "another tenant's seal": f"update stores set (sealed_key, seal_nonce) = ({OTHER_TENANT}) where name = 'Demo Store'",
    "the tenant's wrapped key": "update tenants set wrapped_key = zeroblob(length(wrapped_key))",
    "the tenant's salt": "update tenants set salt = zeroblob(length(salt))",
}


def _tampered(stage: Stage, shell: Shell) -> tuple[list[Ran], Check]:
    """Rows edited behind our back, each in a copy of the home: nothing opens, and the complaint names the row only."""
    ran, opened = [], []
    for number, (what, edit) in enumerate(TAMPERING.items()):
        home = stage.folder / f"tampered-{number}"
        home.mkdir(mode=0o700)
        (home / "master.key").write_bytes((stage.home / "master.key").read_bytes())
        (home / "master.key").chmod(0o600)
        changed = _edited_copy(stage.home / "state.db", home / "state.db", edit)
        also = {"ORDERDESK_MCP_HOME": str(home)}
        order = json.dumps({"order_id": ORDER_ID})
        commands = (["store", "test"], ["call", "orders_get", order], ["store", "list"], ["doctor"])
        tried = [shell.run(*arguments, also=also) for arguments in commands]
        if changed < 1 or tried[0].code == 0 or tried[1].code == 0 or any("panic" in each.stderr for each in tried):
            opened.append(f"{what}: {tried[0].said} {tried[1].said}")
        ran += tried
    return ran, Check(f"{len(TAMPERING)} kinds of edited rows are refused", not opened, "\n".join(opened)[:1500])


def _edited_copy(original: Path, copy: Path, edit: str) -> int:
    """Copies a database and edits the copy; how many rows that has changed."""
    with contextlib.closing(sqlite3.connect(original)) as before, contextlib.closing(sqlite3.connect(copy)) as after:
        before.backup(after)
        changed = after.execute(edit).rowcount
        after.commit()
    return changed


def _handed_over(shell: Shell, secrets: Secrets) -> Check:
    """A server with its key from the environment: there the kernel shows it to its owner, and nowhere else."""
    key = secrets.always["the master key after a rotation"].decode()
    settings = {**shell.environment, "ORDERDESK_MCP_MASTER_KEY": key}
    with wire.Server(settings) as server:
        well, text = server.call("orders_get", order_id=ORDER_ID)
        environ, cmdline = _proc(server.pid, "environ"), _proc(server.pid, "cmdline")
    # Only root gets to see the environment, see `_closed_to_others`.
    shown = not environ or key.encode() in environ
    given = shown and key.encode() not in cmdline and key not in server.stderr
    check = Check("a key from the environment is in the environment only", well and given, text)
    return check


def _printed(shell: Shell, secrets: Secrets, seen: Seen) -> Check:
    """Where a key comes from the environment, a rotation prints the new one, on stdout alone, once: somebody has to put it there."""
    second = {"ORDERDESK_MCP_MASTER_KEY": PASSED_IN}
    rotated = shell.run("key", "rotate", "--yes", also=second)
    new = rotated.stdout.strip()
    old_refused = shell.run("store", "test", "Theirs", also=second)
    new_opens = shell.run("store", "test", "Theirs", also={"ORDERDESK_MCP_MASTER_KEY": new})
    secrets.add("a new master key that was printed", new)
    seen.commands([old_refused, new_opens])
    seen.note("stderr of a rotation that prints", rotated.stderr)
    well = rotated.code == 0 and new.startswith("odmk1") and "\n" not in new and old_refused.code != 0 and new_opens.code == 0
    return Check(
        "a rotation without a key file prints the new key, and it works",
        well,
        f"{rotated.stderr} {old_refused.said} {new_opens.said}",
    )


def _proc(pid: int, name: str) -> bytes:
    """What the kernel tells us about a process; nothing where it refuses."""
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except PermissionError:
        return b""


# Who a test is that runs as root and wants to know what others may do.
NOBODY = 65534


def _closed_to_others(folder: Path) -> Check:
    """No core dump holds a key, and another program of the same user reads neither a server's environment nor its memory."""
    user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    place = Path(tempfile.mkdtemp(prefix="orderdesk-closed-", dir=folder.parent))
    try:
        program = shutil.copy(BIN / "mcp-stdio", place)
        if user:
            shutil.chown(place, NOBODY, NOBODY)
        server = subprocess.Popen(
            [program],
            env={"HOME": str(place), "PATH": os.environ["PATH"], "ORDERDESK_MCP_MASTER_KEY": PASSED_IN},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            **user,
        )
        with server:
            # An answer means that it is past its first steps.
            server.stdin.write(
                json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": wire.HELLO}).encode() + b"\n"
            )
            server.stdin.flush()
            server.stdout.readline()
            limits = re.findall(r"Max core file size +(\S+) +(\S+)", Path(f"/proc/{server.pid}/limits").read_text())
            files = [f"/proc/{server.pid}/{name}" for name in ("environ", "mem", "maps")]
            read = [subprocess.run(["cat", file], capture_output=True, **user) for file in files]
            server.stdin.close()
    finally:
        shutil.rmtree(place, ignore_errors=True)
    open_ = [ran.stdout[:80] for ran in read if b"Permission denied" not in ran.stderr]
    return Check(
        "a server leaves no core dump, and its user's other programs cannot read it",
        limits == [("0", "0")] and not open_,
        f"{limits} {open_}",
    )


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
