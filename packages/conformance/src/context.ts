import { AssertionError } from "node:assert";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ConfigInput, RunOptions, Sandbox, SandboxChild, Word } from "@sandboxlib/core";
import { assertNoDebris, clearAway } from "./debris.js";
import { explained, Records } from "./explain.js";
import { type Listing, list } from "./host/listing.js";
import { endProcessesWith, newMarker } from "./host/processes.js";
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
  /** The host directory that becomes `/`; empty and unused where the backend does not enforce `root`. */
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
 * @param how.isBare - Its configs have no mounts but those that it asks for, not even the default ones.
 * @param how.limit - Milliseconds that it may take: a backend may never come to an end.
 */
export async function runCase(
  kit: Kit,
  run: (context: Context) => Promise<void>,
  directory: string,
  { isBare = false, limit = LIMIT }: { readonly isBare?: boolean; readonly limit?: number } = {},
): Promise<void> {
  const open = openContext(kit, directory, isBare);
  // Nothing need be looked for again where nothing may be left, and nothing is.
  let isClean = false;
  try {
    await inTime(limit, async () => {
      await run(open.context);
      await open.end();
      await assertNoDebris(open.context, open.before(), open.allowed);
      isClean = kit.has.has("tree.kill");
    });
  } catch (error) {
    throw explained(error, open.records);
  } finally {
    // What hangs or has failed may not end well either: the first cause counts.
    await inTime(END_LIMIT, open.end).catch(() => undefined);
    if (!isClean) endProcessesWith(open.context.marker);
    await clearAway(directory);
  }
}

const LIMIT = 100_000;
const END_LIMIT = 10_000;

async function inTime(limit: number, work: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const message = `it has not come to an end for ${limit / 1000} s`;
    timer = setTimeout(() => reject(new AssertionError({ message })), limit);
  });
  try {
    await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}

function openContext(kit: Kit, directory: string, isBare: boolean) {
  const [root, scratch] = [join(directory, "root"), join(directory, "scratch")];
  mkdirSync(scratch, { recursive: true });
  for (const path of [directory, scratch]) chmodSync(path, 0o755);
  if (kit.has.has("root")) buildRoot(root, kit.recipe);
  else mkdirSync(root);
  const marker = newMarker();
  const allowed: string[] = [];
  const open: AsyncDisposable[] = [];
  const records = new Records();
  let before: Listing | undefined;
  const words = (script: Script): string[] => {
    const [text, ...args] = typeof script === "string" ? [script] : script;
    return ["sh", "-c", text, marker, ...args];
  };
  const kept = <Opened extends AsyncDisposable>(opened: Opened): Opened => {
    open.push(opened);
    return opened;
  };
  // At the host's own root the program begins where it may write: never in the host's directories.
  const hasTmp = ({ mounts, defaultMounts = !isBare && mounts === undefined }: ConfigInput) =>
    kit.has.has("mount.tmpfs") &&
    (defaultMounts || mounts?.some(({ target }) => target === "/tmp") === true);
  const config = (extra: ConfigInput = {}): ConfigInput => ({
    ...(kit.has.has("root") ? { root, cwd: "/" } : { cwd: hasTmp(extra) ? "/tmp" : scratch }),
    ...(isBare && { mounts: [] }),
    // The mounts of a case are all that there are.
    ...(extra.mounts !== undefined && { defaultMounts: false }),
    ...extra,
  });
  const { backend, prefer } = kit;
  const sandbox = async (extra?: ConfigInput): Promise<Sandbox> => {
    before ??= list(root);
    return recorded(await kit.createSandbox(config(extra), { backend, prefer }), records);
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
    async spawn(script, extra, options) {
      const child = kept((await sandbox(extra)).spawn(words(script), options));
      void records.note(words(script), child.result).catch(() => undefined);
      return child;
    },
    words,
    session: async (extra) => withShell(kept(await (await sandbox(extra)).openSession()), words),
    async pool(size, extra) {
      before ??= list(root);
      const options = { size, backend, prefer };
      return withShell(noted(kept(await kit.createPool(config(extra), options)), records), words);
    },
  };
  const end = async (): Promise<void> => {
    for (const opened of open.splice(0)) await opened[Symbol.asyncDispose]();
  };
  return { context, allowed, records, before: () => before, end };
}

/** A sandbox that notes what it runs, in its sessions too. */
function recorded(sandbox: Sandbox, records: Records): Sandbox {
  return {
    ...noted(sandbox, records),
    async openSession(options) {
      const session = await sandbox.openSession(options);
      return noted(session, records);
    },
  };
}

/** Notes what is run; what is spawned has streams of its own, whose text the case takes. */
function noted<Own extends Pick<SessionParts, "run">>(own: Own, records: Records): Own {
  const run: Own["run"] = (argv, options) => records.note(argv, own.run(argv, options));
  return { ...own, run };
}
