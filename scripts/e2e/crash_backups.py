"""Backups, restores and migrations, killed or failed by the disk at each of their side effects.

Whatever happens to a backup: those from before are good, and whatever is listed is good. Whatever happens to a restore or a
migration: the state file is the old one or the new one, whole, and the same command, given again, finishes it.
"""

import json
import shutil
import sqlite3
import subprocess
from pathlib import Path

from faults import Broken, Tally, each_side_effect, each_side_effect_failing
from shell import Ran, Shell
from stage import BIN, OPEN_WIDE, Skipped, Stage

# Tables that a schema's history renames, fills and drops; what is in them has to come through.
LASTING = ["tenants", "stores", "audit"]
# What a restore brings back to the last row; beside these there is the audit, to which it adds a record.
WHOLE = ["tenants", "stores", "audit_anchors", "metric_live", "metric_retired", "metric_seq", "epochs", "open_writes"]
# What may keep a backup.
RULES = ["LAST", "HOURLY", "DAILY", "WEEKLY", "MONTHLY"]


class Operator:
    """A user with a shop, an age key, and backups that go to two folders."""

    def __init__(self, stage: Stage, name: str, settings: dict[str, str] | None = None):
        self.folder = stage.folder / name
        self.second = self.folder / "second disk"
        self.second.mkdir(parents=True)
        self.identity = self.folder / "identity.txt"
        self.shell = Shell(
            self.folder,
            {
                **OPEN_WIDE,
                "ORDERDESK_MCP_API_BASE_URL": stage.base_url,
                "ORDERDESK_MCP_HOME": str(self.folder / "data"),
                "ORDERDESK_MCP_BACKUP_TARGETS": f"local,file://{self.second}".replace(" ", "%20"),
                "ORDERDESK_MCP_BACKUP_RECIPIENTS": self._age_key(),
                **(settings or {}),
            },
        )
        self.stores = stage.stores
        self.shell.run("init").well()
        self.add_shop(0)

    def _age_key(self) -> str:
        if shutil.which("age-keygen") is None:
            raise Skipped("no age on this machine")
        subprocess.run(["age-keygen", "-o", self.identity], check=True, capture_output=True)
        self.identity.chmod(0o600)
        return subprocess.run(["age-keygen", "-y", self.identity], check=True, capture_output=True, text=True).stdout.strip()

    def add_shop(self, number: int) -> None:
        shop = self.stores[number]
        self.shell.run("store", "add", "--name", shop["name"], "--id", shop["store_id"], stdin=shop["api_key"]).well()

    def ops(self, *arguments, also: dict[str, str] | None = None) -> Ran:
        return self.shell.program(BIN / "ops-sidecar", *arguments, also=also)

    def shops(self) -> int:
        """How many there are, and that every one opens."""
        listed = self.shell.run("store", "list", "--json").json()["stores"]
        self.shell.run("store", "test").well()
        return len(listed)

    def backups(self) -> list[str]:
        return [backup["id"] for backup in self.ops("backup", "list", "--json").json()["backups"]]

    @property
    def database(self) -> Path:
        return self.shell.data / "state.db"

    def rows(self) -> dict[str, int]:
        """What is in the file; nobody has it open now."""
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as state:
            (sound,) = state.execute("PRAGMA integrity_check").fetchone()
            counts = {table: state.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in LASTING}
        state.close()
        if sound != "ok":
            raise Broken(f"the state file is damaged: {sound}")
        return counts


    def contents(self) -> dict[str, list]:
        """Every row of what has to come back: shops, keys, counters, and the audit but for what restores note of themselves."""
        self.rows()
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as state:
            rows = {table: sorted(state.execute(f"SELECT * FROM {table}"), key=repr) for table in WHOLE}
            rows["audit"] = sorted(state.execute("SELECT * FROM audit WHERE action != 'state.restored'"), key=repr)
        state.close()
        return rows


class Scene:
    """The operator's folders as they were, to begin again from."""

    def __init__(self, operator: Operator):
        self.operator = operator
        self.kept = operator.folder / "as it was"
        for folder in self._folders():
            shutil.copytree(folder, self.kept / folder.name)

    def _folders(self) -> list[Path]:
        return [self.operator.shell.data, self.operator.second]

    def again(self) -> None:
        for folder in self._folders():
            shutil.rmtree(folder)
            shutil.copytree(self.kept / folder.name, folder)


def _everywhere(tally: Tally, step: int, attempt, holds) -> None:
    each_side_effect(tally, step, lambda environment: attempt(environment), holds)
    each_side_effect_failing(tally, step, lambda environment: attempt(environment), holds)


def making(stage: Stage, whole: bool) -> Tally:
    """`backup run` to two targets beside a backup that is there already."""
    tally = Tally("backup run")
    # All rules at nothing: nothing is removed.
    keep_all = {f"ORDERDESK_MCP_BACKUP_KEEP_{rule}": "0" for rule in RULES}
    operator = Operator(stage, "making", keep_all)
    operator.ops("backup", "run").well()
    (first,) = operator.backups()
    operator.add_shop(1)
    scene = Scene(operator)

    def attempt(environment: dict[str, str]) -> Ran:
        scene.again()
        return operator.ops("backup", "run", "--json", also=environment)

    def holds(ran: Ran) -> None:
        listed = operator.backups()
        if first not in listed:
            raise Broken(f"the backup from before is gone; left: {listed}")
        operator.ops("backup", "verify", "--all", "--identity", operator.identity).well()
        if ran.code == 0 and len(listed) < 2:
            raise Broken("it said that a backup was made, and none is listed")
        tally.outcomes["a new one that is good" if len(listed) > 1 else "only the old one"] += ran.code != 0
        # The next run finishes what this one left, and says so with a backup that is good.
        fresh = operator.ops("backup", "run", "--json").json()["id"]
        operator.ops("backup", "verify", "--id", fresh, "--identity", operator.identity).well()
        left = [file.name for file in (operator.shell.data / "backups/spool").iterdir() if file.is_dir()]
        if left not in ([], ["pitr"]):
            raise Broken(f"left over in the spool: {left}")

    _everywhere(tally, 1 if whole else 9, attempt, holds)
    return tally


def restoring(stage: Stage, whole: bool) -> Tally:
    """`backup restore` over a newer file: the shop that was added since is there, or it is not; the file is always whole."""
    tally = Tally("backup restore")
    operator = Operator(stage, "restoring")
    made = operator.ops("backup", "run", "--json").json()["id"]
    before = operator.shops()
    operator.add_shop(1)
    now = operator.shops()
    scene = Scene(operator)
    restore = ["backup", "restore", "--id", made, "--identity", operator.identity, "--force"]

    def attempt(environment: dict[str, str]) -> Ran:
        scene.again()
        return operator.ops(*restore, also=environment)

    def holds(ran: Ran) -> None:
        if not operator.database.exists():
            raise Broken("there is no state file")
        operator.rows()
        shops = operator.shops()
        if shops not in (before, now) or (ran.code == 0 and shops != before):
            raise Broken(f"exit code {ran.code} and {shops} shops, neither the old state nor the new")
        if ran.code != 0:
            tally.outcomes["the file from before" if shops == now else "the restored file"] += 1
        operator.shell.run("audit", "verify").well()
        operator.ops(*restore).well()
        if operator.shops() != before:
            raise Broken("a second restore did not bring the backup's state")

    _everywhere(tally, 1 if whole else 9, attempt, holds)
    return tally


def putting_back(stage: Stage, whole: bool) -> Tally:
    """`backup restore --kept`: a wrong restore is undone. Everything is as it was before that restore, or still as it was after it."""
    tally = Tally("backup restore --kept")
    operator = Operator(stage, "putting-back")
    made = operator.ops("backup", "run", "--json").json()["id"]
    operator.add_shop(1)
    wanted = operator.contents()
    operator.ops("backup", "restore", "--id", made, "--identity", operator.identity, "--force").well()
    wrong = operator.contents()
    (kept,) = [copy["name"] for copy in operator.ops("backup", "list", "--json").json()["kept"]]
    scene = Scene(operator)
    restore = ["backup", "restore", "--kept", kept, "--force"]

    def attempt(environment: dict[str, str]) -> Ran:
        scene.again()
        return operator.ops(*restore, also=environment)

    def holds(ran: Ran) -> None:
        if not operator.database.exists():
            raise Broken("there is no state file")
        now = operator.contents()
        if now not in (wanted, wrong) or (ran.code == 0 and now != wanted):
            raise Broken(f"exit code {ran.code}, and the file is neither the kept one nor the one from before")
        if ran.code != 0:
            tally.outcomes["the file from before" if now == wrong else "the kept file"] += 1
        operator.shell.run("audit", "verify").well()
        operator.shops()
        if not (operator.shell.data / "backups/kept" / kept).exists():
            raise Broken("the kept copy is gone")
        operator.ops(*restore).well()
        if operator.contents() != wanted:
            raise Broken("a second try did not bring the kept state")
        operator.shell.run("audit", "verify").well()

    _everywhere(tally, 1 if whole else 9, attempt, holds)
    return tally


def migrating(stage: Stage, whole: bool) -> Tally:
    """`migrate down` and, by the next opener, up again: what is in the file comes through, whatever is killed."""
    tally = Tally("migrate down, and up")
    operator = Operator(stage, "migrating")
    expected = operator.rows()
    scene = Scene(operator)

    def attempt(environment: dict[str, str]) -> Ran:
        scene.again()
        return operator.ops("migrate", "down", "--to", "1", also=environment)

    def holds(ran: Ran) -> None:
        status = operator.ops("migrate", "status", "--json").json()
        newest, schema = status["newest"], status["file"]
        if schema not in (1, newest) or (ran.code == 0 and schema != 1):
            raise Broken(f"exit code {ran.code} and schema {schema}")
        if ran.code != 0:
            tally.outcomes[f"schema {schema}"] += 1
        if operator.rows() != expected:
            raise Broken(f"{operator.rows()} instead of {expected}")
        operator.ops("migrate", "up").well()
        operator.shops()
        if operator.rows() != expected:
            raise Broken(f"after the way up again {operator.rows()} instead of {expected}")

    _everywhere(tally, 1 if whole else 5, attempt, holds)

    def up(environment: dict[str, str]) -> Ran:
        scene.again()
        operator.ops("migrate", "down", "--to", "1").well()
        return operator.ops("migrate", "up", also=environment)

    def holds_up(ran: Ran) -> None:
        schema = operator.ops("migrate", "status", "--json").json()["file"]
        if ran.code == 0 and schema == 1:
            raise Broken("it said that the file is up to date")
        operator.shops()
        if operator.rows() != expected:
            raise Broken(f"{operator.rows()} instead of {expected}")

    _everywhere(tally, 1 if whole else 5, up, holds_up)
    return tally


def pruning(stage: Stage, whole: bool) -> Tally:
    """`backup prune`: the newest stays, and whatever is listed is whole."""
    tally = Tally("backup prune")
    keep_all = {f"ORDERDESK_MCP_BACKUP_KEEP_{rule}": "0" for rule in RULES}
    operator = Operator(stage, "pruning", keep_all)
    for _ in range(3):
        operator.ops("backup", "run").well()
    newest = operator.backups()[0]
    scene = Scene(operator)

    def attempt(environment: dict[str, str]) -> Ran:
        scene.again()
        return operator.ops("backup", "prune", also={"ORDERDESK_MCP_BACKUP_KEEP_MONTHLY": "1", **environment})

    def holds(ran: Ran) -> None:
        listed = operator.backups()
        if newest not in listed or (ran.code == 0 and listed != [newest]):
            raise Broken(f"exit code {ran.code}, left: {listed}")
        if ran.code != 0:
            tally.outcomes[f"{len(listed)} left"] += 1
        operator.ops("backup", "verify", "--all", "--identity", operator.identity).well()

    _everywhere(tally, 1 if whole else 3, attempt, holds)
    return tally


def flipping(stage: Stage, whole: bool) -> Tally:
    """A byte changed in every region of a backup and of its manifest: refused, and nothing is left that looks restored."""
    tally = Tally("a byte flipped in a backup", least_kills=0)
    operator = Operator(stage, "flipping", {"ORDERDESK_MCP_BACKUP_TARGETS": "local"})
    made = operator.ops("backup", "run", "--json").json()["id"]
    folder = operator.shell.data / "backups/snapshots"
    (sealed,) = folder.glob(f"{made}.db*")
    image = sealed.read_bytes()
    regions = 200 if whole else 12
    places = sorted({0, 1, 30, 60, 100, 150, 200, len(image) - 1, len(image) - 17, *range(0, len(image), len(image) // regions)})
    out = operator.folder / "restored.db"

    def refused(when: str, but_for: str = "") -> None:
        ran = operator.ops("backup", "restore", "--id", made, "--identity", operator.identity, "--to", out)
        verified = operator.ops("backup", "verify", "--id", made, "--identity", operator.identity)
        if ran.code == 0 or verified.code == 0 or out.exists() or "panic" in ran.stderr:
            tally.broken.append(f"{when}: restore ended with {ran.code}, verify with {verified.code}, {out.exists()=} {but_for}")
        tally.errors += 1

    for place in places:
        changed = bytearray(image)
        changed[place] ^= 0x10
        sealed.write_bytes(changed)
        refused(f"byte {place} of {len(image)} flipped")
    for length in (0, 1, len(image) // 2, len(image) - 1):
        sealed.write_bytes(image[:length])
        refused(f"cut to {length} bytes")
    sealed.write_bytes(image + b"\0")
    refused("a byte longer")
    sealed.write_bytes(image)
    manifest = folder / f"{made}.json"
    said = json.loads(manifest.read_text())
    for change in ({"sha256": "0" * 64}, {"bytes": 1}):
        manifest.write_text(json.dumps({**said, "file": {**said["file"], **change}}))
        refused(f"the manifest says {change}")
        manifest.write_text(json.dumps({**said, "database": {**said["database"], **change}}))
        refused(f"the manifest says of the database {change}")
    manifest.write_text(json.dumps(said))
    operator.ops("backup", "restore", "--id", made, "--identity", operator.identity, "--to", out).well()
    return tally


PLAYS = [making, restoring, putting_back, pruning, migrating, flipping]
