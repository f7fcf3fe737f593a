import { Writable } from "node:stream";
import type { RunOptions, SandboxResult } from "@sandboxlib/core";
import { inEveryWay } from "../way-lies.js";
import type { Liar } from "./liar.js";

/** Liars about terminals. */
export const TERMINALS: readonly Liar[] = [
  {
    does: "gives every program a terminal",
    lie: () => inEveryWay({ options: (options) => ({ ...options, tty: true }) }),
    caughtBy: ["terminals: without one"],
  },
  {
    does: "gives no program a terminal",
    lie: () => inEveryWay({ options: withoutTerminal }),
    caughtBy: [
      "terminals: one is all three",
      "terminals: there is no terminal",
      "terminals: it has the size",
      "terminals: what is typed",
      "terminals: what was shown last",
      "terminals: a program that leaves",
      "terminals: streams that",
      "terminals: a run in a pool",
    ],
  },
  {
    does: "takes death by a signal for an exit status",
    lie: () =>
      inEveryWay({
        child: ({ result }) => ({ result: result.then(asStatus) }),
      }),
    caughtBy: ["terminals: control characters"],
  },
  {
    does: "changes what is typed",
    lie: () =>
      inEveryWay({
        child: ({ stdin }) => ({
          stdin: new Writable({
            write: (chunk: Buffer, _, done) => void stdin?.write(changed(chunk), done),
          }),
        }),
      }),
    caughtBy: ["terminals: a mebibyte"],
  },
];

function withoutTerminal(options: RunOptions): RunOptions {
  const { tty: _, ...others } = options;
  return others;
}

function asStatus(result: SandboxResult): SandboxResult {
  const { signal: _, ...others } = result;
  return { ...others, exitCode: 130 };
}

function changed(chunk: Buffer): Buffer {
  return Buffer.concat([chunk.subarray(0, -1), Buffer.of(0)]);
}
