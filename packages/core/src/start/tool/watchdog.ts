import { type ChildProcess, spawn } from "node:child_process";
import type { Host } from "../../backend/backend.js";
import { SandboxError } from "../../result/error.js";

/**
 * Has a process group killed, or a script run after that, should this process end before the returned function is
 * called.
 */
export type Watch = (item: number | WatchedScript) => () => void;

/** A script, and the file in which it lies for people. That is removed, and never read: a program may have written it. */
export interface WatchedScript {
  /** Its path, which holds nothing that is special to a shell. */
  readonly file: string;
  readonly text: string;
}

/**
 * Starts what has the process groups of runs killed, and their scripts run, should this process end before them, by
 * whatever means. The file of a script that succeeds is removed; that of one that fails, or takes more than ten seconds,
 * is left for a person.
 *
 * A tool alone cannot be trusted with that: bwrap, for one, arms its own parent-death signal only when its set-up is
 * done, and goes on to start the program when it is orphaned before. So one shell beside this process holds a pipe
 * from it, and kills what is left when the pipe breaks. It is there as long as this process is, for all runs.
 *
 * @throws SandboxError `LAUNCH_FAILED` when it cannot be started.
 */
export function openWatchdog(host: Host): Watch {
  if (watchdog === undefined) startWatchdog(host);
  return (item) => {
    const name = typeof item === "number" ? `${item}` : `s${(lastScript += 1)}`;
    const line = typeof item === "number" ? name : `${name} ${item.file} ${escaped(item.text)}`;
    watched.set(name, line);
    // A libuv pipe takes what fits at once, so the watchdog has the group before its tool goes on.
    watchdog?.stdin?.write(`+ ${line}\n`);
    return () => {
      watched.delete(name);
      watchdog?.stdin?.write(`- ${name}\n`);
    };
  };
}

/** For the `%b` of printf(1). */
function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

/** The lines about what is watched, by its name: the number of a process group, or that of a script. */
const watched = new Map<string, string>();
let lastScript = 0;
let watchdog: ChildProcess | undefined;

/** Reads `+ GROUP`, `+ SCRIPT FILE TEXT` and `- NAME` to the end, which is ours. */
const SCRIPT = `
items=" "
while read -r sign item file text; do
  case $sign in
    +) items="$items$item "; eval "file_$item=\\$file text_$item=\\$text" ;;
    -) items="\${items%% $item *} \${items#* $item }"; unset "file_$item" "text_$item" ;;
  esac
done
for item in $items; do
  case $item in
    s*) ;;
    *) kill -s KILL -- "-$item" ;;
  esac
done
for item in $items; do
  case $item in
    s*)
      eval "file=\\$file_$item text=\\$text_$item"
      { "$@" "$0" -c "$(printf %b "$text")" && rm -f -- "$file"; } &
      ;;
  esac
done
wait
`;

function startWatchdog(host: Host): void {
  const sh = host.which("sh");
  if (sh === undefined)
    throw new SandboxError("LAUNCH_FAILED", "there is no sh on this host to guard the run");
  const timeout = host.which("timeout");
  const limit = timeout === undefined ? [] : [timeout, "-s", "KILL", "10"];
  const child = spawn(sh, ["-c", SCRIPT, sh, ...limit], {
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
  child.stdin.write([...watched.values()].map((line) => `+ ${line}\n`).join(""));
}

/** Node says why in an event, later; there are no pipes then. */
function noWatchdog(child: ChildProcess): SandboxError {
  child.on("error", () => undefined);
  return new SandboxError("LAUNCH_FAILED", "no process can be started to guard the run", {
    hint: "This process may have too many files open, or too many processes.",
  });
}
