"""Writes to a shop, killed in the middle: between any two side effects, be it a file of their own or a request to the shop.

Whatever a kill leaves: the change is in the shop once or not at all; where the record says done it is there, where it says
failed it is not, and where it has an intent without an end the next process lists it as unknown. Starting the next process
does nothing to the shop.
"""

import json
import sqlite3
from pathlib import Path

from faults import Broken, Tally, each_disk_error, each_side_effect
from sandbox import Sandbox
from shell import Ran, Shell
from stage import OPEN_WIDE, Stage
from writes import WRITES, Write

# The six that take different ways. The whole form kills all of them, and these meet a failing disk, too.
NAMES = ["orders_update", "orders_add_note, staff", "order_items_add", "shipments_add", "orders_move", "inventory_adjust"]
# What a failing disk fails. A failing `write` would rather be a broken pipe between two threads.
DISK = ["pwrite64", "fsync", "fdatasync", "renameat"]


def killed(whole: bool) -> list[Write]:
    """Which writes are killed. A batch of many requests has as many more side effects, and none of another kind."""
    return [write for write in WRITES if write.name in NAMES or (whole and not write.ahead)]


def play(write: Write, whole: bool) -> Tally:
    """One command, killed again and again, on a stage of its own. Unless `whole`, most are killed before each third side effect."""
    tally = Tally(f"call {write.name}")
    with Stage(sandbox=["--no-rate-limit", "--orders", "40"], sidecar=False) as stage:
        home = Path(stage.folder) / "killed"
        settings = {**OPEN_WIDE, "ORDERDESK_MCP_CONFIRM": "never", "ORDERDESK_MCP_TOOLSETS": "all"}
        shell = Shell(home, {**stage.server_settings(), **settings, "ORDERDESK_MCP_HOME": str(home / "data")})
        sandbox = Sandbox(stage)
        shell.run("call", "server_status").well()
        record = Record(shell)
        before, arguments = sandbox.state(), json.dumps(write.arguments(sandbox.state()))

        def attempt(tracer: list[str] = (), environment: dict[str, str] | None = None) -> Ran:
            sandbox.reset()
            return shell.run("call", write.tool, arguments, under=tracer, also=environment)

        def holds(ran: Ran) -> None:
            there = _times(write, before, sandbox.state())
            outcome = record.agree(ran, there)
            if ran.code != 0:
                tally.outcomes[outcome] += 1
            if (again := _times(write, before, sandbox.state())) != there:
                raise Broken(f"{there} times in the shop, and {again} times after the next process had started")

        step = 1 if whole or write.tool == "orders_update" else 3
        each_side_effect(tally, step, lambda environment: attempt(environment=environment), holds)
        if whole and write.name in NAMES:
            each_disk_error(tally, whole, attempt, holds, DISK)
        verified = shell.run("audit", "verify")
        if verified.code != 0:
            tally.broken.append(f"the audit chain: {verified.said}")
    return tally


def _times(write: Write, before: dict, now: dict) -> int:
    rows = write.effect(before, now)
    if len(set(rows)) != 1 or rows[0] not in (0, 1):
        raise Broken(f"in the shop {rows} times")
    return rows[0]


class Record:
    """The intents and outcomes of a home, read between one run and the next."""

    def __init__(self, shell: Shell):
        self.shell = shell
        self.intents_seen = 0

    def agree(self, ran: Ran, there: int) -> str:
        """What the newest intent came to, once it was held against the shop. An open one is settled, to be out of the way."""
        status = json.loads(self.shell.run("call", "server_status").well().stdout)
        listed, end = status.get("unknown_outcomes", []), self._newest_end()
        if len(listed) > 1:
            raise Broken(f"{len(listed)} writes are listed as unknown: {listed}")
        if listed:
            self.shell.run("audit", "settle", "--seq", str(listed[0]["seq"]), "--as", "done" if there else "not-done").well()
            return "unknown, and listed"
        if end is None and there:
            raise Broken("it is in the shop, and the record knows nothing of it")
        if ran.code == 0 and end != "done":
            raise Broken(f"it said that it was done, and the record says {end}")
        if (end == "done") != bool(there):
            raise Broken(f"{there} times in the shop, and the record says {end}")
        return f"recorded as {end}" if end else "nothing sent"

    def _newest_end(self) -> str | None:
        """How the record says that the write of the newest run ended: none if it has no intent of it."""
        with sqlite3.connect(f"file:{self.shell.data / 'state.db'}?mode=ro", uri=True) as state:
            intents = [seq for (seq,) in state.execute("SELECT seq FROM audit WHERE outcome = 'intent' ORDER BY seq")]
            ends = dict(state.execute("SELECT intent_seq, outcome FROM audit WHERE intent_seq IS NOT NULL ORDER BY seq"))
        state.close()
        fresh, self.intents_seen = intents[self.intents_seen :], len(intents)
        if len(fresh) > 1:
            raise Broken(f"{len(fresh)} intents of one write")
        return ends.get(fresh[0], "open") if fresh else None
