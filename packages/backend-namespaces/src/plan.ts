import type {
  Host,
  LauncherPlan,
  LauncherSetup,
  Refusal,
  ResolvedConfig,
} from "@sandboxlib/core/backend";
import { installedLauncher } from "./launcher.js";
import { mechanisms, nestingMechanisms } from "./mechanisms.js";

/** Plans a run of the launcher. Core starts it, and sends it the set-up and the command on fd 3. */
export function plan(
  config: ResolvedConfig,
  host: Host,
  launcher: ReturnType<typeof installedLauncher> = installedLauncher(),
): LauncherPlan | Refusal {
  if ("reason" in launcher) {
    const { reason, remedy } = launcher;
    return { refusal: { path: "isolate", reason, hint: remedy } };
  }
  const { root, rootReadOnly, mounts, mirrors, hostname, idMap, overlay, seccomp } = config;
  const { uid, gid } = config.user ?? host;
  const isNesting = config.allow?.includes("user-namespaces") === true;
  if (isNesting && uid === 0) return NO_ROOT;
  return {
    kind: "launcher",
    argv: [launcher.path],
    env: {},
    mechanisms: isNesting ? nestingMechanisms : mechanisms,
    setup: {
      namespaces: namespacesOf(config),
      ...(isNesting && { nesting: true }),
      uid,
      gid,
      ...(idMap !== undefined && { idMap: { ...idMap, ...idMapTools(host) } }),
      ...(hostname !== undefined && { hostname }),
      root,
      rootReadOnly,
      ...(overlay !== undefined && { overlay }),
      mounts,
      mirrors,
      ...(seccomp !== undefined && { seccomp }),
    },
  };
}

const NO_ROOT: Refusal = {
  refusal: {
    path: "allow",
    capability: "allow.user-namespaces",
    reason:
      "the kernel lets no program with the uid 0 and without capabilities map its uid into a user namespace",
    hint: "Set `user.uid` and `user.gid` to those of another user.",
  },
};

/** The tools with which a user who is not root maps a range of ids. Root writes the maps itself. */
function idMapTools(host: Host): Pick<NonNullable<LauncherSetup["idMap"]>, "tools"> {
  const [uids, gids] = [host.which("newuidmap"), host.which("newgidmap")];
  if (host.uid === 0 || uids === undefined || gids === undefined) return {};
  return { tools: { uids, gids } };
}

function namespacesOf({ isolate, network }: ResolvedConfig): LauncherSetup["namespaces"] {
  return [
    ...(["user", "ipc", "uts", "cgroup"] as const).filter((name) => isolate.has(name)),
    ...(network === "none" ? (["network"] as const) : []),
  ];
}
