"""A session that may only read tries every tool, listed or not, in every way that changes something elsewhere: the shop hears
nothing but GET."""

import json

import anyio
from mcp import Client, MCPError, StdioServerParameters

from sandbox import Sandbox
from session import CALLS, Check
from stage import Stage, clean_environment
from wire import Server
from writes import WRITES

READ_ONLY = {"ORDERDESK_MCP_READ_ONLY": "true", "ORDERDESK_MCP_TOOLSETS": "all", "ORDERDESK_MCP_CONFIRM": "never"}
# What a hidden tool answers.
REFUSED = "tool_disabled"


def check(stage: Stage) -> list[Check]:
    sandbox = Sandbox(stage)
    before = sandbox.state()
    tries = _every_way(stage, before)
    sandbox.forget()
    checks = []
    for era in ("legacy", "auto"):
        listed, answers = anyio.run(_session, stage, era, tries)
        refused = [text for name, text in answers if name in {write.tool for write in WRITES}]
        wrong = [text for text in refused if REFUSED not in text]
        checks += [
            Check(f"{era}: no tool that changes a shop is listed", not listed & {write.tool for write in WRITES}, f"{listed}"),
            Check(f"{era}: each of {len(refused)} calls that would is refused with the reason", refused and not wrong, "; ".join(wrong)[:600]),
        ]
    checks.append(_from_the_shell(stage, tries))
    asked = sandbox.requests()
    others = [f"{request['method']} {request['path']}" for request in asked if request["method"] != "GET"]
    return [
        *checks,
        Check(f"the shop heard {len(asked)} requests, each a GET", asked and not others, "; ".join(others)[:600]),
        Check("the shop holds what it held", sandbox.state() == before),
    ]


def _every_way(stage: Stage, state: dict) -> list[tuple[str, dict]]:
    """Each read as the other clients call it; each write plainly, dry, with a made-up token and with a real one of a session
    that may write."""
    tries = [(tool, arguments) for _, tool, arguments in CALLS]
    with Server({**clean_environment(), **stage.server_settings(), "ORDERDESK_MCP_TOOLSETS": "all"}) as server:
        for write in WRITES:
            arguments = write.arguments(state)
            preview = server.result(write.tool, {**arguments, "dry_run": True})
            token = (preview.get("structuredContent") or {}).get("confirm_token", "made-up")
            more = ({}, {"dry_run": True}, {"confirm": "made-up"}, {"confirm": token}, {"dry_run": False, "confirm": token})
            tries += [(write.tool, {**arguments, **each}) for each in more]
    return tries


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
