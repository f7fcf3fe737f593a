import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { createRequire } from "node:module";
import type { ConfigInput } from "@sandboxlib/core";
import type { Context, Script } from "./context.js";

/**
 * A plan is data, so another process can run it without the backend: what the backend says of the end is not
 * needed there.
 */
const CALLER = `
const { core, name, capabilities, prefer, plan, config, argv } = JSON.parse(process.argv[1]);
const { createSandbox } = await import(core);
const interpret = ({ exitCode }) => ({ kind: "exited", exitCode: exitCode ?? 255 });
const sandbox = await createSandbox(config, {
  prefer,
  backend: {
    apiVersion: 1,
    name,
    capabilities: new Set(capabilities),
    probe: async () => ({ available: true }),
    plan: () => ({ ...plan, interpret }),
  },
});
const child = sandbox.spawn(argv, { stdin: "discard", stdout: "inherit", stderr: "inherit" });
await child.result;
`;

/** Runs a script in a sandbox whose caller is another process, which the case may start with odd fds, or kill. */
export async function elsewhere(
  context: Context,
  script: Script,
  extra: ConfigInput,
  stdio: StdioOptions,
): Promise<ChildProcess> {
  const { kit, marker } = context;
  const [text, ...args] = typeof script === "string" ? [script] : script;
  const { plan } = await context.sandbox(extra);
  const task = {
    core: createRequire(import.meta.url).resolve("@sandboxlib/core"),
    name: kit.backend.name,
    capabilities: [...kit.has],
    prefer: kit.prefer,
    plan,
    config: context.config(extra),
    argv: ["sh", "-c", text, marker, ...args],
  };
  return spawn(process.execPath, ["--input-type=module", "-e", CALLER, JSON.stringify(task)], {
    env: {},
    stdio,
  });
}
