"""Backups and the object stores of others: every promise of a target, kept by real servers, and the real program with them.

Cells: all promises (sizes in one piece and in parts, create-only, listings, deletion) under the least policy that works; one of
many who store at once; wrong credentials; a bucket that is not there; then `ops-sidecar backup` makes, lists, restores and fails
as it should, also when nobody vouches for the server's certificate; and its daemon records changes of which the last one comes back
from there alone. And folders on disks that are full or read-only. For Google's storage the server is ours: see gcs_server.py.

Usage: targets.py [--whole]     --whole adds a second implementation of S3 (s3s-fs); part of scripts/soak.
"""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gcs import Google
from shell import Shell
from stage import BIN, ENDS_WITHIN_S, ROOT, Skipped, StageError, free_port, wait_for
from stores import Azurite, Moto, S3s, Store, authority

TESTS = "backup::targets::tests::servers::"
# What is added one after the other while the daemon looks on.
SHOPS = ["one", "two"]


class Broken(Exception):
    """A promise that is not kept."""


def main(arguments: list[str]) -> int:
    kinds = [Moto, Azurite, Google] + ([S3s] if "--whole" in arguments else [])
    program = tests_program()
    with tempfile.TemporaryDirectory(prefix="orderdesk-targets-") as folder:
        with ThreadPoolExecutor(len(kinds)) as players:
            lines = list(players.map(lambda kind: with_one(kind, Path(folder), program), kinds))
        lines.append([disks(Path(folder) / "disk", program)])
    outcomes = [outcome for line in lines for outcome in line]
    passed, failed = outcomes.count("ok"), outcomes.count("FAIL")
    print(f"\n{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


def tests_program() -> Path:
    """The program with the promises in it, built if need be."""
    command = ["cargo", "test", "--locked", "--quiet", "-p", "ops-sidecar", "--lib", "--no-run", "--message-format=json"]
    built = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if built.returncode != 0:
        raise StageError(f"the tests did not compile: {built.stderr[-800:]}")
    messages = [json.loads(line) for line in built.stdout.splitlines() if line.startswith("{")]
    return Path(next(message["executable"] for message in reversed(messages) if message.get("executable")))


def with_one(kind: type[Store], folder: Path, program: Path) -> list[str]:
    """All cells with one kind of server; how each ended."""
    try:
        with kind(folder) as store:
            return [cell(store, name, play, program) for name, play in CELLS if fits(store, play)]
    except Skipped as why:
        print(f"  skip {kind.name}: {why}")
        return ["skip"]
    except StageError as why:
        print(f"  FAIL {kind.name}: {why}")
        return ["FAIL"]


def cell(store: Store, name: str, play, program: Path) -> str:
    began = time.monotonic()
    try:
        play(store, program)
    except (Broken, StageError) as wrong:
        print(f"  FAIL {store.name}: {name}\n       {wrong}")
        return "FAIL"
    print(f"  ok   {store.name}: {name}, {time.monotonic() - began:.1f} s")
    return "ok"


def run(program: Path, test: str, urls: list[str], environment: dict[str, str], leak: list[str]) -> str:
    """One test of the room against a server; what it said."""
    settings = {"PATH": os.environ["PATH"], "ORDERDESK_E2E_TARGETS": ",".join(urls), **environment}
    command = [program, "--ignored", "--nocapture", "--exact", TESTS + test]
    ran = subprocess.run(command, env=settings, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    said = ran.stdout + ran.stderr
    if ran.returncode != 0 or "1 passed" not in said:
        raise Broken(said[-1200:])
    for secret in leak:
        if secret in said:
            raise Broken("a secret is in what was said")
    return said


def promises(store: Store, program: Path) -> None:
    urls = [store.url(), store.url() + "/deeper/"]
    run(program, "the_servers_keep_the_promises", urls, store.environment, store.secrets)


def race(store: Store, program: Path) -> None:
    run(program, "one_of_many_who_store_at_once_wins", [store.url()], store.environment, store.secrets)


def wrong_credentials(store: Store, program: Path) -> None:
    wrong = {**store.environment, **store.wrong}
    run(program, "wrong_credentials_are_denied_by_the_servers", [store.url()], wrong, store.secrets)


def no_bucket(store: Store, program: Path) -> None:
    run(program, "a_bucket_that_is_not_there_is_no_missing_object", [store.url(bucket="nobody-s")], store.environment, store.secrets)


def on_a_machine(store: Store, program: Path) -> None:
    """The cloud's own machines have no key: they ask their metadata service for tokens."""
    run(program, "the_servers_keep_the_promises", [store.url() + "/machine"], store.on_a_machine, store.secrets)


def on_a_machine(store: Store, program: Path) -> None:
    run(program, "the_servers_keep_the_promises", [store.url() + "/machine"], store.on_a_machine, store.secrets)


def the_program(store: Store, _program: Path) -> None:
    """`ops-sidecar backup`, as a person runs it, with this store beside the local folder."""
    shell = Shell(
        store.folder / "home",
        {**store.environment, "ORDERDESK_MCP_BACKUP_TARGETS": f"local,{store.url()}", **sealing(store.folder)},
    )
    shell.run("init").well()
    identity = ["--identity", store.folder / "identity.txt"] if (store.folder / "identity.txt").exists() else []
    made = backup(shell, "run", "--json").json()
    names = [target["name"] for target in made["targets"]]
    expect(names == ["local", store.url()], f"the backup went to {names}")
    listed = backup(shell, "list", "--json").well().stdout
    expect(made["id"] in listed and store.url() in listed, f"the list does not know it: {listed[-400:]}")
    backup(shell, "verify", "--id", made["id"], *identity).well()
    verified = backup(shell, "verify", "--id", made["id"], "--json", *identity).json()
    expect(json.dumps(verified).count('"verified": true') >= 1, f"it was not verified: {verified}")

    # What is only there comes back from there.
    shutil.rmtree(shell.data / "backups" / "snapshots")
    copy = store.folder / "restored.db"
    backup(shell, "restore", "--id", made["id"], "--to", copy, *identity).well()
    expect(tables(copy) == tables(shell.data / "state.db"), "the restored copy has other tables")

    # A store that refuses, and one that is gone or that nobody vouches for: said, with exit 1, without a secret.
    troubles = [store.wrong]
    if "SSL_CERT_FILE" in store.environment:
        (store.folder / "other").mkdir()
        troubles.append({"SSL_CERT_FILE": str(authority(store.folder / "other"))})
    else:
        troubles.append({"AWS_ENDPOINT_URL": f"https://127.0.0.1:{free_port()}"})
    for trouble in troubles:
        refused = backup(shell, "run", "--json", also=trouble)
        expect(refused.code == 1, f"with {list(trouble)} wrong it ended with {refused.code}: {refused.said[-400:]}")
        expect(not any(secret in refused.said for secret in store.secrets), "a secret is in what was said")
        expect("hint:" in refused.said, f"no hint: {refused.said[-400:]}")


def recovery(store: Store, _program: Path) -> None:
    """What the daemon recorded comes back from the store alone, on a machine that has nothing else."""
    settings = {
        **store.environment,
        **sealing(store.folder),
        "ORDERDESK_MCP_BACKUP_TARGETS": store.url() + "/recorded",
        "ORDERDESK_MCP_BACKUP_SCHEDULE": "off",
        "ORDERDESK_MCP_PITR_REMOTE_INTERVAL": "1s",
        "ORDERDESK_MCP_LISTEN": f"127.0.0.1:{free_port()}",
    }
    identity = ["--identity", store.folder / "identity.txt"] if (store.folder / "identity.txt").exists() else []
    shell, new = Shell(store.folder / "recorded", settings), Shell(store.folder / "new-machine", settings)
    shell.run("init").well()
    with open(shell.home / "sidecar.log", "wb") as log:
        serving = subprocess.Popen([BIN / "ops-sidecar", "serve"], env=shell.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        for number, name in enumerate(SHOPS, start=1):
            shell.run("store", "add", "--no-verify", "--name", name, "--id", str(number), "--key-file", "-", stdin="a-key\n").well()
            wait_for(f"{store.name} has `{name}`", lambda: name in shops(shell, identity), within_s=60, every_s=0.5)
    finally:
        serving.terminate()
        serving.wait(ENDS_WITHIN_S)
    said = (shell.home / "sidecar.log").read_text()
    expect(not any(secret in said for secret in store.secrets), "a secret is in the daemon's log")
    backup(shell, "verify", "--pitr", *identity).well()
    backup(new, "restore", "--latest", *identity).well()
    had = names_in(new.data / "state.db")
    expect(had == SHOPS, f"the new machine has {had}")


def shops(shell: Shell, identity: list) -> list[str]:
    """Those in the newest state that can be had from the store; none as long as there is no such state."""
    # Reading leaves companions beside a copy: each has a name of its own.
    copy = shell.home / f"newest-{time.monotonic_ns()}.db"
    had = backup(shell, "restore", "--latest", "--to", copy, *identity).code == 0
    return names_in(copy) if had else []


def names_in(state: Path) -> list[str]:
    with sqlite3.connect(f"file:{state}?mode=ro", uri=True) as database:
        names = [name for (name,) in database.execute("select name from stores order by name")]
    database.close()
    return names


def disks(folder: Path, program: Path) -> str:
    """A folder target on a disk of its own, which is too small and then read-only."""
    name = "folder: a disk that is full, then read-only"
    if os.geteuid() != 0:
        print(f"  skip {name}: only root can mount a disk")
        return "skip"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True, text=True)
    if mounted.returncode != 0:
        print(f"  skip {name}: {mounted.stderr.strip()}")
        return "skip"
    try:
        run(program, "a_full_disk_is_full_and_keeps_what_it_has", [folder.as_uri()], {}, [])
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        run(program, "a_read_only_disk_is_denied_and_can_be_read", [folder.as_uri()], {}, [])
    except Broken as wrong:
        print(f"  FAIL {name}\n       {wrong}")
        return "FAIL"
    finally:
        subprocess.run(["umount", folder], check=True)
    print(f"  ok   {name}")
    return "ok"


def backup(shell: Shell, *arguments, also: dict[str, str] | None = None):
    # A store that is gone is waited for, with growing pauses.
    return shell.program(BIN / "ops-sidecar", "backup", *arguments, also=also, within_s=240)


def sealing(folder: Path) -> dict[str, str]:
    """Backups that leave the machine are sealed, if this machine has age; else they are allowed not to be."""
    if not shutil.which("age-keygen"):
        return {"ORDERDESK_MCP_BACKUP_ALLOW_UNENCRYPTED": "true"}
    identity = folder / "identity.txt"
    if not identity.exists():
        subprocess.run(["age-keygen", "-o", identity], capture_output=True, check=True)
    public = subprocess.run(["age-keygen", "-y", identity], capture_output=True, text=True, check=True)
    return {"ORDERDESK_MCP_BACKUP_RECIPIENTS": public.stdout.strip()}


def tables(file: Path) -> list[str]:
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as database:
        return [name for (name,) in database.execute("select name from sqlite_master where type = 'table' order by name")]


def expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Broken(otherwise)


def fits(store: Store, play) -> bool:
    return {race: store.decides, no_bucket: store.knows_buckets, on_a_machine: bool(store.on_a_machine)}.get(play, True)


CELLS = [
    ("every promise", promises),
    ("one of many who store at once wins", race),
    ("wrong credentials are denied", wrong_credentials),
    ("a bucket that is not there is said to be", no_bucket),
    ("a machine of the cloud's own needs no key", on_a_machine),
    ("ops-sidecar makes, lists, verifies, restores, and says what it cannot", the_program),
    ("what the daemon recorded comes back from there alone", recovery),
]


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except StageError as error:
        sys.exit(f"the stage did not come up: {error}")
