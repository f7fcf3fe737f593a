import type { Host } from "@sandboxlib/core";
import { mountCause, procCause, userNamespaceCause } from "./causes.js";
import type { Finding } from "./finding.js";

interface Trial {
  readonly what: string;
  readonly options: readonly string[];
  readonly explain: (host: Host, stderr: string) => Pick<Finding, "cause" | "fix">;
}

const USER_NAMESPACE: Trial = {
  what: "user namespaces, and mounts in them",
  options: ["--user", "--map-root-user", "--mount"],
  explain: userNamespaceCause,
};

/** They need the first: trying them without would report its cause again. */
const IN_USER_NAMESPACE: readonly Trial[] = [
  {
    what: "network namespaces",
    options: ["--user", "--map-root-user", "--net"],
    explain: userNamespaceCause,
  },
  {
    what: "pid namespaces with a procfs of their own",
    options: ["--user", "--map-root-user", "--pid", "--fork", "--mount-proc"],
    explain: procCause,
  },
];

const AS_ROOT: Trial = { what: "mounts as root", options: ["--mount"], explain: mountCause };

/** Tries what sandboxes are made of, each in a process of its own that ends at once. */
export async function tryHost(host: Host): Promise<Finding[]> {
  if (host.platform !== "linux") return [];
  const unshare = host.which("unshare");
  if (unshare === undefined) {
    const cause = "unshare(1), which tries them, is not installed";
    return [
      { what: USER_NAMESPACE.what, works: false, cause, fix: "Install the package util-linux." },
    ];
  }
  const user = await attempt(host, unshare, USER_NAMESPACE);
  const more = [...(user.works ? IN_USER_NAMESPACE : []), ...(host.uid === 0 ? [AS_ROOT] : [])];
  return [user, ...(await Promise.all(more.map(async (trial) => attempt(host, unshare, trial))))];
}

async function attempt(
  host: Host,
  unshare: string,
  { what, options, explain }: Trial,
): Promise<Finding> {
  const { exitCode, stderr } = await host.run([
    unshare,
    ...options,
    "--",
    host.which("true") ?? "/bin/true",
  ]);
  const shown = `${what} (unshare ${options.join(" ")} true)`;
  return exitCode === 0
    ? { what: shown, works: true }
    : { what: shown, works: false, ...explain(host, stderr.trim()) };
}
