import type { SandboxResult } from "@sandboxlib/core";
import {
  falsified,
  insteadOfPools,
  NOTHING,
  pools,
  setsUp,
  startedBy,
  tells,
} from "../lasting-lies.js";
import { twoFaced } from "../lies.js";
import type { Liar } from "./liar.js";

/** Liars about pools, and about what a run took. */
export const POOLS: readonly Liar[] = [
  {
    does: "keeps one sandbox for every run of a pool",
    lie: () =>
      insteadOfPools(async (sandbox) => {
        const session = await sandbox.openSession();
        const close = () => session.close();
        return {
          backend: session.backend,
          run: (argv, options) => session.run(argv, options),
          spawn: (argv, options) => sandbox.spawn(argv, options),
          ready: async () => undefined,
          close,
          [Symbol.asyncDispose]: close,
        };
      }),
    caughtBy: [
      "pools: no run",
      "pools: a stream that",
      "pools: a size",
      "the end of a pool: a sandbox that cannot",
      "the end of a pool: close ends running",
    ],
  },
  {
    does: "uses up its pool",
    lie: () => {
      let runs = 0;
      return pools(({ run }) => ({
        run: async (argv, options) => ((runs += 1) > 2 ? NOTHING : run(argv, options)),
      }));
    },
    caughtBy: ["pools: more runs"],
  },
  {
    does: "says that everything went well in a pool",
    lie: () =>
      pools(({ run, spawn }) => ({
        run: (argv, options) => run(argv, options).then(quiet, () => quiet(NOTHING)),
        spawn: (argv, options) => spawn(argv, { ...options, stdin: "discard", stderr: "discard" }),
      })),
    caughtBy: [
      "pools: a result is",
      "pools: the streams",
      "pools: a run is ended",
      "pools: a command that cannot",
    ],
  },
  {
    does: "goes on leaving processes on the host",
    lie: () =>
      startedBy(
        '(for ten in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do for one in 1 2 3 4 5 6 7 8 9 10; do sleep 30 & sleep 0.01; done; done) <&- >&- 2>&- 3>&- 4>&- & exec "$@"',
      ),
    caughtBy: [
      "the end of a pool: close ends the",
      "the end of a pool: sandboxes that wait",
      "the end of a pool: SIGKILL of the caller ends the",
    ],
  },
  {
    does: "hides the programs of the root",
    lie: () =>
      setsUp((setup) => ({
        ...setup,
        mounts: [...setup.mounts, { type: "tmpfs", target: "/bin", path: "root", create: false }],
      })),
    caughtBy: [
      "the end of a pool: SIGKILL of the caller ends a command",
      "streams of a session: a command inherits",
    ],
  },
  {
    does: "declares neither sessions nor pools, and says yes to everything",
    lie: () => twoFaced(["cwd", "root"]),
    caughtBy: ["sessions: a session is refused", "pools: a pool is refused"],
  },
  {
    does: "knows nothing of what a run took",
    lie: () =>
      tells((result) => ({ ...result, usage: { wallTime: 1, userTime: 0, systemTime: 0 } })),
    caughtBy: ["usage"],
  },
];

function quiet(result: SandboxResult): SandboxResult {
  return falsified(result, NOTHING);
}
