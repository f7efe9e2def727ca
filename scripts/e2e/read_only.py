"""A session that may only read tries every tool, listed or not, in every way that changes something elsewhere: the shop hears
nothing but GET."""

import json

import anyio
from mcp import Client, MCPError, StdioServerParameters

from sandbox import Sandbox
from session import CALLS, ORDER_ID, Check
from stage import Stage, clean_environment
from wire import Server
from writes import WRITES

READ_ONLY = {"ORDERDESK_MCP_READ_ONLY": "true", "ORDERDESK_MCP_TOOLSETS": "all", "ORDERDESK_MCP_CONFIRM": "never"}
# What the other clients do not call.
OTHERS = [
    ("orders_summary", {}),
    ("order_items_list", {"order_id": ORDER_ID}),
    ("shipments_list", {"order_id": ORDER_ID}),
    ("inventory_get", {"code": "MUG-11"}),
    ("inventory_low_stock", {"needed": True}),
    ("stores_use", {"store": "Demo Store"}),
    ("stores_register", {"store_id": "4711", "store_name": "Third"}),
    ("stores_remove", {"store": "Demo Store"}),
]
# What a hidden tool answers.
REFUSED = "tool_disabled"


def check(stage: Stage) -> list[Check]:
    sandbox = Sandbox(stage)
    before = sandbox.state()
    tries, all_of_them = _every_way(stage, before)
    sandbox.forget()
    checks = [all_of_them]
    for era in ("legacy", "auto"):
        listed, answers = anyio.run(_session, stage, era, tries)
        refused = [text for name, text in answers if name in {write.tool for write in WRITES}]
        wrong = [text for text in refused if REFUSED not in text]
        checks += [
            Check(f"{era}: no tool that changes a shop is listed", not listed & {write.tool for write in WRITES}, f"{listed}"),
            Check(f"{era}: each of {len(refused)} calls that would is refused with the reason", bool(refused) and not wrong, "; ".join(wrong)[:600]),
        ]
    checks.append(_from_the_shell(stage, tries))
    asked = sandbox.requests()
    others = [f"{request['method']} {request['path']}" for request in asked if request["method"] != "GET"]
    return [
        *checks,
        Check(f"the shop heard {len(asked)} requests, each a GET", bool(asked) and not others, "; ".join(others)[:600]),
        Check("the shop holds what it held", sandbox.state() == before),
    ]


def _every_way(stage: Stage, state: dict) -> tuple[list[tuple[str, dict]], Check]:
    """Each tool that reads with arguments that make sense; each that writes plainly, dry, with a made-up token and with a real one
    of a session that may write. And whether that is all there is."""
    tries = [*((tool, arguments) for _, tool, arguments in CALLS), *OTHERS]
    with Server({**clean_environment(), **stage.server_settings(), "ORDERDESK_MCP_TOOLSETS": "all"}) as server:
        for write in WRITES:
            arguments = write.arguments(state)
            token = server.result(write.tool, {**arguments, "dry_run": True})["structuredContent"]["confirm_token"]
            more = ({}, {"dry_run": True}, {"confirm": "made-up"}, {"confirm": token}, {"dry_run": False, "confirm": token})
            tries += [(write.tool, {**arguments, **each}) for each in more]
        there = {tool["name"] for tool in server.request("tools/list", {})["result"]["tools"]}
    missing = there - {tool for tool, _ in tries}
    return tries, Check(f"each of {len(there)} tools is tried", bool(there) and not missing, f"not tried: {sorted(missing)}")


async def _session(stage: Stage, mode: str, tries: list) -> tuple[set[str], list[tuple[str, str]]]:
    server = StdioServerParameters(command=stage.server(), env={**stage.server_settings(), **READ_ONLY})
    answers = []
    async with Client(server, mode=mode) as client:
        listed = await client.list_tools()
        for tool, arguments in tries:
            try:
                result = await client.call_tool(tool, arguments)
                answers.append((tool, "\n".join(block.text for block in result.content if block.type == "text")))
            except MCPError as refused:
                answers.append((tool, refused.message))
        return {tool.name for tool in listed.tools}, answers


def _from_the_shell(stage: Stage, tries: list) -> Check:
    """`call` is no way around."""
    from shell import Shell

    shell = Shell(stage.folder / "read-only", {**stage.server_settings(), **READ_ONLY})
    writes = {tool: arguments for tool, arguments in tries if tool in {write.tool for write in WRITES}}
    ran = [shell.run("call", tool, json.dumps(arguments)) for tool, arguments in writes.items()]
    through = [each.command for each in ran if each.code == 0 or REFUSED not in each.said]
    return Check(f"the shell refuses each of {len(ran)} tools, too", not through, "; ".join(through)[:600])
