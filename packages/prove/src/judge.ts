import type { SandboxResult } from "@sandboxlib/core";
import { few, type Line, wayOf } from "./lines.js";
import { refused, type Seen, succeeded, untried } from "./seen.js";

/** A run of the program inside. */
export interface Ran {
  readonly lines: readonly Line[];
  readonly result: SandboxResult;
}

/**
 * What an attempt has come to, by what the same attempt came to outside: where it does not succeed there, that it fails
 * inside would prove nothing.
 */
export async function judge(before: readonly Line[], attempt: () => Promise<Ran>): Promise<Seen> {
  const ways = new Set(before.flatMap(({ word, text }) => (word === "got" ? text : [])));
  if (ways.size === 0) return untried(`it fails outside as well: ${reasons(before)}`);
  return seenIn(await attempt(), ways);
}

/** What an attempt inside has come to, by itself. @param ways - Those that count; without it all. */
export function seenIn({ lines, result }: Ran, ways?: ReadonlySet<string>): Seen {
  const got = lines.filter(({ word }) => word === "got");
  if (got.length > 0) return succeeded(few(got.map(wayOf)));
  const failed = lines.filter(({ word, text }) => word === "refused" && (ways?.has(text) ?? true));
  if (failed.length > 0) return refused(reasons(failed));
  return isFiltered(result)
    ? refused("killed by SIGSYS")
    : untried(`the attempt did not end: ${ending(result)}`);
}

/** How a run ended, for people. */
export function ending(result: SandboxResult): string {
  const { outcome, exitCode, signal, exceeded } = result;
  if (outcome === "exited") return `exit status ${exitCode}`;
  return outcome === "signaled" ? signal : `${outcome}${exceeded ? ` (${exceeded.limit})` : ""}`;
}

/** Without `exit.signal` it is 128 + 31. */
function isFiltered({ signal, exitCode }: SandboxResult): boolean {
  return signal === "SIGSYS" || exitCode === 159;
}

/** The errors, each with the ways that it met. */
function reasons(lines: readonly Line[]): string {
  const byError = new Map<string, string[]>();
  for (const line of lines)
    if (line.word === "refused")
      byError.set(line.error, [...(byError.get(line.error) ?? []), wayOf(line)]);
  return [...byError].map(([error, ways]) => `${error}: ${few(ways, 2)}`).join("; ") || "no word";
}
