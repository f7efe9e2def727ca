"""What people see first: a shop is set up in two commands, an assistant works on it over stdio, an operator watches over HTTP.

The client is the Python MCP client, which nobody here wrote; it spawns the real `mcp-stdio`, as a desktop assistant would.
"""

import json
import os
import signal
import sys
import textwrap
import threading
import time

import anyio
from mcp import Client, StdioServerParameters

from session import ORDER_ID
from stage import Stage, StageError, get, wait_for

COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ
WIDTH = 100

# Metrics worth a first look: (name, words its line has to have).
METRICS = [
    ("mcp_tool_calls_total", 'tool_name="orders_get"'),
    ("mcp_tool_duration_seconds_count", 'tool_name="orders_list"'),
    ("orderdesk_api_calls_total", 'method="PUT",status_code="200"'),
    ("cache_operations_total", 'operation="hit"'),
    ("orderdesk_mcp_processes", 'kind="mcp-stdio"'),
]

# How many tools the session below calls.
CALLS = 9

# The flush window is a quarter of a second; this allows for a machine that is busy building.
COUNTED_WITHIN_S = 5


def paint(code: str, text: str) -> str:
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


def bold(text: str) -> str:
    return paint("1", text)


def dim(text: str) -> str:
    return paint("2", text)


def heading(text: str) -> None:
    print(f"\n{bold(text)}\n{dim('─' * min(WIDTH, max(24, len(text))))}")


class DemoError(Exception):
    """Something answered, but not as it should."""


async def call(client: Client, tool: str, **arguments) -> dict:
    """One tool call, shown as the assistant made it."""
    began = time.perf_counter()
    result = await client.call_tool(tool, arguments)
    took_ms = (time.perf_counter() - began) * 1000
    said = ", ".join(f"{name}={json.dumps(value)}" for name, value in arguments.items())
    print(f"{paint('36', '›')} {tool}({said})  {dim(f'{took_ms:.1f} ms')}")
    if result.is_error:
        raise DemoError(f"{tool}: {result.content[0].text}")
    return result.structured_content


def as_table(orders: list[dict], folders: dict[str, str]) -> None:
    print(dim(f"  {'order':<9}{'placed (UTC)':<18}{'customer':<18}{'to':<20}{'folder':<10}{'total':>9}  items"))
    for order in orders:
        folder = folders.get(str(order["folder_id"]), "")
        placed = order["date_added"][:16]
        more = f" + {len(order['items']) - 1} more" if len(order["items"]) > 1 else ""
        print(
            f"  {order['id']:<9}{placed:<18}{order['name'][:17]:<18}{order['ship_to'][:19]:<20}{folder:<10}"
            f"{order['order_total']:>9,.2f}  {order['items'][0]}{dim(more)}"
        )


def set_up(stage: Stage) -> None:
    """What a person types once. The key goes in on stdin, here from a pipe, and lies sealed in the home from then on."""
    heading("The shopkeeper's side: set up once, in a terminal")
    settings = {"ORDERDESK_MCP_HOME": str(stage.home), "ORDERDESK_MCP_API_BASE_URL": stage.base_url}
    store = stage.store
    typed(stage, settings, "init")
    typed(stage, settings, "store", "add", "--name", store["name"], "--id", store["store_id"], stdin=f"{store['api_key']}\n")
    sealed = all(store["api_key"].encode() not in file.read_bytes() for file in stage.home.rglob("*") if file.is_file())
    if not sealed:
        raise DemoError("the key lies in the home in plain")


def typed(stage: Stage, settings: dict[str, str], *arguments: str, stdin: str = "") -> None:
    """Runs one of our commands and shows it with what it printed."""
    words = " ".join(json.dumps(word) if " " in word else word for word in arguments)
    print(f"{paint('32', '$')} mcp-stdio {words}" + (dim("   # the key comes on stdin") if stdin else ""))
    said = stage.run(*arguments, stdin=stdin, also=settings).splitlines()
    # What to type next is typed next, and its paths are long.
    print(textwrap.indent("\n".join(line for line in said if not line.startswith(("next:", "then:"))), "  "))


async def assistant(stage: Stage) -> None:
    heading("The assistant's side: an MCP session over stdio")
    server = StdioServerParameters(command=stage.server(), env=stage.server_settings())
    began = time.perf_counter()
    async with Client(server, mode="auto") as client:
        ready_ms = (time.perf_counter() - began) * 1000
        tools = (await client.list_tools()).tools
        info = client.server_info
        print(
            f"{info.name} {info.version}, revision {client.protocol_version}, ready in {ready_ms:.0f} ms, {len(tools)} tools:"
        )
        print(textwrap.fill(", ".join(tool.name for tool in tools), WIDTH, initial_indent="  ", subsequent_indent="  "))
        print()

        folders = {str(folder["id"]): folder["name"] for folder in (await call(client, "folders_list"))["folders"]}
        as_table((await call(client, "orders_list", limit=5))["orders"], folders)
        found = await call(client, "orders_find", query=ORDER_ID)
        print(f"  match: {found['match']}")
        order = (await call(client, "orders_get", order_id=ORDER_ID))["order"]
        await call(client, "orders_get", order_id=ORDER_ID)
        as_one(order)
        await change(client, order)
        await until_counted(stage)
    recorded(stage)


def as_one(order: dict) -> None:
    address = order["shipping"]
    name = f"{address['first_name']} {address['last_name']}"
    print(f"  {bold(name)} <{order['email']}>, {address['city']}, {address['country']}, paid with {order['payment_type']}")
    for item in order["order_items"]:
        print(f"    {item['quantity']} × {item['name']}  {dim(item['code'])}")


async def change(client: Client, order: dict) -> None:
    """An address is corrected, once looked at and once done; two orders are moved, which has to be agreed to."""
    print()
    wrong = {"order_id": order["id"], "changes": {"shipping": {"address1": "99 New Street", "postal_code": "10001"}}}
    as_diff(await call(client, "orders_update", **wrong, dry_run=True), "preview")
    as_diff(await call(client, "orders_update", **wrong), "done")
    moved = {"order_ids": [order["id"], str(int(order["id"]) + 1)], "folder": "Hold"}
    asked = await call(client, "orders_move", **moved)
    as_diff(asked, "preview")
    as_diff(await call(client, "orders_move", **moved, confirm=asked["confirm_token"]), "done")


def as_diff(answer: dict, expected: str) -> None:
    if answer["outcome"] != expected:
        raise DemoError(f"{answer['outcome']} instead of {expected}: {answer}")
    print(f"  {paint('32' if expected == 'done' else '33', answer['outcome'])}")
    for line in answer["diff"]:
        before, after = (dim(json.dumps(line[side], ensure_ascii=False)) for side in ("before", "after"))
        print(f"    {line['path']}: {before} → {after}")


def recorded(stage: Stage) -> None:
    """What the record says of it: an intent before each request, its outcome after, and nothing of the customer."""
    heading("The record: what was about to be done, and how it ended")
    settings = {"ORDERDESK_MCP_HOME": str(stage.home)}
    typed(stage, settings, "audit", "list")
    typed(stage, settings, "audit", "verify")


async def until_counted(stage: Stage) -> None:
    """The session stays open until the sidecar shows its calls, so that the views below have a living process to show."""

    def counted() -> bool:
        calls = sum(float(line.rsplit(" ", 1)[1]) for line in metric_lines(stage, "mcp_tool_calls_total"))
        return calls == CALLS and seen_by_the_sidecar(stage)

    await anyio.to_thread.run_sync(lambda: wait_for("the sidecar counts the calls", counted, COUNTED_WITHIN_S))
    operator(stage)


def seen_by_the_sidecar(stage: Stage) -> bool:
    """Whether the sidecar's last look around was late enough to see the living server."""
    status, body = get(f"{stage.sidecar_url}/health/detailed", stage.admin_token)
    return status == 200 and json.loads(body)["components"]["processes"]["mcp_stdio"] == 1


def metric_lines(stage: Stage, name: str) -> list[str]:
    _, exposition = get(f"{stage.sidecar_url}/metrics")
    return [line for line in exposition.splitlines() if line.startswith((f"{name}{{", f"{name} "))]


def operator(stage: Stage) -> None:
    heading("The operator's side: the sidecar over HTTP")
    ready, reasons = get(f"{stage.sidecar_url}/health/ready")
    status, body = get(f"{stage.sidecar_url}/health/detailed", stage.admin_token)
    if ready != 200 or status != 200:
        raise DemoError(f"the sidecar is not well: {reasons} {body}")
    show_health(json.loads(body))
    print("metrics")
    missing = [name for name, words in METRICS if not show_metric(stage, name, words)]
    if missing:
        raise DemoError(f"metrics without a sample: {', '.join(missing)}")


def show_health(health: dict) -> None:
    colour = {"ok": "32", "degraded": "33"}.get(health["status"], "31")
    parts = health["components"]
    state, disk, memory, processes = parts["state_file"], parts["disk"], parts["memory"], parts["processes"]
    probe_us = (state["write_probe_seconds"] or 0) * 1e6
    rows = [
        ("health", f"{paint(colour, health['status'])}, ready, version {health['version']}"),
        (
            "state file",
            f"written in {probe_us:.0f} µs, schema {state['schema_version']}, {state['database_bytes'] / 1e3:.0f} kB",
        ),
        ("processes", f"{processes['mcp_stdio']} mcp-stdio, {processes['ops_sidecar']} ops-sidecar"),
        ("disk", f"{share(disk['used_bytes'], disk['used_bytes'] + disk['free_bytes'])} used"),
        ("memory", f"{memory['own_bytes'] / 1e6:.0f} MB of our own"),
        ("findings", ", ".join(finding["summary"] for finding in health["findings"]) or "none"),
    ]
    for name, value in rows:
        print(f"{name:<11}{value}")


def share(part: float, whole: float) -> str:
    return f"{part / whole:.0%}" if whole else "?"


def show_metric(stage: Stage, name: str, words: str) -> bool:
    lines = [line for line in metric_lines(stage, name) if words in line]
    for line in lines[:1]:
        series, value = line.rsplit(" ", 1)
        print(f"  {series} {bold(value)}")
    return bool(lines)


def look_around(stage: Stage) -> None:
    heading("Where to look")
    print(f"health     {stage.sidecar_url}/health")
    print(f"metrics    {stage.sidecar_url}/metrics")
    print(f"in detail  curl -H 'Authorization: Bearer {stage.admin_token}' {stage.sidecar_url}/health/detailed")
    print(f"the shop   {stage.base_url}  (store {stage.store['store_id']}, simulated)")
    print("connect a client of your own with what `mcp-stdio install --client claude-desktop --print` shows:")
    shown = stage.run("install", "--client", "claude-desktop", "--print", also={"ORDERDESK_MCP_HOME": str(stage.home)})
    print(textwrap.indent(shown.rstrip(), "  "))


def stay_until_interrupted() -> None:
    print(f"\n{bold('Ctrl-C ends the demo and removes everything it made.')}", flush=True)
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, lambda *_: stop.set())
    stop.wait()
    print()


def main(arguments: list[str]) -> int:
    # A demo that is asked to end cleans up on its way out, as it does after an error.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
    print(bold("Order Desk for assistants, with an operator's view"))
    print(dim("A simulated shop, a real MCP client, the real binaries; everything on loopback."))
    try:
        with Stage(sealed_by_hand=True) as stage:
            set_up(stage)
            anyio.run(assistant, stage)
            look_around(stage)
            if "--once" not in arguments:
                stay_until_interrupted()
    except KeyboardInterrupt:
        return 130
    except Exception as wrong:
        print(f"\n{paint('31', 'the demo failed:')} {plainly(wrong)}", file=sys.stderr)
        return 1
    print(f"\n{paint('32', 'done')}: everything answered as it should")
    return 0


def plainly(wrong: BaseException) -> str:
    """The innermost cause: the client's task groups wrap what happened."""
    while isinstance(wrong, BaseExceptionGroup):
        wrong = wrong.exceptions[0]
    return str(wrong) if isinstance(wrong, (DemoError, StageError)) else f"{type(wrong).__name__}: {wrong}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
