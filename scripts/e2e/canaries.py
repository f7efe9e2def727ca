"""Every secret is planted, everything is done well and badly, and then everything that can be read is searched for it.

The Rust test `sealed_secrets.rs` does this to one server and to the commands; here it is the whole product as it stands on a
machine: the sidecar's pages, the files of a client, the processes as the kernel shows them, and what a sweep would miss if
it could not find anything.
"""

import contextlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
from pathlib import Path

import wire
from session import ORDER_ID, PASTED_KEY, Check
from shell import Ran, Shell
from stage import BIN, OPEN_WIDE, Stage
from sweep import PASSED_IN, PASSPHRASE, WRITTEN, Secrets, Seen, proc

# Everything that libraries listen to, as loud as it goes.
LOUD = {"ORDERDESK_MCP_LOG": "trace", "RUST_LOG": "trace", "RUST_BACKTRACE": "full"}


def check(quiet: Stage) -> list[Check]:
    # A stage of its own: the sidecar is as loud as everything else.
    with Stage(settings={**OPEN_WIDE, **LOUD}, sandbox=["--no-rate-limit"], vault=True) as stage:
        return [*_swept(stage), _closed_to_others(quiet.folder)]


def _swept(stage: Stage) -> list[Check]:
    shell = Shell(stage.folder / "canary-user", {**OPEN_WIDE, **LOUD, "ORDERDESK_MCP_API_BASE_URL": stage.base_url})
    shell.settings["ORDERDESK_MCP_HOME"] = str(stage.home)  # the sidecar's home, so that its pages show what happens here
    secrets = Secrets(stage)
    seen = Seen()
    ran, as_meant = _commands(stage, shell, secrets)
    seen.commands(ran)
    with wire.Server(shell.environment) as server:
        _session(stage, server)
        written = _writes(server)
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
        written,
        printed,
        *secrets.found_in(seen),
        secrets.can_be_found(stage.folder / "scratch"),
        from_environment,
        refused,
    ]


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


def _writes(server: wire.Server) -> Check:
    """What is written to a shop is the shop's: the record of it says what was done to which order, and nothing that was in it."""
    new = {"email": WRITTEN["an e-mail that was written"], "shipping": {"address1": WRITTEN["a street that was written"]}}
    note, number = WRITTEN["a note that was written"], WRITTEN["a parcel's number that was written"]
    wanted = [
        ("orders_update", {"changes": new, "dry_run": True}),
        ("orders_update", {"changes": new}),
        ("orders_add_note", {"note": note, "kind": "staff"}),
        ("orders_add_note", {"note": f"{note}, again", "kind": "history"}),
        ("shipments_add", {"tracking_number": number}),
    ]
    unwanted = [
        ("orders_update", {"changes": {"email": f"no-{new['email']}"}, "expected": {"email": f"not-{new['email']}"}}),
        ("orders_update", {"changes": {"emial": new["email"]}}),
        ("orders_add_note", {"note": note * 200, "kind": "staff"}),
        ("orders_update", {"changes": new, "confirm": note}),
    ]
    worked = [server.call(tool, order_id=ORDER_ID, **arguments) for tool, arguments in wanted]
    failed = [server.call(tool, order_id=ORDER_ID, **arguments) for tool, arguments in unwanted]
    odd = [text for well, text in worked if not well] + [text for well, text in failed if well]
    return Check(f"{len(worked)} changes are made or shown, {len(failed)} are refused", not odd, "; ".join(odd)[:1500])


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
        environ, cmdline = proc(server.pid, "environ"), proc(server.pid, "cmdline")
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
