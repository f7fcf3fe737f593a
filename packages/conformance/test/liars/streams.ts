import { falsified, tells } from "../lasting-lies.js";
import { inside, options, outside, plans, plansFor, withCallersEnvironment } from "../lies.js";
import { rewritten, runsBy, withFiles, withSockets } from "../stream-lies.js";
import type { Liar } from "./liar.js";

/** Liars about what goes into a program and what comes out. */
export const STREAMS: readonly Liar[] = [
  {
    does: "says something on standard output",
    lie: () => outside('echo noise; exec "$@"'),
    caughtBy: [
      "exit: a program that is quiet",
      "redirection: an output goes",
      "streams: a program that writes exactly",
    ],
  },
  {
    does: "says something on standard error",
    lie: () => outside('echo noise >&2; exec "$@"'),
    caughtBy: ["redirection: an output that is discarded", "streams: the streams of a spawned"],
  },
  {
    does: "merges standard error into standard output",
    lie: () => outside('exec "$@" 2>&1'),
    caughtBy: ["streams: standard output and standard error"],
  },
  {
    does: "holds standard error back",
    lie: () => inside('"$@" 2>/tmp/held; s=$?; cat /tmp/held >&2; exit $s'),
    caughtBy: ["redirection: standard error goes", "redirection: both outputs"],
  },
  {
    does: "feeds the program something",
    lie: () => outside('exec "$@" </etc/passwd'),
    caughtBy: ["streams: standard input is empty"],
  },
  {
    does: "gives the program no input",
    lie: () => outside('exec "$@" </dev/null'),
    caughtBy: ["redirection: standard input comes", "streams: a mebibyte"],
  },
  {
    does: "cuts the output",
    lie: () => inside('"$@" | head -c 4000'),
    caughtBy: ["streams: a program that writes more", "streams: as much", "endless output"],
  },
  {
    does: "takes what is left of an output that was cut for all of it",
    lie: () => tells((result) => falsified(result, { outcome: "exited", exitCode: 0 })),
    caughtBy: ["streams: output that was cut"],
  },
  {
    does: "hands files on that are streams",
    lie: () => runsBy(() => withFiles),
    caughtBy: [
      "files as streams: the mode",
      "files as streams: what a file had",
      "files as streams: an output that cannot",
      "files as streams: an output that is a symlink",
      "files as streams: no stream",
    ],
  },
  {
    does: "has sockets in place of files, and copies the beginning",
    lie: () => runsBy(() => withSockets),
    caughtBy: ["files as streams: a file that is a stream", "files as streams: all that"],
  },
  {
    does: "rewrites words that are not UTF-8",
    lie: () => runsBy((run) => (argv, options) => run(argv.map(rewritten), options)),
    caughtBy: ["commands: words that are not", "commands: half of"],
  },
  {
    does: "hands an fd on",
    lie: () => outside('exec "$@" 9</etc/passwd'),
    caughtBy: ["fds"],
  },
  {
    does: "hands the caller's environment on",
    lie: () => options((words) => words.replace("--clearenv\0", ""), withCallersEnvironment),
    caughtBy: ["environment: no process"],
  },
  {
    does: "adds the caller's environment",
    lie: () =>
      plansFor(({ env }) => ({ env: { ...(process.env as Record<string, string>), ...env } })),
    caughtBy: ["environment: the environment is", "environment: inheritEnv"],
  },
  {
    does: "gives its tool the caller's environment",
    lie: () => plans(withCallersEnvironment),
    caughtBy: ["plan: the tool gets"],
  },
  {
    does: "trims what variables hold",
    lie: () =>
      plansFor(({ env }) => ({
        env: Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value.trim()])),
      })),
    caughtBy: ["environment: a value"],
  },
  {
    does: "leaves variables with odd names out",
    lie: () =>
      plansFor(({ env }) => ({
        env: Object.fromEntries(Object.entries(env).filter(([name]) => /^\w+$/.test(name))),
      })),
    caughtBy: ["environment: a name"],
  },
  {
    does: "gives its tool the program's environment",
    lie: () => plans((plan, { env }) => ({ ...plan, env })),
    caughtBy: ["environment: a variable of the dynamic linker"],
  },
];
