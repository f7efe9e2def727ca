"""The protocol's own conformance suite, over a stdio-to-HTTP bridge (the suite speaks only HTTP).

What a server without the suite's fixture tools cannot pass stands, each with its reason, in
`expected-failures-REVISION.yml`; an entry that passes nonetheless fails the run, so the lists cannot rot.
"""

import os
import subprocess
import sys
from pathlib import Path

from session import Check
from stage import TOOLS, Stage, free_port, get, wait_for

HERE = Path(__file__).resolve().parent
NODE = TOOLS / "node" / "bin" / "node"
MODULES = TOOLS / "node" / "node_modules"

WITHIN_S = 300


def check(stage: Stage, revision: str) -> list[Check]:
    port = free_port()
    bridge = [NODE, MODULES / ".bin" / "mcp-proxy", "--host", "127.0.0.1", "--port", port, "--server", "stream"]
    name = f"bridge-{revision}"
    stage.spawn(name, [*bridge, "--", stage.server()], env={**os.environ, **stage.server_settings()})
    wait_for("the bridge listens", lambda: get(f"http://127.0.0.1:{port}/ping")[0] in (200, 404))

    suite = [NODE, MODULES / "@modelcontextprotocol" / "conformance" / "dist" / "index.js", "server"]
    suite += ["--url", f"http://localhost:{port}/mcp", "--requirements", revision]
    suite += ["--expected-failures", HERE / f"expected-failures-{revision}.yml"]
    suite += ["--output-dir", stage.folder / f"conformance-{revision}"]
    ran = subprocess.run(
        [str(part) for part in suite], capture_output=True, text=True, timeout=WITHIN_S, stdin=subprocess.DEVNULL
    )
    said = ran.stdout + ran.stderr
    log = TOOLS / "logs" / f"conformance-{revision}.log"
    log.write_text(said)
    summary = said[said.rfind("=== SUMMARY ===") :]
    if ran.returncode != 0:
        print(summary, file=sys.stderr)
    totals = [line for line in said.splitlines() if line.startswith("Total:")]
    scored = totals[-1].removeprefix("Total: ") if totals else "no total"
    return [
        Check(f"as expected ({scored})", ran.returncode == 0 and bool(totals), f"see {log}"),
        Check("every message we sent is valid by the specification's schema", "wire-schema" not in _failing(summary)),
    ]


def _failing(summary: str) -> str:
    return "\n".join(line for line in summary.splitlines() if "✗" in line)
