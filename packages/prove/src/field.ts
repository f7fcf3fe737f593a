import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";
import {
  type Capability,
  type Config,
  type ConfigInput,
  type createSandbox,
  isSandboxError,
  parseConfig,
  type RunOptions,
  type Sandbox,
  SandboxError,
  type SandboxOptions,
  textOf,
} from "@sandboxlib/core";
import { judge, type Ran } from "./judge.js";
import { type Line, linesOf } from "./lines.js";
import { Helper, outside } from "./outside.js";
import { hostPathOf, isHidden, mountAt } from "./paths.js";
import { copyProgram, PROGRAM_NAME } from "./program.js";
import type { Seen } from "./seen.js";

/** Milliseconds after which an attempt inside is ended. */
const LIMIT = 20_000;

/** The same thing by its path inside and by the one on the host. */
export interface Place {
  readonly inside: string;
  readonly host: string;
}

/** The sandbox under attack, and the means to attack it. */
export interface Field {
  /** The user's config; beside it there may be a mount with the program. */
  readonly config: Config;
  readonly sandbox: Sandbox;
  /** What is promised: the needs that are met. */
  readonly met: ReadonlySet<Capability>;
  /** A directory of the host that is ours. */
  readonly directory: string;
  /** The program inside. */
  readonly program: string;
  /** A directory inside that is there, and not `/`. */
  readonly place: string;
  /** A file of ours on the host in which the token stands, and nobody else knows. */
  readonly trap: string;
  readonly token: string;
  /** Makes another sandbox: the same, but for some of its config. */
  readonly another: (extra: ConfigInput) => Promise<Sandbox>;
  /** Runs the program on the host itself. */
  readonly outside: (words: readonly string[], stdin?: number) => Promise<Line[]>;
  /** Starts the program on the host's side. */
  readonly helper: (words: readonly string[]) => Helper;
  /** Runs the program inside, to its end. */
  readonly inside: (words: readonly string[], options?: RunOptions) => Promise<Ran>;
  /** Tries the same outside and inside. What fails outside proves nothing. */
  readonly both: (words: readonly string[], outsideWords?: readonly string[]) => Promise<Seen>;
  /** Tries something with paths, each outside by its path there. What fails outside is not tried inside. */
  readonly paths: (words: readonly string[], places: readonly Place[]) => Promise<Seen>;
}

/**
 * Makes the sandbox of a config, with the program in it, and hands it on; afterwards nothing of it is left.
 *
 * @throws SandboxError what a run with the config would throw; `PATH_INVALID` where the program has no place inside.
 */
export async function onField<Value>(
  input: ConfigInput,
  options: SandboxOptions,
  create: typeof createSandbox,
  run: (field: Field) => Promise<Value>,
): Promise<Value> {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "sandboxlib-prove-")));
  try {
    chmodSync(directory, 0o755);
    return await run(await openField(input, options, create, directory));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function openField(
  input: ConfigInput,
  options: SandboxOptions,
  create: typeof createSandbox,
  directory: string,
): Promise<Field> {
  const own = copyProgram(directory);
  const { config: asked } = await create(input, options); // whatever is wrong with it is the user's
  const { sandbox, program, config } = await placed(parseConfig(input), own, (changed) =>
    create(changed, options),
  );
  const parent = dirname(program);
  return {
    config,
    sandbox,
    met: new Set(sandbox.needs.map(({ capability }) => capability)),
    directory,
    program,
    place: parent === "/" ? (asked.mounts[0]?.target ?? parent) : parent,
    ...trapIn(directory),
    another: (extra) => create({ ...config, ...extra }, options),
    ...meansOf(own, sandbox, program),
  };
}

function trapIn(directory: string): Pick<Field, "trap" | "token"> {
  const token = randomBytes(12).toString("hex");
  const trap = join(directory, "secret");
  writeFileSync(trap, `${token}\n`, { mode: 0o644 });
  return { trap, token };
}

/** What runs the program: `own` on the host, and `program` inside. */
function meansOf(
  own: string,
  sandbox: Sandbox,
  program: string,
): Pick<Field, "outside" | "helper" | "inside" | "both" | "paths"> {
  const outsideOf: Field["outside"] = (words, stdin) => outside(own, words, stdin);
  const inside: Field["inside"] = async (words, more) => {
    const signal = AbortSignal.timeout(LIMIT);
    const result = await sandbox.run([program, ...words], { ...more, signal });
    return { lines: linesOf(textOf(result)), result };
  };
  return {
    outside: outsideOf,
    helper: (words) => new Helper(own, words),
    inside,
    async both(words, outsideWords = words) {
      return judge(await outsideOf(outsideWords), () => inside(words));
    },
    async paths(words, places) {
      const before = await outsideOf([...words, ...places.map(({ host }) => host)]);
      const works = new Set(before.flatMap(({ word, where }) => (word === "got" ? where : [])));
      const left = places.filter(({ host }) => works.has(host)).map((each) => each.inside);
      return judge(before, () => inside([...words, ...left]));
    },
  };
}

interface Placed {
  readonly sandbox: Sandbox;
  readonly program: string;
  readonly config: Config;
}

/** Puts the program where the config shows it, or into a tmpfs, or where a backend can make a mount point. */
async function placed(
  config: Config,
  own: string,
  create: (config: ConfigInput) => Promise<Sandbox>,
): Promise<Placed> {
  const tmpfs = config.mounts.filter(({ type }) => type === "tmpfs");
  const targets = [
    ...tmpfs.map(({ target }) => posix.join(target, PROGRAM_NAME)),
    `/${PROGRAM_NAME}`,
  ];
  const seen = placeOf(config, own);
  const attempts: (readonly [string, Config])[] = [
    ...(seen === undefined ? [] : [[seen, config] as const]),
    ...targets.map((target) => {
      const mount = { type: "bind", source: own, target, readOnly: false } as const;
      return [target, { ...config, mounts: [...config.mounts, mount] }] as const;
    }),
  ];
  let last: SandboxError | undefined;
  for (const [program, changed] of attempts) {
    try {
      const sandbox = await create(changed);
      const result = await sandbox.run([program, "hostname"], {
        signal: AbortSignal.timeout(LIMIT),
      });
      if (linesOf(textOf(result)).some(({ word }) => word === "end"))
        return { sandbox, program, config: changed };
    } catch (error) {
      if (!isSandboxError(error) || error.code === "VERIFY_FAILED") throw error;
      last = error;
    }
  }
  throw new SandboxError("PATH_INVALID", "the program that attacks has no place inside", {
    hint: "Add a mount of the type tmpfs, on /tmp for instance. Its file lies below TMPDIR, which must not be mounted noexec.",
    ...(last !== undefined && { cause: last }),
  });
}

/** Where the config shows a file of the host as it is. */
function placeOf(config: Config, file: string): string | undefined {
  const { root } = config;
  const path =
    root === "/" ? file : file.startsWith(`${root}/`) ? file.slice(root.length) : undefined;
  if (path === undefined || isHidden(config, path) || mountAt(config, path) !== undefined)
    return undefined;
  return hostPathOf(config, path) === file && existsSync(file) ? path : undefined;
}
