// The TypeScript client: plays the calls that it is given and prints what it saw as one JSON document.
// Usage: node typescript_client.mjs '{"command": …, "env": {…}, "mode": "auto"|"legacy", "calls": [[step, tool, args], …]}'

import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

const { command, env, mode, calls } = JSON.parse(process.argv[2]);
const client = new Client({ name: "e2e-typescript", version: "1.0.0" }, { versionNegotiation: { mode } });
await client.connect(new StdioClientTransport({ command, env }));

const answers = {};
for (const [step, tool, args] of calls) {
  try {
    const result = await client.callTool({ name: tool, arguments: args });
    const text = result.content.filter((block) => block.type === "text").map((block) => block.text).join("\n");
    answers[step] = { is_error: Boolean(result.isError), structured: result.structuredContent ?? null, text };
  } catch (error) {
    answers[step] = typeof error.code === "number" ? { refused: error.code } : { failed: String(error) };
  }
}
const listed = await client.listTools();
const revision = client.getNegotiatedProtocolVersion();
await client.close();
console.log(JSON.stringify({ revision, tools: listed.tools.map((tool) => tool.name), answers }));
