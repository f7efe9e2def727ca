"""The fault matrix: every tool that changes a shop, under everything that can go wrong on the way there and back.

Each cell is a real server against the simulated shop. An answer is held against what the shop holds afterwards: `done` only
if it is there, `not done` only if it is not, `unknown` only where it cannot be told, and then listed. Nothing is ever there
twice, nothing else has changed, each intent in the record has its outcome. The matrix is printed; the exit code is 0 when
every cell holds.

Usage: matrix.py [--whole] [WORD…]     --whole: the rarer faults, too; WORD: only the rows or columns that have one of the words
"""

import sys
import time
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue

from matrix_cell import DONE, LATE_MS, NOT_DONE, UNKNOWN, Cell, Condition, play
from stage import Stage, StageError
from writes import WRITES, Write

# Cells mostly wait for timeouts; each player has a shop of its own.
PLAYERS = 10

# Of an order, or of something in it: what a rule of the shop may move.
OF_AN_ORDER = lambda write: not write.stock and "inventory" not in write.tool and write.tool != "orders_delete"
BATCHES = lambda write: write.batch and write.tool != "orders_move"
SURELY, MAYBE_NOT = frozenset({NOT_DONE}), frozenset({NOT_DONE, UNKNOWN})

CONDITIONS = [
    Condition("silence, done", {"kind": "hang_after"}),
    Condition("silence, not done", {"kind": "hang_before"}),
    Condition("silence, done late", {"kind": "done_late", "ms": LATE_MS}),
    Condition("500, done", {"kind": "server_error_after", "status": 500}),
    Condition("500, not done", {"kind": "server_error", "status": 500}),
    Condition("429", {"kind": "too_many_requests", "retry_after": "1"}),
    Condition("cut body", {"kind": "cut_body"}),
    Condition("error on 200", {"kind": "error_on_200"}, expected=SURELY),
    Condition("error on 200, done", {"kind": "error_on_200_after"}),
    Condition("0 rows", {"kind": "batch_nothing"}, times=0, concerns=BATCHES, expected=MAYBE_NOT),
    Condition("moved nothing", {"kind": "move_nothing"}, times=0, concerns=lambda w: w.tool == "orders_move", expected=MAYBE_NOT),
    Condition("rule moves it", {"kind": "rule_moves", "folder": 50106}, concerns=OF_AN_ORDER),
    Condition("killed, done", {"kind": "hang_after"}, kills=True, work=True),
    Condition("killed, not done", {"kind": "hang_before"}, kills=True, work=False),
]
RARER = [
    Condition("cut, done", {"kind": "cut_after"}),
    Condition("cut, not done", {"kind": "cut_before"}),
    Condition("half the JSON", {"kind": "truncated_json"}),
    Condition("502 for good", {"kind": "server_error", "status": 502}, times=0, expected=MAYBE_NOT),
    Condition("silence for good", {"kind": "hang_before"}, times=0, expected=MAYBE_NOT),
    Condition("cut for good, done", {"kind": "cut_after"}, times=0),
    Condition("silence, then no reads", {"kind": "hang_after"}, blackout=True, expected=frozenset({UNKNOWN})),
    Condition("client leaves", {"kind": "delay", "ms": 400}, leaves=True),
    Condition("404 of a proxy", {"kind": "answer", "status": 404, "body": "<html>", "content_type": "text/html"}, expected=MAYBE_NOT),
    Condition("{} and nothing done", {"kind": "answer", "body": "{}"}),
    Condition("success, nothing done", {"kind": "answer", "body": '{"status":"success"}'}, expected=MAYBE_NOT),
    Condition("error, always", {"kind": "error_on_200"}, times=0, expected=SURELY),
]
SHOWN = {DONE: "done", NOT_DONE: "not", UNKNOWN: "unkn.", "killed": "listed"}


def main(arguments: list[str]) -> int:
    words = [word.lower() for word in arguments if not word.startswith("--")]
    conditions = [*CONDITIONS, *(RARER if "--whole" in arguments else [])]
    wanted = [
        (write, condition)
        for write in WRITES
        for condition in conditions
        if condition.concerns(write) and all(word in f"{write.name} {condition.name}".lower() for word in words)
    ]
    print(f"fault matrix: {len(wanted)} cells, each a write of a real server under one fault", flush=True)
    began = time.monotonic()
    cells = played(wanted)
    return report(cells, conditions, time.monotonic() - began)


def played(wanted: list[tuple[Write, Condition]]) -> list[Cell]:
    """All cells, several at once. A player takes a stage from the queue and puts it back."""
    stages: Queue[Stage] = Queue()
    homes = iter(range(len(wanted)))

    def one(cell: tuple[Write, Condition]) -> Cell:
        stage = stages.get()
        try:
            return play(stage, Path(stage.folder) / f"cell-{next(homes)}", *cell)
        except Exception as wrong:  # a cell that breaks is a cell that failed; the others still tell something
            where = traceback.extract_tb(wrong.__traceback__)[-1]
            return Cell(*cell, outcome="broke", mistakes=[f"{type(wrong).__name__} at line {where.lineno}: {wrong}"])
        finally:
            stages.put(stage)

    opened = [Stage(sandbox=["--no-rate-limit", "--orders", "40"], sidecar=False) for _ in range(min(PLAYERS, len(wanted)))]
    try:
        for stage in opened:
            stages.put(stage.__enter__())
        with ThreadPoolExecutor(len(opened)) as players:
            return list(players.map(one, wanted))
    finally:
        for stage in opened:
            stage.close()


def report(cells: list[Cell], conditions: list[Condition], took_s: float) -> int:
    by_place = {(cell.write.name, cell.condition.name): cell for cell in cells}
    columns = [condition for condition in conditions if any(cell.condition is condition for cell in cells)]
    for number, condition in enumerate(columns):
        print(f"  {number + 1:>2} {condition.name}")
    print("  " + f"{'':<26}" + "".join(f"{number + 1:>7}" for number in range(len(columns))))
    for write in WRITES:
        row = [by_place.get((write.name, condition.name)) for condition in columns]
        if any(row):
            print(f"  {write.name:<26}" + "".join(f"{_shown(cell):>7}" for cell in row))
    failed = [cell for cell in cells if cell.mistakes]
    for cell in failed:
        print(f"  FAIL {cell.write.name} × {cell.condition.name}")
        for mistake in cell.mistakes[:4]:
            print(f"       {mistake}")
    outcomes = Counter(cell.outcome for cell in cells)
    told = ", ".join(f"{count} {outcome.replace('_', ' ')}" for outcome, count in outcomes.most_common())
    print(f"  {told}; {sum(cell.intents for cell in cells)} intents in the record; {took_s:.0f} s")
    print(f"\n{len(cells) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed or not cells else 0


def _shown(cell: Cell | None) -> str:
    if cell is None:
        return "-"
    return "FAIL" if cell.mistakes else SHOWN.get(cell.outcome, cell.outcome)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except StageError as error:
        sys.exit(f"the stage did not come up: {error}")
