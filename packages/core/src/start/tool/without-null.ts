import { statSync } from "node:fs";
import type { StdioTargets } from "../../backend/stdio.js";

/**
 * What Node gives for `ignore` is the host's null device, whose mode its owner can change through any fd. Such a caller's
 * programs have pipes in its place: one that has ended, and ones that this process empties.
 */
export function withoutNull({ stdin, stdout, stderr, ...rest }: StdioTargets): StdioTargets {
  const isOwner = process.geteuid?.() === 0 || statSync("/dev/null").uid === process.geteuid?.();
  const other = <AnyWire>(wire: AnyWire): AnyWire | "relay" =>
    isOwner && wire === "discard" ? "relay" : wire;
  return { ...rest, stdin: other(stdin), stdout: other(stdout), stderr: other(stderr) };
}
