import { readFileSync, realpathSync } from "node:fs";
import { userInfo } from "node:os";
import type { Host } from "@sandboxlib/core/backend";
import { importedBy, installedBackends } from "@sandboxlib/core/internal";
import { attempt } from "./attempt.js";
import { type Place, placesHere } from "./places.js";

/** What is known of the host when something was refused. */
export interface Observed {
  readonly uid: number;
  /** The name of the user; undefined where passwd(5) has none. */
  readonly user: string | undefined;
  /** A file of the host; undefined when it is not there or cannot be read. */
  readonly read: (path: string) => string | undefined;
  /** The tools that are installed, of those that are asked for. */
  readonly has: (tool: string) => boolean;
  readonly places: readonly Place[];
  /** The programs that make user namespaces for backends; looked for where AppArmor restricts those. */
  readonly programs: readonly Program[];
}

/** A program that makes user namespaces for a backend. */
export interface Program {
  /** Of its profile for AppArmor. */
  readonly name: string;
  /** Its real path. */
  readonly path: string;
  /** Whether it can make them here. */
  readonly works: boolean;
}

/** AppArmor's switch. */
export const RESTRICTED = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";

/** Looks at this host. */
export async function observe(host: Host): Promise<Observed> {
  return {
    uid: host.uid,
    user: userName(),
    read,
    has: (tool) => host.which(tool) !== undefined,
    places: placesHere(),
    programs: read(RESTRICTED) === "1" ? await programs(host) : [],
  };
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trimEnd();
  } catch {
    return undefined;
  }
}

function userName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}

/** Each is tried by itself: a profile lets one program make user namespaces that unshare(1) cannot. */
export async function programs(host: Host): Promise<Program[]> {
  const launcher = await launcherPath();
  const bwrap = host.which("bwrap");
  const options = ["--unshare-user", "--ro-bind", "/", "/", "--"];
  const tried: readonly (readonly [string, string | undefined, readonly string[]])[] = [
    ["sandboxlib-launcher", launcher, ["probe"]],
    ["sandboxlib-bwrap", bwrap, [...options, host.which("true") ?? "/bin/true"]],
  ];
  const found = tried.map(async ([name, at, args]) => {
    if (at === undefined) return [];
    const path = realpathSync(at);
    const { state } = await attempt([path, ...args]);
    return [{ name, path, works: state === "worked" }];
  });
  return (await Promise.all(found)).flat();
}

/** The launcher of the installed backends, which they find beside them. */
async function launcherPath(): Promise<string | undefined> {
  for (const backend of installedBackends()) {
    const launcher = (await importedBy(backend, "@sandboxlib/launcher")) as Launcher | undefined;
    const found = launcher?.findLauncher();
    if (found?.path !== undefined) return found.path;
  }
  return undefined;
}

interface Launcher {
  findLauncher(): { readonly path?: string };
}
