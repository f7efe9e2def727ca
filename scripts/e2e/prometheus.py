"""What an operator's own tools make of the sidecar: promtool reads its metrics and our alerting rules, a real Prometheus scrapes,
answers and evaluates."""

import json
import re
import subprocess
import urllib.parse

from session import Check
from stage import BIN, ROOT, Stage, free_port, get, wait_for

QUERY = 'sum(mcp_tool_calls_total{tool_name="orders_get",status="success"})'
MONITORING = ROOT / "deploy" / "monitoring"
RULES = MONITORING / "alerts.yml"


def check(stage: Stage) -> list[Check]:
    return [_promtool(stage), *_rules(), *_scraped(stage)]


def _rules() -> list[Check]:
    """The alerting rules are sound, fire when they should, and speak of what there is: a misspelt metric would never fire."""
    text = RULES.read_text()
    known = subprocess.run([BIN / "ops-sidecar", "metrics", "--markdown"], capture_output=True, text=True).stdout
    strangers = {name for name in re.findall(r"\borderdesk_mcp_\w+", text) if f"`{name}`" not in known}
    unwritten = {book for book in re.findall(r"runbook: (\S+)", text) if not _is_written(book)}
    return [
        _ran("promtool check rules is clean", "check", "rules", RULES),
        _ran("promtool test rules: each alert fires when it should, and not before", "test", "rules", MONITORING / "alerts_test.yml"),
        Check("every metric in the rules is in the catalogue", not strangers, f"{strangers}"),
        Check("every alert has its section in the runbook", not unwritten, f"{unwritten}"),
    ]


def _ran(name: str, *command) -> Check:
    ran = subprocess.run(["promtool", *command], capture_output=True, text=True)
    return Check(name, ran.returncode == 0, (ran.stdout + ran.stderr).strip()[-800:])


def _is_written(runbook: str) -> bool:
    """Whether the page has a heading with this anchor."""
    page, _, anchor = runbook.partition("#")
    headings = re.findall(r"^#+ (.+)$", (ROOT / page).read_text(), re.MULTILINE)
    return anchor in {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def _promtool(stage: Stage) -> Check:
    _, exposition = get(f"{stage.sidecar_url}/metrics")
    ran = subprocess.run(["promtool", "check", "metrics"], input=exposition, capture_output=True, text=True)
    found = (ran.stdout + ran.stderr).strip()
    return Check("promtool check metrics is clean", ran.returncode == 0 and not found and bool(exposition), found[-800:])


def _scraped(stage: Stage) -> list[Check]:
    address = f"127.0.0.1:{free_port()}"
    config = stage.folder / "prometheus.yml"
    config.write_text(
        "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
        f"rule_files: ['{RULES}']\n"
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
    unsound = wait_for("Prometheus evaluates the alerting rules", lambda: _unsound_rules(address)) - {"none"}
    firing = _query(address, 'count(ALERTS{alertstate="firing"}) or vector(0)')
    exposed = _exposed_sum(get(f"{stage.sidecar_url}/metrics")[1])
    return [
        Check("Prometheus finds the sidecar up", up),
        Check("Prometheus evaluates every alerting rule", not unsound, f"{unsound}"),
        Check("no alert fires where nothing is wrong", firing == 0, f"{firing} fire"),
        Check(f"Prometheus answers mcp_tool_calls_total ({counted:.0f} orders_get)", counted == exposed, f"{exposed} exposed"),
    ]


def _unsound_rules(address: str) -> set[str]:
    """Once all are evaluated: those that could not be, or `none`."""
    status, body = get(f"http://{address}/api/v1/rules")
    groups = json.loads(body)["data"]["groups"] if status == 200 else []
    rules = [rule for group in groups for rule in group["rules"]]
    if not rules or any(rule["health"] == "unknown" for rule in rules):
        return set()
    return {rule["name"] for rule in rules if rule["health"] != "ok"} or {"none"}


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
