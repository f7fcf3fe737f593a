import type { Verdict } from "@sandboxlib/core/backend";
import { deaf } from "../library-lies.js";
import {
  declares,
  inside,
  interprets,
  type Lie,
  nothing,
  options,
  outside,
  plans,
  plansFor,
  remembers,
  withoutReport,
} from "../lies.js";
import type { Liar } from "./liar.js";

/** Liars about commands and how they end. */
export const RUNS: readonly Liar[] = [
  {
    does: "runs the program on the host",
    lie: nothing,
    caughtBy: ["namespaces: isolate", "namespaces: network", "user: a given user has"],
  },
  {
    does: "never runs the program",
    lie: () => inside("exit 0"),
    caughtBy: [
      "ending a run: a program",
      "ending a run: an AbortSignal",
      "ending a run: kill",
      "ending a run: disposing",
      "ending a run: the usage",
      "stopped programs: a stopped process",
    ],
  },
  {
    does: "lets a shell read the command",
    lie: () => inside('eval "$*"'),
    caughtBy: ["commands: every argument", "commands: a thousand"],
  },
  {
    does: "takes a command for an option",
    lie: () => plans((plan) => ({ ...plan, argv: plan.argv.slice(0, -1) as [string] })),
    caughtBy: ["commands: a command that looks"],
  },
  {
    does: "looks commands up in a PATH of its own",
    lie: () => plansFor(({ env }) => ({ env: { ...env, PATH: "/bin" } })),
    caughtBy: ["looking commands up: a command without a slash"],
  },
  {
    does: "takes a program that could not be started for one that failed",
    lie: () =>
      interprets((end) => (end.kind === "failed" ? { kind: "exited", exitCode: 127 } : end)),
    caughtBy: ["commands: a command that does not exist", "commands: a command that cannot"],
  },
  {
    does: "turns every end into exit status 0",
    lie: () => interprets(() => ({ kind: "exited", exitCode: 0 })),
    caughtBy: [
      "exit: an exit status",
      "exit: death by signal n",
      "ending a run: SIGKILL",
      "many runs: a sandbox",
      "many runs: a run that failed",
    ],
  },
  {
    does: "takes the exit status 128+n for a signal",
    lie: () => declares((own) => [...own, "exit.signal"], interprets(highIsSignal)),
    caughtBy: ["exit: the exit status 128+n", "exit: death by a real-time"],
  },
  {
    does: "ignores SIGPIPE, as its caller does",
    lie: () => outside("trap '' PIPE; exec \"$@\""),
    caughtBy: ["exit: a program whose reader"],
  },
  {
    does: "sends signals to its tool",
    lie: () => plans(withoutReport),
    caughtBy: ["ending a run: kill"],
  },
  {
    does: "does not listen to an AbortSignal",
    lie: () => deaf(inside("exit 0")),
    caughtBy: ["ending a run: a run whose"],
  },
  {
    does: "leaves processes behind",
    lie: sharesPids,
    caughtBy: ["the tree of processes", "proc: a procfs shows", "proc: no process"],
  },
  {
    does: "takes the first config for every other",
    lie: remembers,
    caughtBy: ["many runs: two sandboxes"],
  },
];

/** No pid namespace, so that the host's procfs is all there is to show. */
function sharesPids(): Lie {
  return options(
    (words) =>
      words
        .replace("--unshare-pid\0", "")
        .replace("--die-with-parent\0", "")
        .replaceAll(/--proc\0([^\0]*)\0/g, "--ro-bind\0/proc\0$1\0"),
    withoutReport,
  );
}

function highIsSignal(end: Verdict): Verdict {
  const isHigh = end.kind === "exited" && end.exitCode > 128;
  return isHigh ? { kind: "signaled", signal: "SIGTERM" } : end;
}
