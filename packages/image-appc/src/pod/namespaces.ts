import { readlinkSync } from "node:fs";
import { SandboxError } from "@sandboxlib/core";
import type { Host } from "@sandboxlib/core/backend";

/** What the apps of a pod share with each other, and with nobody else. */
export const SHARED = ["network", "ipc", "uts"] as const;

/** One of {@link SHARED}. */
export type Shared = (typeof SHARED)[number];

/** A command, and the variables to add to its environment. */
export interface Inside {
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
}

/** The names of the namespaces in /proc/PID/ns. */
const FILES: Readonly<Record<Shared, string>> = { network: "net", ipc: "ipc", uts: "uts" };
/** Tells the command which process has wrapped it, and which namespaces that process is in. */
const VARIABLE = "SANDBOXLIB_POD";

/**
 * Wraps a command so that it runs in new namespaces, with a loopback and the host name `sandbox`. The sandboxes that the
 * command starts can share these namespaces. The command is killed when the process that started it dies.
 *
 * @throws SandboxError `BACKEND_UNAVAILABLE` where a tool is missing.
 */
export function insideOf(
  argv: readonly string[],
  shared: readonly Shared[],
  host: Pick<Host, "uid" | "which">,
): Inside {
  const tool = (name: string): string => host.which(name) ?? missing(name);
  const flags = shared.map((kind) => `--${FILES[kind]}`);
  // Only root can make these namespaces directly. Another user makes a user namespace first, and keeps their ids in it.
  const user = host.uid === 0 ? [] : ["--user", "--map-current-user", "--keep-caps"];
  const [hasNetwork, hasName] = [shared.includes("network"), shared.includes("uts")];
  const steps = [
    "set -e",
    ...(hasNetwork ? ['"$1" link set lo up'] : []),
    ...(hasName ? ['"$2" sandbox'] : []),
    'shift 2; exec "$@"',
  ];
  const tools = [hasNetwork ? tool("ip") : "", hasName ? tool("hostname") : ""];
  // The command gets none of the capabilities that unshare(1) has in the user namespace.
  const drop = ["--pdeathsig", "KILL", "--inh-caps=-all", "--ambient-caps=-all", "--"];
  return {
    argv: [
      ...([tool("unshare"), ...user, ...flags, "--", tool("sh"), "-c"] as const),
      steps.join("; "),
      "sh",
      ...tools,
      tool("setpriv"),
      ...drop,
      ...argv,
    ],
    env: {
      [VARIABLE]: [`of=${process.pid}`, ...shared.map((kind) => `${kind}=${numberOf(kind)}`)].join(
        " ",
      ),
    },
  };
}

/**
 * Lists the namespaces that {@link insideOf} has made for this process, which apps can share.
 *
 * @param parent - The process that has started this one. Its other descendants inherit the variable, but are no pods.
 * @throws SandboxError `VERIFY_FAILED` when one of them is the host's after all.
 */
export function sharedNamespaces(
  env: NodeJS.ProcessEnv,
  parent: number = process.ppid,
): readonly Shared[] {
  const before = new Map((env[VARIABLE] ?? "").split(" ").map((word) => pair(word)));
  if (before.get("of") !== String(parent)) return [];
  return SHARED.filter((kind) => {
    const number = before.get(kind);
    if (number === undefined) return false;
    if (number !== numberOf(kind)) return true;
    throw new SandboxError("VERIFY_FAILED", `the ${kind} namespace of the pod is the host's`);
  });
}

function pair(word: string): [string, string] {
  const at = word.indexOf("=");
  return [word.slice(0, at), word.slice(at + 1)];
}

function numberOf(kind: Shared): string {
  return readlinkSync(`/proc/self/ns/${FILES[kind]}`);
}

function missing(name: string): never {
  throw new SandboxError("BACKEND_UNAVAILABLE", `a pod needs ${name}, which is not installed`, {
    hint: "Install util-linux, iproute2 and hostname.",
  });
}
