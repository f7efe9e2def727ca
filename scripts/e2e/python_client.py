"""The Python client (`mcp` on PyPI) in one of its modes."""

import anyio
from mcp import Client, MCPError, StdioServerParameters

from session import Answer, Played, calls
from stage import Stage


def play(stage: Stage, era: str) -> Played:
    return anyio.run(_play, stage, "auto" if era == "auto" else "legacy")


async def _play(stage: Stage, mode: str) -> Played:
    server = StdioServerParameters(command=stage.server(), env=stage.server_settings())
    async with Client(server, mode=mode) as client:
        listed = await client.list_tools()
        played = Played(client.protocol_version, [tool.name for tool in listed.tools])
        for step, tool, arguments in calls(stage):
            played.answers[step] = await _call(client, tool, arguments)
        return played


async def _call(client: Client, tool: str, arguments: dict) -> Answer:
    try:
        result = await client.call_tool(tool, arguments)
    except MCPError as refused:
        return Answer(refused=refused.code, text=refused.message)
    text = "\n".join(block.text for block in result.content if block.type == "text")
    return Answer(bool(result.is_error), result.structured_content, text)
