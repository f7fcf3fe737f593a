import { lstatSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isSandboxError, type SandboxError } from "@sandboxlib/core";
import { onTestFinished } from "vitest";

/** Makes a directory, and sets the cache to one in it. Both are removed when the test ends. */
export function temporary(): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "sandboxlib-image-")));
  const before = process.env["XDG_CACHE_HOME"];
  process.env["XDG_CACHE_HOME"] = join(directory, "cache");
  onTestFinished(() => {
    if (before === undefined) delete process.env["XDG_CACHE_HOME"];
    else process.env["XDG_CACHE_HOME"] = before;
    rmSync(directory, { recursive: true, force: true });
  });
  return directory;
}

/** The names in a directory of the cache of {@link temporary}. */
export function cached(part: "images" | "private" | "seen"): string[] {
  try {
    return readdirSync(join(process.env["XDG_CACHE_HOME"] ?? "", "sandboxlib", part));
  } catch {
    return [];
  }
}

/** Lists every file of a directory, except for the cache, with its type, mode, owner and size. */
export function listing(directory: string, path = ""): string[] {
  return readdirSync(join(directory, path), { encoding: "latin1" })
    .sort()
    .flatMap((name) => {
      const at = join(path, name);
      if (at === "cache") return [];
      const { mode, uid, gid, size, mtimeMs, nlink } = lstatSync(join(directory, at));
      const isDirectory = (mode & 0o170000) === 0o040000;
      const line = [at, mode.toString(8), uid, gid, isDirectory ? "" : `${size} ${mtimeMs}`, nlink];
      return [line.join(" "), ...(isDirectory ? listing(directory, at) : [])];
    });
}

/** The error with which a promise is rejected. */
export async function rejection(promise: Promise<unknown>): Promise<SandboxError> {
  const error: unknown = await promise.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (isSandboxError(error)) return error;
  throw new Error("it was not refused, or not by us", { cause: error });
}
