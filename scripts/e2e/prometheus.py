"""What an operator's own tools make of the sidecar: promtool reads its metrics, a real Prometheus scrapes and answers."""

import json
import subprocess
import urllib.parse

from session import Check
from stage import Stage, free_port, get, wait_for

QUERY = 'sum(mcp_tool_calls_total{tool_name="orders_get",status="success"})'


def check(stage: Stage) -> list[Check]:
    return [_promtool(stage), *_scraped(stage)]


def _promtool(stage: Stage) -> Check:
    _, exposition = get(f"{stage.sidecar_url}/metrics")
    ran = subprocess.run(["promtool", "check", "metrics"], input=exposition, capture_output=True, text=True)
    found = (ran.stdout + ran.stderr).strip()
    return Check("promtool check metrics is clean", ran.returncode == 0 and not found and bool(exposition), found[-800:])


def _scraped(stage: Stage) -> list[Check]:
    address = f"127.0.0.1:{free_port()}"
    config = stage.folder / "prometheus.yml"
    config.write_text(
        "global: {scrape_interval: 1s}\n"
        "scrape_configs:\n"
        "  - job_name: ops-sidecar\n"
        f"    static_configs: [{{targets: ['{stage.sidecar_url.removeprefix('http://')}']}}]\n"
    )
    data = stage.folder / "prometheus"
    stage.spawn(
        "prometheus",
        ["prometheus", f"--config.file={config}", f"--web.listen-address={address}", f"--storage.tsdb.path={data}"],
    )
    up = wait_for("Prometheus scrapes the sidecar", lambda: _query(address, "up") == 1.0)
    counted = wait_for("Prometheus answers for mcp_tool_calls_total", lambda: _query(address, QUERY))
    exposed = _exposed_sum(get(f"{stage.sidecar_url}/metrics")[1])
    return [
        Check("Prometheus finds the sidecar up", up),
        Check(f"Prometheus answers mcp_tool_calls_total ({counted:.0f} orders_get)", counted == exposed, f"{exposed} exposed"),
    ]


def _query(address: str, expression: str) -> float | None:
    status, body = get(f"http://{address}/api/v1/query?query={urllib.parse.quote(expression)}")
    if status != 200:
        return None
    result = json.loads(body)["data"]["result"]
    return float(result[0]["value"][1]) if result else None


def _exposed_sum(exposition: str) -> float:
    wanted = ("mcp_tool_calls_total{", 'tool_name="orders_get"', 'status="success"')
    lines = [line for line in exposition.splitlines() if all(part in line for part in wanted)]
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines)
