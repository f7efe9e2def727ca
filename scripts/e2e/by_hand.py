"""The commands of the documentation as they stand there: a lost machine brought back, and a backup opened without any of our programs,
by Debian's age, zstd and sqlite3. And backup.sh, as cron runs it.
"""

import hashlib
import json
import re
import shutil
import sqlite3
from pathlib import Path

from crash_backups import Operator
from session import Check
from shell import Shell
from stage import BIN, ROOT, Skipped, Stage

PAGE = ROOT / "docs/BACKUP-AND-RECOVERY.md"
IDENTITY = "orderdesk-backups.txt"
KEY = "orderdesk-key.age"
PASSPHRASE = "nine wet badgers under a hedge"


def check(stage: Stage) -> list[Check]:
    for program in ("age", "zstd", "sqlite3"):
        if shutil.which(program) is None:
            raise Skipped(f"no {program} on this machine")
    operator = Operator(stage, "by-hand")
    return [*_cron(operator), *_by_hand(operator), *_lost_machine(stage, operator)]


def _cron(operator: Operator) -> list[Check]:
    """cron: a short PATH, no terminal, no one to ask."""
    script, elsewhere = ROOT / "scripts/backup.sh", {"OPS_SIDECAR": str(BIN / "ops-sidecar"), "PATH": "/usr/bin:/bin"}
    good = operator.shell.program(script, also=elsewhere)
    nowhere = {**elsewhere, "ORDERDESK_MCP_BACKUP_TARGETS": f"file://{operator.folder}/not-mounted"}
    bad = operator.shell.program(script, also=nowhere)
    lost = operator.shell.program(script, also={**elsewhere, "OPS_SIDECAR": "/nowhere/ops-sidecar"})
    return [
        Check("backup.sh makes a backup and says nothing", (good.code, good.said, len(operator.backups())) == (0, "", 1), good.said),
        Check("backup.sh says so when the disk is not mounted", bad.code == 1 and "not-mounted" in bad.stderr, bad.said),
        Check("backup.sh says so without a sidecar", lost.code == 1 and "hint:" in lost.stderr, lost.said),
    ]


def _by_hand(operator: Operator) -> list[Check]:
    folder = operator.folder / "empty"
    folder.mkdir()
    (backup,) = (operator.shell.data / "backups/snapshots").glob("*.db.zst.age")
    manifest = json.loads((backup.parent / backup.name.replace(".db.zst.age", ".json")).read_text())
    shutil.copy(backup, folder)
    shutil.copy(operator.identity, folder / IDENTITY)
    commands = _commands("Without our programs")
    ran = operator.shell.program("sh", "-e", "-c", f"cd '{folder}'\n{commands}")
    image = folder / "state.db"
    there = image.exists()
    same = there and hashlib.sha256(image.read_bytes()).hexdigest() == manifest["database"]["sha256"]
    shop = operator.stores[0]
    sealed = there and shop["api_key"].encode() not in image.read_bytes()
    return [
        Check("the documented commands open a backup", ran.code == 0 and "ok" in ran.stdout.split(), ran.said),
        Check("what they print is the shop", f"{shop['name']}|{shop['store_id']}" in ran.stdout, ran.stdout),
        Check("it is the file that the manifest describes", same and manifest["database"]["sha256"] in ran.stdout, ran.stdout),
        Check("the API key in it is sealed", sealed, "it stands there in plain"),
        Check("the row counts are the manifest's", there and _rows(image) == _said(manifest), f"{_said(manifest)}"),
    ]


def _lost_machine(stage: Stage, operator: Operator) -> list[Check]:
    """Everything is gone but the second disk, the identity file and the key export; the new machine has the two programs."""
    made = operator.ops("backup", "run", "--json").json()["id"]
    operator.shell.run("key", "export", "--to", operator.folder / KEY, stdin=f"{PASSPHRASE}\n").well()
    audit = operator.shell.run("audit", "verify", "--json").json()["rows"]
    shutil.rmtree(operator.shell.data)
    new = Shell(stage.folder / "new-machine", {"ORDERDESK_MCP_API_BASE_URL": stage.base_url})
    for file, name in ((operator.identity, IDENTITY), (operator.folder / KEY, KEY)):
        shutil.copy(file, new.home / name)
    lines = [line.split(" #")[0].strip() for line in _commands("A lost machine").splitlines()]
    (target,), commands = [line for line in lines if line.startswith("export ")], [line for line in lines if not line.startswith("export ")]
    also = {target.removeprefix("export ").split("=")[0]: f"file://{operator.second}".replace(" ", "%20")}
    ran = [new.program("sh", "-c", line, stdin=f"{PASSPHRASE}\n", also=also) for line in commands]
    took_s = sum(each.seconds for each in ran)
    said = "".join(each.said for each in ran)
    listed = new.run("store", "list", "--json").json()["stores"]
    tested = new.run("store", "test")
    verified = new.run("audit", "verify", "--json").json()
    return [
        Check(f"a lost machine: the documented commands bring it back ({took_s:.1f} s)", all(each.code == 0 for each in ran), said),
        Check("it is the newest backup", made in said, said),
        Check("the shop is there, and its key opens", (len(listed), tested.code) == (1, 0), tested.said),
        Check("the audit is whole and says that it was restored", verified["ok"] and verified["rows"] >= audit, f"{verified}"),
    ]


def _commands(chapter: str) -> str:
    """What the page tells its reader to type in that chapter."""
    return re.search(rf"## {chapter}.*?```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)[1]


def _said(manifest: dict) -> dict[str, int]:
    return {table: manifest["database"]["rows"][table] for table in ("stores", "tenants", "audit")}


def _rows(image: Path) -> dict[str, int]:
    with sqlite3.connect(image) as state:
        rows = {table: state.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("stores", "tenants", "audit")}
    state.close()
    return rows
