import { closeSync, lstatSync, openSync, readSync } from "node:fs";
import { dirname } from "node:path";
import type { ResolvedConfig, ResolvedMount } from "../backend/resolved-config.js";
import { parseMountinfo } from "../host/mountinfo.js";
import { isAmongWritable } from "../paths/movable.js";
import { find, viewOf } from "../paths/view.js";
import { SandboxError } from "../result/error.js";

/** How often masks are looked at while a program runs, in milliseconds. */
const EVERY = 50;

/** Added to the mechanism of `hidden` in the receipt. */
export const LOOKED_AT: string = `looked at every ${EVERY} ms and at the end`;

/**
 * What protects paths of one sandbox: the masks over what is hidden, and read-only binds where all around can be written.
 * Each covers a file, not a name: when somebody on the host replaces the file, or a directory above it, the kernel takes
 * the mask away or along, and the program can get at what is there now.
 */
export class Masks {
  readonly #config: ResolvedConfig;
  readonly #before: ReadonlyMap<string, string>;
  #table: MountTable | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** To be made before the sandbox is. */
  constructor(config: ResolvedConfig) {
    this.#config = config;
    this.#before = new Map([...namesOf(config).keys()].map((host) => [host, identityOf(host)]));
  }

  /**
   * To be called when the sandbox has been set up: from now on its own table of mounts is read. Without that, the files of
   * the host at the hidden paths are compared with those that were there before.
   */
  read(initPid: number): void {
    try {
      this.#table = new MountTable(initPid);
    } catch {
      // The sandbox has ended already, or procfs hides the process of another user.
    }
  }

  /** The error for a mask that is gone; undefined while all are there. */
  fault(): SandboxError | undefined {
    const targets = this.#table?.targets();
    const bare =
      targets === undefined
        ? [...namesOf(this.#config)].find(
            ([host]) => identityOf(host) !== this.#before.get(host),
          )?.[1]
        : masksIn(this.#config).find(({ target }) => !targets.has(target));
    return bare && bared(bare);
  }

  /** Calls a function regularly until {@link unwatch}. That does not keep this process alive. */
  watch(look: () => void): void {
    this.#timer ??= setInterval(look, EVERY).unref();
  }

  unwatch(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** To be called after the last look. */
  close(): void {
    this.unwatch();
    this.#table?.close();
    this.#table = undefined;
  }
}

/** The masks of a config; undefined where it has none. */
export function masksOf(config: ResolvedConfig): Masks | undefined {
  return masksIn(config).length > 0 ? new Masks(config) : undefined;
}

/** The mounts of a config that have to stay where they are. */
export function masksIn(config: ResolvedConfig): readonly ResolvedMount[] {
  return once(masks, config, () => {
    const isMovable = isAmongWritable(config);
    return config.mounts.filter(
      (mount) =>
        // What core masks by itself is no secret, so only `hidden` paths count.
        (mount.type === "mask" && mount.path.startsWith("hidden")) ||
        (mount.type === "bind" && mount.readOnly && isMovable(mount.target)),
    );
  });
}

const masks = new WeakMap<ResolvedConfig, readonly ResolvedMount[]>();

/**
 * The names on the host that lead to hidden paths, each with one of these. None in an overlay, whose directories may
 * change their place on the host with every write.
 */
function namesOf(config: ResolvedConfig): ReadonlyMap<string, ResolvedMount> {
  return once(names, config, () => {
    const view = viewOf(config);
    const found = config.overlay === undefined ? masksIn(config) : [];
    return new Map(
      found.flatMap((mask) =>
        prefixesOf(mask.target).flatMap((path): [string, ResolvedMount][] => {
          const { host } = find(view, path, mask.path, true);
          return host === undefined ? [] : [[host, mask]];
        }),
      ),
    );
  });
}

const names = new WeakMap<ResolvedConfig, ReadonlyMap<string, ResolvedMount>>();

function once<Value>(
  known: WeakMap<ResolvedConfig, Value>,
  config: ResolvedConfig,
  make: () => Value,
): Value {
  const value = known.get(config) ?? make();
  known.set(config, value);
  return value;
}

function prefixesOf(path: string): string[] {
  return path === "/" ? [] : [...prefixesOf(dirname(path)), path];
}

/** Device, inode and time of birth of a file: the number of an inode may be used again. */
function identityOf(host: string): string {
  try {
    const { dev, ino, birthtimeNs } = lstatSync(host, { bigint: true });
    tellsBirth ??= lstatSync("/proc/self", { bigint: true }).birthtimeNs === 0n;
    return `${dev} ${ino} ${tellsBirth ? birthtimeNs : ""}`;
  } catch (error) {
    return String(error instanceof Error && "code" in error ? error.code : error);
  }
}

/**
 * Whether the kernel tells the time of birth. Where it does not, Node gives the time of the last change instead, which it
 * then does for procfs, too.
 */
let tellsBirth: boolean | undefined;

function bared({ type, path, target }: ResolvedMount): SandboxError {
  const [was, done] = type === "mask" ? ["hidden", "read"] : ["read-only", "written to"];
  const message = `${path}: ${JSON.stringify(target)} is not ${was} any more, as it or a directory above it was replaced on the host: the program may have ${done} what is there now`;
  return new SandboxError("VERIFY_FAILED", message, { path, hint: HINT });
}

const HINT = "Run it again. Where this happens often, name the directory in which it lies instead.";

/** The mounts of a sandbox. Once it is open, it can be read also when every process of the sandbox is gone. */
export class MountTable {
  readonly #fd: number;

  /** @throws the error of open(2). */
  constructor(initPid: number) {
    this.#fd = openSync(`/proc/${initPid}/mountinfo`, "r");
  }

  /** The paths inside on which something is mounted now. */
  targets(): ReadonlySet<string> {
    const chunks: Buffer[] = [];
    for (let at = 0; ; ) {
      const chunk = Buffer.allocUnsafe(CHUNK);
      const size = readSync(this.#fd, chunk, 0, CHUNK, at);
      if (size === 0) break;
      chunks.push(chunk.subarray(0, size));
      at += size;
    }
    const { entries } = parseMountinfo(Buffer.concat(chunks).toString());
    return new Set(entries.map(({ at }) => at));
  }

  close(): void {
    closeSync(this.#fd);
  }
}

const CHUNK = 16_384;
