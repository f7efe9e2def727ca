"""The protocol's own conformance suite, over a stdio-to-HTTP bridge (the suite speaks only HTTP).

What a server without the suite's fixture tools cannot pass stands, each with its reason, in
`expected-failures-REVISION.yml`; an entry that passes nonetheless fails the run, so the lists cannot rot.
"""

import json
import os
import subprocess
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
    results = stage.folder / f"conformance-{revision}"
    suite += ["--output-dir", results]
    ran = subprocess.run(
        [str(part) for part in suite], capture_output=True, text=True, timeout=WITHIN_S, stdin=subprocess.DEVNULL
    )
    said = ran.stdout + ran.stderr
    log = TOOLS / "logs" / f"conformance-{revision}.log"
    log.write_text(said)
    totals = [line for line in said.splitlines() if line.startswith("Total:")]
    scored = totals[-1].removeprefix("Total: ") if totals else "no total"
    as_expected = ran.returncode == 0 and bool(totals)
    valid, invalid = _wire_schema(results)
    return [
        Check(f"as expected ({scored})", as_expected, f"{said[-1200:]}\nsee {log}"),
        Check(f"every message of {valid} scenarios is valid by the specification's schema", valid > 0 and not invalid, invalid),
    ]


def _wire_schema(results: Path) -> tuple[int, str]:
    """In how many scenarios all our messages were valid, and what was wrong in the others."""
    valid, invalid = 0, []
    for file in results.glob("*/checks.json"):
        for found in json.loads(file.read_text()):
            if found["id"] == "wire-schema-valid":
                if found["status"] == "SUCCESS":
                    valid += 1
                else:
                    invalid.append(f"{file.parent.name}: {found.get('errorMessage')}")
    return valid, "\n".join(invalid)
