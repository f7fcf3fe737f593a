import { type ChildProcess, spawn } from "node:child_process";
import type { Host } from "../../backend/backend.js";
import { SandboxError } from "../../result/error.js";

/** Has a process group killed should this process end before the returned function is called. */
export type Watch = (group: number) => () => void;

/**
 * Starts what has the process groups of runs killed should this process end before them, by whatever means.
 *
 * A tool alone cannot be trusted with that: bwrap, for one, arms its own parent-death signal only when its set-up is
 * done, and goes on to start the program when it is orphaned before. So one shell beside this process holds a pipe
 * from it, and kills what is left when the pipe breaks. It is there as long as this process is, for all runs.
 *
 * @throws SandboxError `LAUNCH_FAILED` when it cannot be started.
 */
export function openWatchdog(host: Host): Watch {
  if (watchdog === undefined) startWatchdog(host);
  return (group) => {
    watchedGroups.add(group);
    // A libuv pipe takes what fits at once, so the watchdog has the group before its tool goes on.
    watchdog?.stdin?.write(`+ ${group}\n`);
    return () => {
      watchedGroups.delete(group);
      watchdog?.stdin?.write(`- ${group}\n`);
    };
  };
}

const watchedGroups = new Set<number>();
let watchdog: ChildProcess | undefined;

/** Reads `+ GROUP` and `- GROUP` to the end, which is ours. */
const SCRIPT = `
groups=" "
while read -r sign group; do
  case $sign in
    +) groups="$groups$group " ;;
    -) groups="\${groups%% $group *} \${groups#* $group }" ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group"; done
`;

function startWatchdog(host: Host): void {
  const sh = host.which("sh");
  if (sh === undefined)
    throw new SandboxError("LAUNCH_FAILED", "there is no sh on this host to guard the run");
  const child = spawn(sh, ["-c", SCRIPT], {
    env: {},
    cwd: "/",
    // A session of its own: what ends this process, such as Ctrl-C, must not end it too.
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  if (child.pid === undefined) throw noWatchdog(child);
  watchdog = child;
  const forget = (): void => {
    if (watchdog === child) watchdog = undefined;
  };
  child.on("error", forget).on("exit", forget);
  child.stdin.on("error", forget);
  child.unref();
  (child.stdin as typeof child.stdin & { unref(): void }).unref();
  // Those of runs that an earlier watchdog, which somebody has killed, had in its care.
  child.stdin.write([...watchedGroups].map((group) => `+ ${group}\n`).join(""));
}

/** Node says why in an event, later; there are no pipes then. */
function noWatchdog(child: ChildProcess): SandboxError {
  child.on("error", () => undefined);
  return new SandboxError("LAUNCH_FAILED", "no process can be started to guard the run", {
    hint: "This process may have too many files open, or too many processes.",
  });
}
