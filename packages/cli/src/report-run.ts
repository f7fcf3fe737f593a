import { type Sandbox, type SandboxResult, verdictOf } from "@sandboxlib/core";
import { printable } from "./output.js";

/** Messages of a sandbox or an image, one on each line. */
export function noteLines(notes: readonly string[]): string {
  return notes.map((note) => `sandboxlib: ${printable(note)}\n`).join("");
}

/** What a sandbox does not enforce, and what its backend says about other ways to reach what it protects. */
export function droppedLines({ dropped, needs }: Pick<Sandbox, "dropped" | "needs">): string {
  return noteLines([
    ...dropped.map(
      ({ capability, path, reason }) => `not enforced: ${capability} (${path}): ${reason}`,
    ),
    ...needs.flatMap(({ notes = [] }) => notes),
  ]);
}

/** The limit that ended a run, which the exit code alone does not tell; empty if none did. */
export function limitLine(result: SandboxResult): string {
  const isLimit = result.outcome === "timed-out" || result.outcome === "limit-exceeded";
  return isLimit ? `sandboxlib: ${verdictOf(result).message}\n` : "";
}

/** What a sandbox enforced, by which mechanism, and whether that was read back from the kernel. */
export function enforcedLines({ backend, enforcement }: SandboxResult): string {
  return enforcement.enforced
    .map(({ capability, path, mechanism, known }) => {
      const how = known === "verified" ? " (read back from the kernel)" : "";
      return `enforced by ${backend}: ${capability} (${path}): ${mechanism}${how}`;
    })
    .map((text) => `sandboxlib: ${printable(text)}\n`)
    .join("");
}
