import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type {
  ConfigInput,
  RunOptions,
  Sandbox,
  SandboxChild,
  SandboxResult,
} from "@sandboxlib/core";
import { assertNoDebris, clearAway } from "./debris.js";
import { type Listing, list } from "./host/listing.js";
import { newMarker } from "./host/processes.js";
import type { Kit } from "./kit.js";
import { buildRoot } from "./root/build.js";

/** A result with its outputs as text. */
export interface Ran extends SandboxResult {
  readonly out: string;
  readonly err: string;
}

/** A shell script, or one with its arguments. */
export type Script = string | readonly [string, ...string[]];

/** What a case works with: a root and a directory of the host of its own, and the backend under test. */
export interface Context {
  readonly kit: Kit;
  /** The host directory that becomes `/`; unused where the backend does not enforce `root`. */
  readonly root: string;
  /** An empty directory of the host, outside the root. */
  readonly scratch: string;
  /** `$0` of every script, by which the host finds what is left of it. */
  readonly marker: string;
  /** Writes a file into the root, before anything runs; returns its path inside. */
  readonly put: (path: string, content: string, mode?: number) => string;
  /** The program may write here: what it leaves is no debris. */
  readonly allow: (path: string) => void;
  /** What a config of this case asks for: nothing but what the backend has, and what the case adds. */
  readonly config: (extra?: ConfigInput) => ConfigInput;
  readonly sandbox: (extra?: ConfigInput) => Promise<Sandbox>;
  readonly run: (
    argv: readonly string[],
    extra?: ConfigInput,
    options?: RunOptions,
  ) => Promise<Ran>;
  readonly sh: (script: Script, extra?: ConfigInput, options?: RunOptions) => Promise<Ran>;
  /** Starts a script; it is ended with the case at the latest. */
  readonly spawn: (
    script: Script,
    extra?: ConfigInput,
    options?: RunOptions,
  ) => Promise<SandboxChild>;
}

/** Runs a case in a new directory, which is gone afterwards. Throws when the rule is broken or something is left behind. */
export async function runCase(
  kit: Kit,
  run: (context: Context) => Promise<void>,
  directory: string,
): Promise<void> {
  const open = openContext(kit, directory);
  try {
    await run(open.context);
    await open.end();
    await assertNoDebris(open.context, open.before(), open.allowed);
  } finally {
    await open.end();
    clearAway(directory, open.context.marker);
  }
}

function openContext(kit: Kit, directory: string) {
  const [root, scratch] = [join(directory, "root"), join(directory, "scratch")];
  mkdirSync(scratch, { recursive: true });
  for (const path of [directory, scratch]) chmodSync(path, 0o755);
  buildRoot(root, kit.recipe);
  const marker = newMarker();
  const allowed: string[] = [];
  const children: SandboxChild[] = [];
  let before: Listing | undefined;
  const argv = (script: Script): string[] => {
    const [text, ...args] = typeof script === "string" ? [script] : script;
    return ["sh", "-c", text, marker, ...args];
  };
  const config = (extra: ConfigInput = {}): ConfigInput => ({
    ...(kit.has.has("root") && { root }),
    cwd: "/",
    ...extra,
  });
  const sandbox = async (extra?: ConfigInput): Promise<Sandbox> => {
    before ??= list(root);
    const { backend, prefer } = kit;
    return kit.createSandbox(config(extra), { backend, prefer });
  };
  const run: Context["run"] = async (words, extra, options) =>
    readable(await (await sandbox(extra)).run(words, options));
  const context: Context = {
    kit,
    root,
    scratch,
    marker,
    put(path, content, mode = 0o755) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content);
      chmodSync(join(root, path), mode);
      allowed.push(path);
      return path;
    },
    allow: (path) => void allowed.push(path),
    config,
    sandbox,
    run,
    sh: (script, extra, options) => run(argv(script), extra, options),
    async spawn(script, extra, options) {
      const child = (await sandbox(extra)).spawn(argv(script), options);
      children.push(child);
      return child;
    },
  };
  const end = async (): Promise<void> => {
    for (const child of children.splice(0)) await child[Symbol.asyncDispose]();
  };
  return { context, allowed, before: () => before, end };
}

/** Adds the text of the outputs. */
export function readable(result: SandboxResult): Ran {
  const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();
  return { ...result, out: text(result.stdout), err: text(result.stderr) };
}
