/**
 * What is wrong with a profile. It is no SandboxError, since core uses this package; core makes one of it.
 */
export class SeccompError extends Error {
  override readonly name = "SeccompError";
  /** The field of the profile at fault, such as `syscalls[3].args[0].value`; empty for the whole. */
  readonly path: string;
  /** What is wrong with it, to follow the path. */
  readonly problem: string;
  readonly hint: string | undefined;

  constructor(path: string, problem: string, hint?: string) {
    super(path === "" ? problem : `${path}: ${problem}`);
    this.path = path;
    this.problem = problem;
    this.hint = hint;
  }
}

/** Reads values of unknown shape, and names the field at fault. */
export interface Reader {
  readonly value: unknown;
  /** Such as `syscalls[3].args[0].value`; empty for the whole. */
  readonly path: string;
}

/** The fields of an object that has no others. */
export function fields<Key extends string>(
  { value, path }: Reader,
  known: readonly Key[],
): (key: Key) => Reader {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new SeccompError(path, `must be an object, not ${shown(value)}`);
  const unknown = Object.keys(value).find((key) => !(known as readonly string[]).includes(key));
  if (unknown !== undefined) {
    const hint = `Known here: ${known.join(", ")}.`;
    throw new SeccompError(at(path, unknown), "is not known", hint);
  }
  return (key) => ({ value: (value as Record<string, unknown>)[key], path: at(path, key) });
}

/** The entries of a list; of none where it is absent or null. */
export function list({ value, path }: Reader): Reader[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new SeccompError(path, `must be a list, not ${shown(value)}`);
  // Holes are entries, too.
  return Array.from(value, (entry: unknown, index) => ({
    value: entry,
    path: `${path}[${index}]`,
  }));
}

export function string({ value, path }: Reader): string {
  if (typeof value !== "string")
    throw new SeccompError(path, `must be a string, not ${shown(value)}`);
  return value;
}

/** One of some words. */
export function word<Word extends string>(reader: Reader, known: readonly Word[]): Word {
  const found = known.find((each) => each === reader.value);
  if (found !== undefined) return found;
  throw new SeccompError(
    reader.path,
    `must be one of ${known.join(", ")}, not ${shown(reader.value)}`,
  );
}

/** A whole number that is not negative; `fallback` where it is absent or null. */
export function count({ value, path }: Reader, most: number, fallback?: number): number {
  if ((value === undefined || value === null) && fallback !== undefined) return fallback;
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= most)
    return value;
  throw new SeccompError(path, `must be a whole number from 0 to ${most}, not ${shown(value)}`);
}

const MOST = 0xffff_ffff_ffff_ffffn;

/** An unsigned number of 64 bits. */
export function wide({ value, path }: Reader, fallback?: bigint): bigint {
  if (value === undefined && fallback !== undefined) return fallback;
  if (typeof value === "bigint" && value >= 0n && value <= MOST) return value;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return BigInt(value);
  const hint = "JSON cannot say more than 9007199254740991 exactly; from a program, give a bigint.";
  throw new SeccompError(
    path,
    `must be a whole number of at most 64 bits, not ${shown(value)}`,
    hint,
  );
}

function shown(value: unknown): string {
  if (value === undefined) return "absent";
  if (typeof value === "bigint") return `${value}`;
  try {
    return JSON.stringify(value)?.slice(0, 60) ?? typeof value;
  } catch {
    return `a value of type ${typeof value}`; // It contains itself, or is too deep.
  }
}

function at(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}
