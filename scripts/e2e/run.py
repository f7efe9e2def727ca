"""The end-to-end suite: software nobody here wrote, against the real binaries and the sandbox shops.

Prints each expectation and, at the end, the matrix client × era. Exit code 0 when every cell holds, 1 otherwise.
Run by `scripts/test`; alone: `scripts/e2e/run`, or `scripts/e2e/run python` for the clients whose name has that word.
"""

import sys
import time
import traceback

import age
import asking
import by_hand
import canaries
import conformance
import doctor
import guide
import inspector
import secret_service
import new_user
import prometheus
import python_client
import read_only
import typescript_client
import workflows
from session import LEGACY, MODERN, Check, judge
from stage import OPEN_WIDE, Skipped, Stage, StageError


def session(client, era: str):
    """The cell of one client that plays the common session."""
    return lambda stage: judge(client.play(stage, era), era, stage)


# client, era, how to check it. Prometheus comes last: it counts what the others have called.
FROM_ENVIRONMENT = [
    ("MCP Inspector CLI", "legacy", session(inspector, "legacy")),
    ("MCP Inspector CLI", "modern", session(inspector, "modern")),
    ("Python client", "legacy", session(python_client, "legacy")),
    ("Python client", "auto", session(python_client, "auto")),
    ("TypeScript client", "legacy", session(typescript_client, "legacy")),
    ("TypeScript client", "auto", session(typescript_client, "auto")),
    ("Conformance suite", LEGACY, lambda stage: conformance.check(stage, LEGACY)),
    ("Conformance suite", MODERN, lambda stage: conformance.check(stage, MODERN)),
    ("Prompts and resources", "both", guide.check),
    ("Prometheus, promtool", "-", prometheus.check),
]

ALL_TOOLS = {"ORDERDESK_MCP_TOOLSETS": "all"}

# What changes a shop, or must not; the others count what is in it.
WRITING = [
    ("Read-only session", "both", read_only.check),
    ("Questions to a person", "both", asking.check),
]

# The same clients where the shops are sealed in the home, and what else is about keys.
FROM_VAULT = [
    *((client, f"{era}, vault", play) for client, era, play in FROM_ENVIRONMENT[:6]),
    ("Claude Code, new user", "-", new_user.check),
    ("doctor", "-", doctor.check),
    ("age", "-", age.check),
    ("age, zstd, sqlite3, cron", "backups", by_hand.check),
    ("Secret Service", "-", secret_service.check),
    ("canaries", "-", canaries.check),
    ("Workflows", "-", workflows.check),
]


def main(words: list[str]) -> int:
    wanted = lambda cell: all(word.lower() in f"{cell[0]} {cell[1]}".lower() for word in words)
    matrix = []
    for cells, vault, more in ((FROM_ENVIRONMENT, False, {}), (WRITING, False, ALL_TOOLS), (FROM_VAULT, True, {})):
        cells = [cell for cell in cells if wanted(cell)]
        if cells:
            # So many calls in a row would wait for the shop's quota, which is not what this suite looks at.
            with Stage(settings={**OPEN_WIDE, **more}, sandbox=["--no-rate-limit"], vault=vault) as stage:
                matrix += [played(stage, *cell) for cell in cells]
    return report(matrix)


def played(stage: Stage, client: str, era: str, play) -> tuple:
    print(f"{client}, {era}", flush=True)
    began = time.monotonic()
    try:
        checks = play(stage)
    except Skipped as reason:
        print(f"  skip {reason}")
        return client, era, "skip", f"{reason}", time.monotonic() - began
    except Exception as wrong:  # a cell that breaks is a cell that failed; the others still tell something
        traceback.print_exc(limit=3)
        checks = [Check(type(wrong).__name__, False, str(wrong))]
    for check in checks:
        print(f"  {'ok  ' if check.held else 'FAIL'} {check.name}" + ("" if check.held else f"\n       {check.why}"))
    held = sum(check.held for check in checks)
    verdict = "pass" if held == len(checks) else "FAIL"
    return client, era, verdict, f"{held} of {len(checks)}", time.monotonic() - began


def report(matrix: list[tuple]) -> int:
    print(f"\n{'client':<26} {'era':<14} {'result':<7} {'time':>7}  checks")
    for client, era, verdict, checks, seconds in matrix:
        print(f"{client:<26} {era:<14} {verdict:<7} {seconds:>5.1f} s  {checks}")
    verdicts = [verdict for _, _, verdict, _, _ in matrix]
    failed, skipped = verdicts.count("FAIL"), verdicts.count("skip")
    print(f"\n{verdicts.count('pass')} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not matrix else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except StageError as error:
        sys.exit(f"the stage did not come up: {error}")
