import { type Sandbox, type SandboxResult, verdictOf } from "@sandboxlib/core";
import { printable } from "./printable.js";

/** What users should know of an image. */
export function noteLines(notes: readonly string[]): string {
  return notes.map((note) => `sandboxlib: ${printable(note)}\n`).join("");
}

/** What a sandbox does not enforce, and other ways to what it protects. */
export function droppedLines({ dropped, needs }: Pick<Sandbox, "dropped" | "needs">): string {
  return noteLines([
    ...dropped.map(
      ({ capability, path, reason }) => `not enforced: ${capability} (${path}): ${reason}`,
    ),
    ...needs.flatMap(({ notes = [] }) => notes),
  ]);
}

/** Which limit has ended a run, as the exit code alone does not say. */
export function limitLine(result: SandboxResult): string {
  const isLimit = result.outcome === "timed-out" || result.outcome === "limit-exceeded";
  return isLimit ? `sandboxlib: ${verdictOf(result).message}\n` : "";
}

/** What a sandbox enforced, and by what. */
export function enforcedLines({ backend, enforcement }: SandboxResult): string {
  return enforcement.enforced
    .map(({ capability, path, mechanism, checked }) => {
      const how = checked === "kernel" ? " (read back from the kernel)" : "";
      return `enforced by ${backend}: ${capability} (${path}): ${mechanism}${how}`;
    })
    .map((text) => `sandboxlib: ${printable(text)}\n`)
    .join("");
}
