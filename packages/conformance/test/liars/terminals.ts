import { writeSync } from "node:fs";
import { Writable } from "node:stream";
import type { RunOptions, SandboxResult } from "@sandboxlib/core";
import { falsified } from "../lasting-lies.js";
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
    does: "types into the terminals that it is given",
    lie: () => inEveryWay({ options: typed }),
    caughtBy: ["typing"],
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

function typed(options: RunOptions): RunOptions {
  const { stdin } = options;
  if (typeof stdin === "object" && "fd" in stdin) writeSync(stdin.fd, "typed");
  return options;
}

function withoutTerminal(options: RunOptions): RunOptions {
  const { tty: _, ...others } = options;
  return others;
}

function asStatus(result: SandboxResult): SandboxResult {
  return falsified(result, { signal: undefined, exitCode: 130 });
}

function changed(chunk: Buffer): Buffer {
  return Buffer.concat([chunk.subarray(0, -1), Buffer.of(0)]);
}
