import {
  closeSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname } from "node:path";
import { Script } from "node:vm";

/** It imports by a name that is computed, which Node refuses in what is loaded in this way. */
const IMPORTS = "import-module-";

/** What V8 makes of a file depends on V8, and on the processor. */
const SUFFIX = `.${process.version}-${process.arch}`;

/** The files of this process for which there was nothing. What V8 refuses, because of its options, is left for others. */
const fresh = new Map<string, Script>();
let hasRun = false;

/**
 * Has Node load the files of the command line with what V8 made of them before, where that is there. V8 believes what it is
 * given: whoever writes such a file decides what is run. So it lies beside the code, which decides that as well, and it is
 * used only if nobody but the owner of the code can have written it.
 */
export function useCompiled(): void {
  const { extensions } = createRequire(import.meta.filename);
  extensions[".cjs"] = (module, filename) => {
    const name = basename(filename);
    if (dirname(filename) !== import.meta.dirname || name.startsWith(IMPORTS))
      return extensions[".js"]?.(module, filename);
    hasRun ||= name.startsWith("run-");
    const script = compiled(filename);
    if (script.cachedDataRejected === undefined) fresh.set(filename, script);
    const { exports } = module;
    const load = (id: string): unknown => module.require(id);
    const run = script.runInThisContext() as (this: unknown, ...of: unknown[]) => void;
    run.call(exports, exports, load, module, filename, import.meta.dirname);
  };
}

/**
 * After a run, leaves what V8 has made of the files of this process for the next one: the functions that a run needs are
 * among it, and after other commands they would not be.
 */
export function keepCompiled(): void {
  if (hasRun) for (const [filename, script] of fresh) keep(filename, script);
}

const BEFORE = "(function (exports, require, module, __filename, __dirname) { ";

function compiled(filename: string): Script {
  const source = `${BEFORE}${readFileSync(filename, "utf8")}\n})`;
  const cachedData = kept(filename);
  return new Script(source, {
    filename,
    columnOffset: -BEFORE.length,
    ...(cachedData !== undefined && { cachedData }),
  });
}

/** What was left beside a file, if nobody but the owner of the file can have written it, and the file is no newer. */
function kept(filename: string): Buffer | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(filename + SUFFIX, "r");
    const { uid, mode, mtimeMs } = fstatSync(fd);
    const code = statSync(filename);
    const isTheirs = uid === code.uid && (mode & 0o022) === 0;
    if (!isTheirs || mtimeMs < code.mtimeMs) return undefined;
    const bytes = readFileSync(fd);
    const end = placeOf(filename);
    return bytes.subarray(-end.length).equals(end) ? bytes.subarray(0, -end.length) : undefined;
  } catch {
    return undefined; // There is none.
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Leaves it for the next run, whole or not at all: V8 would crash on half of it. Without it, that takes as long as this one. */
function keep(filename: string, script: Script): void {
  const unfinished = `${filename}${SUFFIX}.${process.pid}`;
  try {
    if (statSync(filename).uid !== process.geteuid?.()) return;
    writeWhole(unfinished, Buffer.concat([script.createCachedData(), placeOf(filename)]));
    renameSync(unfinished, filename + SUFFIX);
  } catch {
    rmSync(unfinished, { force: true });
  }
}

/** V8 keeps the path of the code, which a copy of the whole directory would show in the place of its own. */
function placeOf(filename: string): Buffer {
  return Buffer.from(`\0${filename}`);
}

/** It is on the disk before it has its name, so that a machine which stops leaves no file of zeros. */
function writeWhole(path: string, bytes: Buffer): void {
  const fd = openSync(path, "wx", 0o644);
  try {
    writeFileSync(fd, bytes);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
