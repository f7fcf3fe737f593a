import type { Sandbox, SandboxResult } from "@sandboxlib/core";
import { printable } from "./printable.js";

/** What users should know of an image. */
export function noteLines(notes: readonly string[]): string {
  return notes.map((note) => `sandboxlib: ${printable(note)}\n`).join("");
}

/** What a sandbox does not enforce. */
export function droppedLines({ dropped }: Sandbox): string {
  return dropped
    .map(({ capability, path, reason }) => `not enforced: ${capability} (${path}): ${reason}`)
    .map((text) => `sandboxlib: ${printable(text)}\n`)
    .join("");
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
