import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ConfigInput, RunOptions, Sandbox, SandboxChild, Word } from "@sandboxlib/core";
import { assertNoDebris, clearAway } from "./debris.js";
import { type Listing, list } from "./host/listing.js";
import { newMarker } from "./host/processes.js";
import type { Kit } from "./kit.js";
import {
  type PoolParts,
  type Ran,
  readable,
  type Script,
  type SessionParts,
  type WithShell,
  withShell,
} from "./opened.js";
import { buildRoot } from "./root/build.js";

/** What a case works with: a root and a directory of the host of its own, and the backend under test. */
export interface Context {
  readonly kit: Kit;
  /** The host directory that becomes `/`; unused where the backend does not enforce `root`. */
  readonly root: string;
  /** An empty directory of the host, outside the root. */
  readonly scratch: string;
  /** `$0` of every script, by which the host finds processes that it has left. */
  readonly marker: string;
  /** Writes a file into the root, before anything runs; returns its path inside. */
  readonly put: (path: string, content: string | Uint8Array, mode?: number) => string;
  /** The program may write here: what it leaves is no debris. */
  readonly allow: (path: string) => void;
  /** What a config of this case asks for: nothing but what the backend has, and what the case adds. */
  readonly config: (extra?: ConfigInput) => ConfigInput;
  readonly sandbox: (extra?: ConfigInput) => Promise<Sandbox>;
  readonly run: (argv: readonly Word[], extra?: ConfigInput, options?: RunOptions) => Promise<Ran>;
  readonly sh: (script: Script, extra?: ConfigInput, options?: RunOptions) => Promise<Ran>;
  /** Starts a script; it is ended with the case at the latest. */
  readonly spawn: (
    script: Script,
    extra?: ConfigInput,
    options?: RunOptions,
  ) => Promise<SandboxChild>;
  /** The words that run a script. */
  readonly words: (script: Script) => string[];
  /** Opens a session; it is closed with the case at the latest. */
  readonly session: (extra?: ConfigInput) => Promise<WithShell<SessionParts>>;
  /** Makes a pool; it is closed with the case at the latest. */
  readonly pool: (size: number, extra?: ConfigInput) => Promise<WithShell<PoolParts>>;
}

/**
 * Runs a case in a new directory, which is gone afterwards. Throws when the rule is broken or something is left behind.
 *
 * @param isBare - Its configs have no mounts but those that it asks for, not even the default ones.
 */
export async function runCase(
  kit: Kit,
  run: (context: Context) => Promise<void>,
  directory: string,
  isBare = false,
): Promise<void> {
  const open = openContext(kit, directory, isBare);
  try {
    await run(open.context);
    await open.end();
    await assertNoDebris(open.context, open.before(), open.allowed);
  } finally {
    await open.end();
    clearAway(directory, open.context.marker);
  }
}

function openContext(kit: Kit, directory: string, isBare: boolean) {
  const [root, scratch] = [join(directory, "root"), join(directory, "scratch")];
  mkdirSync(scratch, { recursive: true });
  for (const path of [directory, scratch]) chmodSync(path, 0o755);
  buildRoot(root, kit.recipe);
  const marker = newMarker();
  const allowed: string[] = [];
  const open: AsyncDisposable[] = [];
  let before: Listing | undefined;
  const words = (script: Script): string[] => {
    const [text, ...args] = typeof script === "string" ? [script] : script;
    return ["sh", "-c", text, marker, ...args];
  };
  const kept = <Opened extends AsyncDisposable>(opened: Opened): Opened => {
    open.push(opened);
    return opened;
  };
  const config = (extra: ConfigInput = {}): ConfigInput => ({
    ...(kit.has.has("root") && { root }),
    cwd: "/",
    ...(isBare && { mounts: [] }),
    // The mounts of a case are all that there are.
    ...(extra.mounts !== undefined && { defaultMounts: false }),
    ...extra,
  });
  const { backend, prefer } = kit;
  const sandbox = async (extra?: ConfigInput): Promise<Sandbox> => {
    before ??= list(root);
    return kit.createSandbox(config(extra), { backend, prefer });
  };
  const run: Context["run"] = async (argv, extra, options) =>
    readable(await (await sandbox(extra)).run(argv, options));
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
    sh: (script, extra, options) => run(words(script), extra, options),
    spawn: async (script, extra, options) =>
      kept((await sandbox(extra)).spawn(words(script), options)),
    words,
    session: async (extra) => withShell(kept(await (await sandbox(extra)).openSession()), words),
    async pool(size, extra) {
      before ??= list(root);
      const options = { size, backend, prefer };
      return withShell(kept(await kit.createPool(config(extra), options)), words);
    },
  };
  const end = async (): Promise<void> => {
    for (const opened of open.splice(0)) await opened[Symbol.asyncDispose]();
  };
  return { context, allowed, before: () => before, end };
}
