import type { Exceeded, SandboxResult } from "@sandboxlib/core";
import { falsified, tells } from "../lasting-lies.js";
import { inEveryWay } from "../way-lies.js";
import type { Liar } from "./liar.js";

const CPU_TIME: Exceeded = { limit: "cpuTime", seconds: 60 };

/** Liars about limits. */
export const LIMITS: readonly Liar[] = [
  {
    does: "sets no limits",
    lie: () => inEveryWay({ config: (config) => ({ ...config, limits: {} }) }),
    caughtBy: [
      "limits: limits.",
      "limits: a limit that the kernel",
      "limits: few open files",
      "limits: a command of a session has",
      "limits: a run in a pool",
    ],
  },
  {
    does: "sets limits of its own",
    lie: () => inEveryWay({ config: (config) => ({ ...config, limits: { openFiles: 40 } }) }),
    caughtBy: ["limits: limits that"],
  },
  {
    does: "does not tell which limit ended a program",
    lie: () => tells(asSignaled),
    caughtBy: [
      "limits: a program that uses up",
      "limits: a program that ignores",
      "limits: a file grows",
      "limits: a command of a session that",
      "limits on the whole of a sandbox: a program that wants",
      "limits on the whole of a sandbox: a fork bomb",
      "limits on the whole of a sandbox: one command of a session",
      "limits on the whole of a sandbox: a run in a pool",
    ],
  },
  {
    does: "takes every end for a limit",
    lie: () =>
      tells((result) => falsified(result, { outcome: "limit-exceeded", exceeded: CPU_TIME })),
    caughtBy: ["limits: SIGKILL that", "limits: a program that a limit gives"],
  },
  {
    does: "takes every end for a good one",
    lie: () => tells((result) => falsified(result, { outcome: "exited", exitCode: 0 })),
    caughtBy: ["limits: a program that asks for more"],
  },
  {
    does: "tells of no core dump",
    lie: () => tells(withoutDump),
    caughtBy: ["limits: a core dump"],
  },
];

function asSignaled(result: SandboxResult): SandboxResult {
  return falsified(result, { outcome: "signaled", exceeded: undefined });
}

function withoutDump(result: SandboxResult): SandboxResult {
  const { coreDumped: _, ...others } = result;
  return others;
}
