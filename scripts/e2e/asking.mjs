// The TypeScript client with a person behind it: plays the steps that it is given and prints what it saw as one JSON document.
// Usage: node asking.mjs '{"command": …, "env": {…}, "mode": "auto"|"legacy", "steps": [[name, tool, args, policy], …]}'

import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

const { command, env, mode, steps } = JSON.parse(process.argv[2]);
const asks = steps.some(([, , , policy]) => policy);
const capabilities = asks ? { elicitation: { form: {} } } : {};
const client = new Client({ name: "e2e-typescript", version: "1.0.0" }, { capabilities, versionNegotiation: { mode } });

let policy = null;
const questions = [];
const answers = {};
if (asks) {
  client.setRequestHandler("elicitation/create", async (request) => {
    questions.push(request.params.message);
    if (policy === "never") await new Promise(() => {});
    if (policy === "accept" || policy === "unticked") return { action: "accept", content: { confirm: policy === "accept" } };
    return { action: policy };
  });
}
await client.connect(new StdioClientTransport({ command, env }));
for (const [name, tool, args, what] of steps) {
  policy = what;
  if (args.confirm) args.confirm = answers[args.confirm.token_of].structured?.confirm_token ?? "none";
  try {
    // Longer than the server waits for a person.
    const result = await client.callTool({ name: tool, arguments: args }, { timeout: 90_000 });
    const text = result.content.filter((block) => block.type === "text").map((block) => block.text).join("\n");
    answers[name] = { is_error: Boolean(result.isError), structured: result.structuredContent ?? null, text };
  } catch (error) {
    answers[name] = { failed: String(error), ...(typeof error.code === "number" ? { refused: error.code } : {}) };
  }
}
console.log(JSON.stringify({ answers, questions }));
process.exit(0);
