"""A backup restored without any of our programs: by Debian's age, zstd and sqlite3, with the very commands of the documentation.
And backup.sh, as cron runs it.
"""

import hashlib
import json
import re
import shutil
import sqlite3
from pathlib import Path

from crash_backups import Operator
from session import Check
from stage import BIN, ROOT, Skipped, Stage

PAGE = ROOT / "docs/BACKUP-AND-RECOVERY.md"
IDENTITY = "orderdesk-backups.txt"


def check(stage: Stage) -> list[Check]:
    for program in ("age", "zstd", "sqlite3"):
        if shutil.which(program) is None:
            raise Skipped(f"no {program} on this machine")
    operator = Operator(stage, "by-hand")
    return [*_cron(operator), *_by_hand(operator)]


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
    commands = re.search(r"## Without our programs.*?```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)[1]
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


def _said(manifest: dict) -> dict[str, int]:
    return {table: manifest["database"]["rows"][table] for table in ("stores", "tenants", "audit")}


def _rows(image: Path) -> dict[str, int]:
    with sqlite3.connect(image) as state:
        rows = {table: state.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("stores", "tenants", "audit")}
    state.close()
    return rows
