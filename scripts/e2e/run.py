"""The end-to-end suite: software nobody here wrote, against the real binaries and the sandbox shop.

Prints each expectation and, at the end, the matrix client × era. Exit code 0 when every cell holds, 1 otherwise.
Run by `scripts/test`; alone: `scripts/e2e/run`, or `scripts/e2e/run python` for the clients whose name has that word.
"""

import sys
import time
import traceback

import conformance
import inspector
import prometheus
import python_client
import typescript_client
from session import LEGACY, MODERN, Check, judge
from stage import Stage, StageError

# client, era, how to check it. Prometheus comes last: it counts what the others have called.
CELLS = [
    ("MCP Inspector CLI", "legacy", lambda stage: judge(inspector.play(stage, "legacy"), "legacy")),
    ("MCP Inspector CLI", "modern", lambda stage: judge(inspector.play(stage, "modern"), "modern")),
    ("Python client", "legacy", lambda stage: judge(python_client.play(stage, "legacy"), "legacy")),
    ("Python client", "auto", lambda stage: judge(python_client.play(stage, "auto"), "auto")),
    ("TypeScript client", "legacy", lambda stage: judge(typescript_client.play(stage, "legacy"), "legacy")),
    ("TypeScript client", "auto", lambda stage: judge(typescript_client.play(stage, "auto"), "auto")),
    ("Conformance suite", LEGACY, lambda stage: conformance.check(stage, LEGACY)),
    ("Conformance suite", MODERN, lambda stage: conformance.check(stage, MODERN)),
    ("Prometheus, promtool", "-", prometheus.check),
]


def main(words: list[str]) -> int:
    cells = [cell for cell in CELLS if all(word.lower() in f"{cell[0]} {cell[1]}".lower() for word in words)]
    matrix = []
    # So many calls in a row would wait for the shop's quota, which is not what this suite looks at.
    open_wide = {"ORDERDESK_MCP_STORE_BURST": "1000", "ORDERDESK_MCP_STORE_RATE_PER_SECOND": "1000"}
    with Stage(settings=open_wide, sandbox=["--no-rate-limit"]) as stage:
        for client, era, play in cells:
            print(f"{client}, {era}", flush=True)
            began = time.monotonic()
            try:
                checks = play(stage)
            except Exception as wrong:  # a cell that breaks is a cell that failed; the others still tell something
                traceback.print_exc(limit=3)
                checks = [Check(type(wrong).__name__, False, str(wrong))]
            for check in checks:
                print(f"  {'ok  ' if check.held else 'FAIL'} {check.name}" + ("" if check.held else f"\n       {check.why}"))
            held = sum(check.held for check in checks)
            matrix.append((client, era, held, len(checks), time.monotonic() - began))
    return report(matrix)


def report(matrix: list[tuple]) -> int:
    print("\nclient                 era          result      checks   time")
    for client, era, held, checks, seconds in matrix:
        verdict = "pass" if held == checks else "FAIL"
        print(f"{client:<22} {era:<12} {verdict:<8} {held:>5} of {checks:<2} {seconds:>5.1f} s")
    failed = sum(held != checks for _, _, held, checks, _ in matrix)
    print(f"\n{len(matrix) - failed} passed, {failed} failed")
    return 1 if failed or not matrix else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except StageError as error:
        sys.exit(f"the stage did not come up: {error}")
