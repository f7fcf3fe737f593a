import type {
  Host,
  LauncherPlan,
  LauncherSetup,
  Refusal,
  ResolvedConfig,
} from "@sandboxlib/core/backend";
import { installedLauncher } from "./launcher.js";
import { mechanisms } from "./mechanisms.js";

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
  return {
    kind: "launcher",
    argv: [launcher.path],
    env: {},
    mechanisms,
    setup: {
      namespaces: namespacesOf(config),
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
