import type { ConfigInput } from "@sandboxlib/core";
import { edited, NOTHING } from "../lasting-lies.js";
import { nothing } from "../lies.js";
import { inEveryWay } from "../way-lies.js";
import type { Liar } from "./liar.js";

type Limits = NonNullable<ConfigInput["limits"]>;

/** Liars about limits on the whole of a sandbox. */
export const CGROUPS: readonly Liar[] = [
  {
    does: "gives ten times the memory, and as many processes",
    lie: () => inEveryWay(limits(tenfold)),
    caughtBy: [
      "limits on the whole of a sandbox: what a program writes",
      "limits on the whole of a sandbox: a fork beyond",
    ],
  },
  {
    does: "has no cgroups",
    lie: () => inEveryWay(limits(() => ({}))),
    caughtBy: [
      "limits on the whole of a sandbox: a part",
      "limits on the whole of a sandbox: a share",
      "limits on the whole of a sandbox: the sandbox's cgroup",
    ],
  },
  {
    does: "shows the host's cgroups",
    lie: () =>
      inEveryWay({
        config: (config) => ({ ...config, isolate: ["mount", "pid", "ipc", "uts", "user"] }),
      }),
    caughtBy: ["limits on the whole of a sandbox: inside"],
  },
  {
    does: "leaves cgroups to the program",
    lie: nothing,
    caughtBy: ["limits on the whole of a sandbox: a program cannot leave"],
  },
  {
    does: "takes no notice of a limit on a session that a command asks for",
    lie: () =>
      edited(({ run }) => ({
        run: (argv, options) => run(argv, options).catch(() => NOTHING),
      })),
    caughtBy: ["limits on the whole of a sandbox: a command of a session"],
  },
];

function limits(edit: (limits: Limits) => Limits) {
  return {
    config: (config: ConfigInput): ConfigInput => ({
      ...config,
      limits: edit(config.limits ?? {}),
    }),
  };
}

function tenfold({ memory, processes, ...others }: Limits): Limits {
  return {
    ...others,
    ...(memory !== undefined && { memory: memory * 10 }),
    ...(processes !== undefined && { processes: processes * 10 }),
  };
}
