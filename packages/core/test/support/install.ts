import { spawnSync } from "node:child_process";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { plant } from "./temporary.js";

const CORE = join(import.meta.dirname, "../..");

/** What `package.json` of a backend holds, and the code of its entry. */
export interface FixtureBackend {
  readonly name?: string;
  readonly sandboxlib?: unknown;
  readonly manifest?: object;
  /** Default: a backend that is available and declares nothing but `cwd`. */
  readonly code?: string;
}

/** Installs the built library into a `node_modules`, as npm would. */
export function installCore(modules: string): void {
  cpSync(join(CORE, "dist"), join(modules, "@sandboxlib/core/dist"), { recursive: true });
  cpSync(join(CORE, "package.json"), join(modules, "@sandboxlib/core/package.json"));
  for (const part of ["dist", "package.json"])
    cpSync(join(CORE, "../seccomp", part), join(modules, "@sandboxlib/seccomp", part), {
      recursive: true,
    });
}

/** Writes a package that claims to be a backend. */
export function installBackend(directory: string, backend: FixtureBackend = {}): void {
  const { name = "made-up", manifest = {} } = backend;
  const sandboxlib = backend.sandboxlib ?? {
    backend: name,
    apiVersion: 1,
    platforms: [process.platform],
  };
  plant(directory, {
    "package.json": JSON.stringify({
      name: `@fixture/${name}`,
      version: "1.2.3",
      type: "module",
      exports: "./index.js",
      sandboxlib,
      ...manifest,
    }),
    "index.js": backend.code ?? backendCode({ name }),
  });
}

/** The source of a backend that runs programs on the host. */
export function backendCode({
  name = "made-up",
  capabilities = ["cwd"],
  probe = "{ available: true }",
}: {
  readonly name?: string;
  readonly capabilities?: readonly string[];
  readonly probe?: string;
}): string {
  return `export default {
    apiVersion: 1,
    name: ${JSON.stringify(name)},
    capabilities: new Set(${JSON.stringify(capabilities)}),
    probe: async () => (${probe}),
    plan: ({ env }) => ({
      kind: "tool",
      argv: ["/usr/bin/env", "--"],
      env,
      mechanisms: ${JSON.stringify(Object.fromEntries(capabilities.map((word) => [word, "nothing"])))},
      interpret: ({ exitCode }) => ({ kind: "exited", exitCode }),
    }),
  };`;
}

/** Evaluates an expression of the installed library, `core`, in a process of its own; an error becomes its code and message. */
export function evaluate(
  modules: string,
  expression: string,
  { cwd = "/", env = {} }: { readonly cwd?: string; readonly env?: Record<string, string> } = {},
): unknown {
  const script = `
    const core = {};
    for (const entry of ["index", "index.backend", "index.internal"])
      Object.assign(core, await import(${JSON.stringify(join(modules, "@sandboxlib/core/dist/"))} + entry + ".js"));
    let answer;
    try {
      answer = await (${expression});
    } catch ({ code, message, hint }) {
      answer = { code, message, hint };
    }
    process.stdout.write(JSON.stringify(answer) ?? "null");
  `;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    cwd,
    env,
    encoding: "utf8",
  });
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout);
}
