import { posix } from "node:path";
import type { MountInput } from "@sandboxlib/core";
import { CliError } from "./cli-error.js";
import { hostPath } from "./host-path.js";
import { bytes } from "./number.js";

/** Reads `SRC[:DST[:ro]]`. SRC is a path of the host; an absent or empty DST is the same path. */
export function bindMount(text: string): MountInput {
  const [from = "", to, mode, ...more] = split(text);
  const what = `--bind: ${JSON.stringify(text)}`;
  const hint = "Write SRC, SRC:DST, SRC:DST:ro or SRC::ro, and `\\:` for a colon in a path.";
  if (from === "") throw new CliError(`${what} has no SRC`, { hint });
  if (more.length > 0) throw new CliError(`${what} has too many parts`, { hint });
  if (mode !== undefined && mode !== "ro") {
    throw new CliError(`${what} ends with ${JSON.stringify(mode)}, which is not \`ro\``, { hint });
  }
  if (to === "" && mode === undefined) throw new CliError(`${what} has no DST`, { hint });
  if (to !== undefined && to !== "" && !to.startsWith("/")) {
    throw new CliError(`${what}: DST ${JSON.stringify(to)} must be an absolute path inside`, {
      hint,
    });
  }
  const source = hostPath(from);
  return {
    type: "bind",
    source,
    target: to === undefined || to === "" ? source : to,
    readOnly: mode === "ro",
  };
}

/** Reads `DST[:SIZE]`. */
export function tmpfsMount(text: string): MountInput {
  const [target = "", size, ...more] = split(text);
  const what = `--tmpfs: ${JSON.stringify(text)}`;
  const hint = "Write DST or DST:SIZE, and `\\:` for a colon in a path.";
  if (target === "" || size === "" || more.length > 0) {
    throw new CliError(`${what} is not DST[:SIZE]`, { hint });
  }
  return size === undefined
    ? { type: "tmpfs", target }
    : { type: "tmpfs", target, size: bytes(`${what}: SIZE`, size) };
}

/** The mounts of a list with others added; one with the target of a listed one takes its place. */
export function withMounts(
  listed: readonly MountInput[],
  added: readonly MountInput[],
): { readonly mounts: readonly MountInput[]; readonly places: readonly number[] } {
  const mounts = [...listed];
  const places = added.map((mount) => {
    const same = listed.findIndex(({ target }) => tidy(target) === tidy(mount.target));
    // Only the first takes the place; a second one is a contradiction, which core refuses.
    const place = same !== -1 && mounts[same] === listed[same] ? same : mounts.length;
    mounts[place] = mount;
    return place;
  });
  return { mounts, places };
}

/** Splits at each colon that no backslash stands before. */
function split(text: string): string[] {
  return text.split(/(?<!\\):/).map((part) => part.replaceAll("\\:", ":"));
}

/** `/tmp/` and `/tmp` are the same target. */
function tidy(target: string): string {
  return posix.normalize(`${target}/`);
}
