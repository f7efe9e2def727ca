"""Faults for a real command: killed as it is about to make its n-th call of one kind, or told that the disk fails or is full.

Here: the tracer (strace), the loops over calls, and the tally of what was done to a command. What has to hold afterwards is
said by whoever hands in `holds`, which raises `Broken`. The tracer counts calls per thread, so it reaches every call of a
command that works on one thread; one that works on several is killed from inside (`die_at.c`), which counts over all of them.
"""

import errno
import shutil
import subprocess
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from shell import Ran
from stage import TOOLS, StageError

# Everything by which a command of ours changes what is on the disk. A question mark: not every machine has the call.
CHANGES = [
    "pwrite64",
    "write",
    "fsync",
    "fdatasync",
    "?rename",
    "renameat",
    "renameat2",
    "?unlink",
    "unlinkat",
    "ftruncate",
    "?link",
    "linkat",
]

# What a failing and a full disk answer, and to which calls.
DISK_ERRORS = ["EIO", "ENOSPC"]
ERRNO = {"EIO": errno.EIO, "ENOSPC": errno.ENOSPC}
FALLIBLE = ["pwrite64", "write", "fsync", "fdatasync", "?rename", "renameat"]

# No command of ours makes nearly as many; a loop that gets here is counting something else.
ENOUGH = 400


class Broken(Exception):
    """What has to hold after a crash does not."""


@dataclass
class Tally:
    """What one command went through."""

    command: str
    kills: int = 0
    # Fewer than that, and the command was not really killed.
    least_kills: int = 4
    errors: int = 0
    skipped: str = ""
    broken: list[str] = field(default_factory=list)
    # How many runs that were cut short left things as they were before, and how many as they were to become.
    outcomes: Counter = field(default_factory=Counter)

    def report(self, took_s: float) -> bool:
        if self.skipped:
            print(f"  skip {self.command}: {self.skipped}")
            return True
        outcomes = "".join(f", {count} times {outcome}" for outcome, count in sorted(self.outcomes.items()))
        print(
            f"  {'FAIL' if self.broken else 'ok  '} {self.command}: {self.kills} kills, {self.errors} disk errors{outcomes},"
            f" {took_s:.1f} s"
        )
        for what in self.broken[:5]:
            print(f"       {what}")
        return not self.broken


def strace(call: str, fault: str, at: int) -> list[str]:
    """A tracer that lets the command's `at`-th call of this kind meet `fault`."""
    return ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:{fault}:when={at}"]


def was_killed(ran: Ran) -> bool:
    return ran.code in (-9, 137)


def each_kill(tally: Tally, attempt, holds) -> None:
    """Kills `attempt(tracer)` at every call of each kind; `holds(ran)` raises `Broken` where something is lost."""
    for call in CHANGES:
        for at in range(1, ENOUGH):
            ran = attempt(strace(call, "signal=KILL", at))
            killed = was_killed(ran)
            tally.kills += killed
            if not killed and ran.code != 0:
                tally.broken.append(f"not killed, it ended with {ran.code}: {ran.stderr[-300:]}")
            hold(tally, f"killed at {call} number {at}", holds, ran)
            if not killed:
                break


def each_side_effect(tally: Tally, step: int, attempt, holds) -> None:
    """Kills `attempt(environment)` before its n-th side effect of whatever kind, on whatever thread, for each `step`-th n."""
    for at in range(1, ENOUGH, step):
        ran = attempt(_dies_at(at))
        killed = was_killed(ran)
        tally.kills += killed
        if not killed and ran.code != 0:
            tally.broken.append(f"not killed, it ended with {ran.code}: {ran.stderr[-300:]}")
        hold(tally, f"killed before side effect {at}", holds, ran)
        if not killed:
            return
    tally.broken.append(f"it never got through: it has more than {ENOUGH} side effects")


def each_side_effect_failing(tally: Tally, step: int, attempt, holds) -> None:
    """The same with a disk that fails or is full at that one moment, by turns: the command gives up, with words, or gets through."""
    well_in_a_row = 0
    for at in range(1, ENOUGH, step):
        error = list(ERRNO)[at // step % len(ERRNO)]
        ran = attempt({**_dies_at(at), "FAIL_WITH": str(ERRNO[error])})
        tally.errors += 1
        _ended_with_words(tally, f"{error} at side effect {at}", ran)
        hold(tally, f"{error} at side effect {at}", holds, ran)
        # Past the last side effect nothing fails any more; some faults on the way are got over.
        well_in_a_row = 0 if ran.code else well_in_a_row + 1
        if well_in_a_row * step > 40:
            return
    tally.broken.append(f"it never got through: it has more than {ENOUGH} side effects")


def _dies_at(at: int) -> dict[str, str]:
    return {"LD_PRELOAD": str(_shim()), "DIE_AT": str(at)}


def _ended_with_words(tally: Tally, when: str, ran: Ran) -> None:
    if "panic" in ran.stderr or ran.code < 0 or (ran.code != 0 and not ran.stderr):
        tally.broken.append(f"{when}: exit code {ran.code}: {ran.stderr[-300:]}")


def _shim() -> Path:
    """The library that kills, compiled when it is missing or old."""
    source, shim = Path(__file__).with_name("die_at.c"), TOOLS / "die_at.so"
    if not shutil.which("cc"):
        raise StageError("no C compiler (`cc`), though building this workspace needs one, too")
    if not shim.exists() or shim.stat().st_mtime < source.stat().st_mtime:
        # Whole at once, and under a name of one's own until then: several look for it at the same time.
        fresh = shim.with_suffix(f".{threading.get_ident()}")
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", fresh, source], check=True)
        fresh.replace(shim)
    return shim


def each_disk_error(tally: Tally, whole: bool, attempt, holds, calls: list[str] = FALLIBLE) -> None:
    """The same with a call that fails once: the command may give up, with words, or get through. By turns unless `whole`."""
    for call in calls:
        for at in range(1, ENOUGH, 1 if whole else 2):
            errors = DISK_ERRORS if whole else [DISK_ERRORS[at // 2 % len(DISK_ERRORS)]]
            codes = [_fails(tally, call, error, at, attempt, holds) for error in errors]
            # Past the last call of this kind nothing fails any more; a fault that was got over costs a few runs more.
            if at > 3 and not any(codes):
                break


def _fails(tally: Tally, call: str, error: str, at: int, attempt, holds) -> int:
    ran = attempt(strace(call, f"error={error}", at))
    tally.errors += 1
    _ended_with_words(tally, f"{error} at {call} number {at}", ran)
    hold(tally, f"{error} at {call} number {at}", holds, ran)
    return ran.code


def hold(tally: Tally, when: str, holds, ran: Ran) -> None:
    try:
        holds(ran)
    except (Broken, StageError) as wrong:
        tally.broken.append(f"{when}: {wrong}")
