import { existsSync } from "node:fs";
import { release } from "node:os";
import { manifest } from "../version.js";

/** What refuses something. */
export type Layer =
  | "seccomp"
  | "apparmor"
  | "sysctl"
  | "procfs"
  | "capability"
  | "no-new-privileges"
  | "subuid"
  | "chroot"
  | "kernel"
  | "unknown";

/** What a place is told by. */
export interface Traces {
  readonly exists: (path: string) => boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The release of the kernel. */
  readonly release: string;
}

/** A kind of host that has rules of its own, and a page in docs/hosts. */
export interface Place {
  /** What there is of it here. */
  readonly marker: string;
  readonly page: string;
  /** How the rules of a layer are lifted there. */
  readonly fixes: Fixes;
}

type Fixes = Readonly<Partial<Record<Layer, string>>>;

interface Kind extends Omit<Place, "marker"> {
  readonly marker: (traces: Traces) => string | undefined;
}

const DOCKER: Fixes = {
  seccomp: "Start the container with --security-opt seccomp=unconfined",
  apparmor: "Start the container with --security-opt apparmor=unconfined",
  procfs: "Start the container with --security-opt systempaths=unconfined",
  capability: "Start the container with --cap-add SYS_ADMIN",
  "no-new-privileges":
    "Start the container without --security-opt no-new-privileges, and the daemon without it, too",
};

/** The innermost first: of several, the first one that has a fix gives it. */
const KINDS: readonly Kind[] = [
  {
    marker: ({ env }) => variable(env, "KUBERNETES_SERVICE_HOST"),
    page: "kubernetes.md",
    fixes: {
      seccomp: "Set securityContext.seccompProfile.type of the container to Unconfined",
      apparmor: "Set securityContext.appArmorProfile.type of the container to Unconfined",
      procfs:
        "Set hostUsers of the pod to false, and securityContext.procMount of the container to Unmasked",
      capability: "Add SYS_ADMIN to securityContext.capabilities.add of the container",
      "no-new-privileges": "Set securityContext.allowPrivilegeEscalation of the container to true",
    },
  },
  {
    marker: file("/run/.containerenv"),
    page: "docker.md",
    fixes: { ...DOCKER, procfs: "Start the container with --security-opt unmask=ALL" },
  },
  { marker: file("/.dockerenv"), page: "docker.md", fixes: DOCKER },
  { marker: ({ env }) => variable(env, "GITHUB_ACTIONS"), page: "github-actions.md", fixes: {} },
  {
    marker: ({ release }) => (/microsoft/i.test(release) ? `the kernel is ${release}` : undefined),
    page: "wsl2.md",
    fixes: { kernel: "Have Windows run this distribution under WSL 2: wsl --set-version NAME 2" },
  },
  {
    marker: file("/opt/google/cros-containers"),
    page: "chromeos.md",
    fixes: {
      procfs:
        "In crosh (Ctrl+Alt+T): vsh termina, then lxc config set penguin security.nesting true, and restart Linux",
    },
  },
];

/** The kinds of host that this one shows the markers of. */
export function placesOf(traces: Traces): Place[] {
  return KINDS.flatMap(({ marker, page, fixes }) => {
    const found = marker(traces);
    return found === undefined ? [] : [{ marker: found, page, fixes }];
  });
}

/** The same of this very host. */
export function placesHere(): Place[] {
  return placesOf({ exists: existsSync, env: process.env, release: release() });
}

/** The addresses of their pages, in the repository that this package names. */
export function pagesHere(): { readonly marker: string; readonly url: string }[] {
  const base = manifest()
    .repository.url.replace(/^git\+/, "")
    .replace(/\.git$/, "");
  const url = (page: string): string => `${base}/blob/main/docs/hosts/${page}`;
  return placesHere().map(({ marker, page }) => ({ marker, url: url(page) }));
}

function file(path: string): Kind["marker"] {
  return ({ exists }) => (exists(path) ? `${path} is there` : undefined);
}

function variable(env: Traces["env"], name: string): string | undefined {
  const value = env[name] ?? "";
  return value === "" ? undefined : `${name} is set`;
}
