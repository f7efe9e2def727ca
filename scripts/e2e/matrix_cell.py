"""One cell of the fault matrix: a write under a fault, the answer held against what the shop really holds, and the record.

A cell has a home of its own and a shop fresh from its seed. Standard library only.
"""

import json
import os
import signal
import sqlite3
import time
from dataclasses import dataclass, field
from pathlib import Path

from sandbox import Sandbox
from shell import Ran, Shell
from stage import OPEN_WIDE, Stage, wait_for
from wire import Server
from writes import EMAIL, Write, collateral

# How long the product waits for one answer of the shop, and how much later a late write is done.
HTTP_TIMEOUT_MS = 700
LATE_MS = 1100

SETTINGS = {
    **OPEN_WIDE,
    "ORDERDESK_MCP_HTTP_TIMEOUT": f"{HTTP_TIMEOUT_MS}ms",
    "ORDERDESK_MCP_HTTP_CONNECT_TIMEOUT": "500ms",
    "ORDERDESK_MCP_HTTP_MAX_RETRIES": "1",
    "ORDERDESK_MCP_MUTATION_MAX_RETRIES": "2",
    "ORDERDESK_MCP_TOOLSETS": "all",
    # Whether a question is asked is another proof's business.
    "ORDERDESK_MCP_CONFIRM": "never",
}

DONE, NOT_DONE, UNKNOWN = "done", "not_done", "unknown"
# What the record calls them.
RECORDED = {DONE: "done", NOT_DONE: "failed", UNKNOWN: "unknown"}


@dataclass(frozen=True)
class Condition:
    """What goes wrong."""

    name: str
    # A fault of the sandbox, by its JSON; where `kills` says so, the server is killed while its request meets it.
    fault: dict
    # How many requests meet it; 0 means all of them.
    times: int = 1
    kills: bool = False
    # Whether, once it has struck, nothing can be read any more until the call is answered.
    blackout: bool = False
    # Whether the client leaves once it has struck, as clients do: it closes the server's stdin.
    leaves: bool = False
    # Whether it can happen to this write at all.
    concerns: object = lambda write: True
    # The outcomes that would be true and are good enough; for a write that must not be repeated after silence also `unknown`.
    expected: frozenset[str] = frozenset({DONE})
    # Whether the work is surely done (or surely not) once the fault has struck; none where the product may still do it.
    work: bool | None = None


@dataclass
class Cell:
    """What came of one write under one condition."""

    write: Write
    condition: Condition
    outcome: str = ""
    mistakes: list[str] = field(default_factory=list)
    intents: int = 0
    # Whether the fault struck, where it was lifted since.
    struck: bool = False
    # Whether the call was made a second time.
    again: bool = False
    seconds: float = 0


def play(stage: Stage, home: Path, write: Write, condition: Condition) -> Cell:
    """Plays one cell. What is wrong with it stands in its `mistakes`."""
    cell, sandbox, began = Cell(write, condition), Sandbox(stage), time.monotonic()
    sandbox.reset()
    before = sandbox.state()
    sandbox.fault(condition.fault, write.request, condition.times, 1 if write.ahead else 0)
    shell = Shell(home, {**stage.server_settings(), **SETTINGS, "ORDERDESK_MCP_HOME": str(home / "data")})
    way = _killed if condition.kills else _left if condition.leaves else _answered
    way(cell, shell, sandbox, before)
    if not cell.struck and sandbox.fired() == 0:
        cell.mistakes.append("the fault never struck")
    now = sandbox.state()
    if changed := collateral(write, before, now, _moved_by_a_rule(cell, now)):
        cell.mistakes.append(f"nobody asked for this: {changed}")
    _record_is_whole(cell, shell)
    cell.seconds = time.monotonic() - began
    return cell


def _answered(cell: Cell, shell: Shell, sandbox: Sandbox, before: dict) -> None:
    """The call is answered, whatever the fault; the answer has to be true."""
    with Server(shell.environment) as server:
        call = (cell.write.tool, cell.write.arguments(before))
        result = _under_a_blackout(cell, server, sandbox, *call) if cell.condition.blackout else server.result(*call)
        if cell.condition.fault["kind"] == "done_late":
            time.sleep(LATE_MS / 1000)
        truth = cell.write.effect(before, sandbox.state())
        cell.outcome, rows = told(result, len(truth))
        for number, (said, there) in enumerate(zip(rows, truth, strict=True)):
            if not is_true(said, there):
                cell.mistakes.append(f"row {number} said {said}, and it is there {there} times: {text_of(result)[:300]}")
        good_enough = _good_enough(cell.write, cell.condition)
        if cell.outcome not in good_enough:
            cell.mistakes.append(f"{cell.outcome}, not {' or '.join(sorted(good_enough))}: {text_of(result)[:300]}")
        listed = server.result("server_status", {})["structuredContent"].get("unknown_outcomes", [])
        if bool(listed) != (cell.outcome == UNKNOWN):
            cell.mistakes.append(f"{cell.outcome}, and server_status lists {listed}")
        if cell.write.batch:
            _again(cell, server, sandbox, before)
    if server.process.returncode != 0:
        cell.mistakes.append(f"the server ended with {server.process.returncode}: {server.stderr[-300:]}")


def _under_a_blackout(cell: Cell, server: Server, sandbox: Sandbox, tool: str, arguments: dict) -> dict:
    """The result of a call for which nothing could be read since its request met the fault."""
    server.begin(tool, arguments)
    wait_for("the request is out", lambda: sandbox.fired() > 0, every_s=0.01)
    sandbox.fault({"kind": "server_error"}, ("GET", "/**"), times=0)
    result = server.answer()["result"]
    cell.struck = True
    sandbox.lift_faults()
    return result


def _again(cell: Cell, server: Server, sandbox: Sandbox, before: dict) -> None:
    """A batch may be sent twice: what is there is left alone, what is missing is done."""
    was_moved = cell.condition.fault["kind"] == "rule_moves"
    cell.struck = cell.struck or sandbox.fired() > 0
    sandbox.lift_faults()
    result = server.result(cell.write.tool, cell.write.arguments(before))
    truth = cell.write.effect(before, sandbox.state())
    if not was_moved and (told(result, len(truth))[0] != DONE or set(truth) != {1}):
        cell.mistakes.append(f"done again, it is there {sorted(set(truth))} times: {text_of(result)[:300]}")
    cell.again = True


def _good_enough(write: Write, condition: Condition) -> frozenset[str]:
    """The outcomes that say as much as can be known."""
    cannot_tell = write.blind or (write.careful and DONE in condition.expected)
    return condition.expected | {UNKNOWN} if cannot_tell else condition.expected


def _killed(cell: Cell, shell: Shell, sandbox: Sandbox, before: dict) -> None:
    """The server is killed while its request is out; the next one has to know that it does not know."""
    with Server(shell.environment) as server:
        server.begin(cell.write.tool, cell.write.arguments(before))
        wait_for("the request is out", lambda: sandbox.fired() > 0, every_s=0.01)
        os.kill(server.pid, signal.SIGKILL)
        server.process.wait()
    cell.outcome = "killed"
    with Server(shell.environment) as server:
        listed = server.result("server_status", {})["structuredContent"].get("unknown_outcomes", [])
        if len(listed) != 1 or not listed[0].get("check"):
            cell.mistakes.append(f"after the kill server_status lists {listed}")
    truth = cell.write.effect(before, sandbox.state())
    if truth != [1] * cell.write.ahead + [int(cell.condition.work)] * (len(truth) - cell.write.ahead):
        cell.mistakes.append(f"killed with the work {'done' if cell.condition.work else 'not done'}, and it is there {truth} times")
    if listed:
        settle = ["audit", "settle", "--seq", str(listed[0]["seq"]), "--as", "done" if cell.condition.work else "not-done"]
        shell.run(*settle).well()
        if _unsettled(shell):
            cell.mistakes.append("settled, and still listed")


def _left(cell: Cell, shell: Shell, sandbox: Sandbox, before: dict) -> None:
    """The client leaves while the request is out; what has begun comes to its end, and to its record."""
    with Server(shell.environment) as server:
        server.begin(cell.write.tool, cell.write.arguments(before))
        wait_for("the request is out", lambda: sandbox.fired() > 0, every_s=0.01)
    if server.process.returncode != 0:
        cell.mistakes.append(f"the server ended with {server.process.returncode}: {server.stderr[-300:]}")
    truth = cell.write.effect(before, sandbox.state())
    cell.outcome = DONE if set(truth) == {1} else f"there {truth} times"
    if cell.outcome != DONE:
        cell.mistakes.append(cell.outcome)


def told(result: dict, rows: int) -> tuple[str, list[str]]:
    """The outcome that an answer tells, and that of each row."""
    structured = result.get("structuredContent") or {}
    if not result.get("isError") and "outcome" in structured:
        overall = structured["outcome"]
        each = [row.get("outcome") for row in structured.get("rows", [])]
        return overall, each if len(each) == rows else [overall] * rows
    for word in (NOT_DONE, UNKNOWN):
        if f"outcome: {word}" in text_of(result):
            return word, [word] * rows
    return "nothing", ["nothing"] * rows


def is_true(said: str, there: int) -> bool:
    return {DONE: there == 1, NOT_DONE: there == 0, UNKNOWN: there in (0, 1)}.get(said, False)


def text_of(result: dict) -> str:
    return "\n".join(block.get("text", "") for block in result.get("content", []))


def _moved_by_a_rule(cell: Cell, now: dict) -> frozenset[str]:
    """What a rule may change; and it has to stay as the rule left it: we put no order back to where it was."""
    if cell.condition.fault["kind"] != "rule_moves":
        return frozenset()
    folder = cell.condition.fault["folder"]
    written = [order for order in now["orders"] if order["id"] in cell.write.orders or order["email"] == EMAIL]
    back = [order["id"] for order in written if order["folder_id"] != folder and cell.write.orders != ("shipped",)]
    if back and not cell.write.ahead and not cell.again:
        cell.mistakes.append(f"a rule had moved {back}, and they are not there any more")
    return frozenset({"folder_id"})


def _record_is_whole(cell: Cell, shell: Shell) -> None:
    """Each intent has its outcome, the one that was told; the chain verifies; nothing is open but what is unknown."""
    with sqlite3.connect(f"file:{shell.data / 'state.db'}?mode=ro", uri=True) as state:
        intents = [seq for (seq,) in state.execute("SELECT seq FROM audit WHERE outcome = 'intent'")]
        ends = dict(state.execute("SELECT intent_seq, outcome FROM audit WHERE intent_seq IS NOT NULL"))
    state.close()
    cell.intents = len(intents)
    requests = 2 if cell.write.ahead else 1
    unsettled = _unsettled(shell)
    for seq in intents:
        if ends.get(seq) is None and not cell.condition.kills:
            cell.mistakes.append(f"intent {seq} has no outcome")
        elif not cell.write.batch and not cell.condition.kills and ends[seq] != RECORDED.get(cell.outcome):
            cell.mistakes.append(f"told {cell.outcome}, recorded {ends[seq]}")
    if len(intents) != requests and not cell.again:
        cell.mistakes.append(f"{len(intents)} intents for one write")
    if len(unsettled) != (cell.outcome == UNKNOWN):
        cell.mistakes.append(f"{cell.outcome}, and `audit unsettled` lists {unsettled}")
    verified = shell.run("audit", "verify")
    if verified.code != 0:
        cell.mistakes.append(f"audit verify: {verified.said[-300:]}")


def _unsettled(shell: Shell) -> list:
    listed = _json(shell.run("audit", "unsettled", "--json"))
    return listed if isinstance(listed, list) else listed["unsettled"]


def _json(ran: Ran):
    return json.loads(ran.well().stdout)
