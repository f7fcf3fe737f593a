import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { createRequire } from "node:module";
import type { ConfigInput } from "@sandboxlib/core";
import type { PlanFd } from "@sandboxlib/core/backend";
import type { Context } from "./context.js";
import type { Script } from "./opened.js";

/** What the caller does with its sandbox. */
const WAYS = {
  run: `
    const stdio = { stdin: "discard", stdout: "inherit", stderr: "inherit" };
    await (await createSandbox(config, options)).spawn(argv, stdio).result;`,
  // The session is left open on purpose.
  session: `
    const session = await (await createSandbox(config, options)).openSession();
    const stdio = { stdin: "inherit", stdout: "inherit", stderr: "inherit" };
    await (await session.spawn(argv, stdio)).result;`,
  // The pool is left open, too, unless it is told to close. What starts sandboxes in general is there before it.
  pool: `
    const { once } = await import("node:events");
    await (await createSandbox(config, options)).run(["sh", "-c", ":"]);
    console.log("before");
    await once(process.stdin, "data");
    const pool = await createPool(config, { ...options, size: 2 });
    await pool.ready();
    console.log("ready");
    const [word] = await once(process.stdin, "data");
    process.stdin.destroy();
    if (String(word) === "close\\n") await pool.close();
    if (String(word) === "run\\n") pool.spawn(argv).stdout.pipe(process.stdout);
    else console.log("done");`,
} as const;

/**
 * A plan is data, so another process can run it without the backend: what the backend says of the end is not
 * needed there.
 */
const CALLER = `
const { core, name, capabilities, prefer, plan, config, argv } = JSON.parse(process.argv[1]);
const { createPool, createSandbox } = await import(core);
const interpret = ({ exitCode }) => ({ kind: "exited", exitCode: exitCode ?? 255 });
const options = {
  prefer,
  backend: {
    apiVersion: 1,
    name,
    capabilities: new Set(capabilities),
    probe: async () => ({ available: true }),
    plan: () => ({ ...plan, interpret }),
  },
};
`;

/** Runs a script in a sandbox whose caller is another process, which the case may start with odd fds, or kill. */
export async function elsewhere(
  context: Context,
  script: Script,
  extra: ConfigInput,
  stdio: StdioOptions,
  by: keyof typeof WAYS = "run",
): Promise<ChildProcess> {
  const { kit, marker } = context;
  const [text, ...args] = typeof script === "string" ? [script] : script;
  const { plan } = await context.sandbox(extra);
  const fds = "fds" in plan ? Object.entries(plan.fds ?? {}) : [];
  // Who cannot read the report does not verify.
  const content = (each: PlanFd): PlanFd =>
    each === "hold" ? { data: "\n", isForProgram: true } : each;
  const task = {
    core: createRequire(import.meta.url).resolve("@sandboxlib/core"),
    name: kit.backend.name,
    capabilities: [...kit.has],
    prefer: kit.prefer,
    plan: { ...plan, fds: Object.fromEntries(fds.map(([fd, each]) => [fd, content(each)])) },
    config: context.config(extra),
    argv: ["sh", "-c", text, marker, ...args],
  };
  const code = CALLER + WAYS[by];
  return spawn(process.execPath, ["--input-type=module", "-e", code, JSON.stringify(task)], {
    env: {},
    stdio,
  });
}
