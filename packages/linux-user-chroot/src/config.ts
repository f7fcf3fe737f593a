import { hostname } from "node:os";
import { posix } from "node:path";
import type { ConfigInput, MountInput, Namespace } from "@sandboxlib/core";
import { isExactVariable } from "@sandboxlib/core/internal";
import type { CommandLine } from "./command-line.js";
import { type Fatal, failed, isFatal } from "./fatal.js";
import { lookUp, type Tree, treeOf } from "./tree.js";

/** Turns the arguments into a config. As in the original, what they do not mention is shared with the host. */
export function configOf(line: CommandLine): ConfigInput | Fatal {
  const tree = treeOf(line.rootDir, line.mounts);
  if (isFatal(tree)) return tree;
  const cwd = cwdOf(line, tree);
  if (isFatal(cwd)) return cwd;
  const env = environment();
  const wrong = Object.entries(env).find((variable) => !isExactVariable(...variable));
  if (wrong !== undefined) return { fatal: `the variable ${wrong[0]} is not UTF-8: unset it` };
  const { unshare } = line;
  const isolate: Namespace[] = ["mount"];
  if (unshare.has("pid")) isolate.push("pid");
  if (unshare.has("ipc")) isolate.push("ipc", "uts");
  return {
    root: tree.root,
    writable: tree.rootReadOnly ? [] : "all",
    mounts: mountsOf(tree),
    defaultMounts: false,
    cwd,
    env,
    network: unshare.has("net") ? "none" : "host",
    isolate,
    // As the original, unless it is told --seccomp-profile-version, which is refused.
    seccomp: "none",
    // A new UTS namespace keeps the name of the host in the original. A name that no config allows is left out.
    ...(unshare.has("ipc") && HOST_NAME.test(hostname()) && { hostname: hostname() }),
    ...userOf(process.getuid?.() ?? 0, process.getgid?.() ?? 0),
  };
}

const HOST_NAME = /^[a-z0-9]([a-z0-9.-]{0,62}[a-z0-9])?$/i;

function mountsOf({ mounts }: Tree): MountInput[] {
  return [...mounts.values()].flatMap((mount): MountInput[] => {
    const { type, target } = mount;
    if (type === "bind") return [{ type, target, source: mount.source, readOnly: mount.readOnly }];
    return type === "proc" || type === "dev" ? [{ type, target }] : [];
  });
}

/** Finds the working directory. A relative path starts at the new root. */
function cwdOf({ chdir }: CommandLine, tree: Tree): string | Fatal {
  if (chdir.split("/").includes(".."))
    return { fatal: `--chdir ${JSON.stringify(chdir)}: must not contain ".."` };
  const at = lookUp(tree, posix.join("/", chdir), "chdir");
  if (isFatal(at) || at.kind === "directory") return isFatal(at) ? at : at.path;
  return failed("chdir", Object.assign(new Error(), { code: "ENOTDIR" }));
}

/** The variables of this command, except for the one that the config sets and the one that is for this command. */
function environment(): Record<string, string> {
  const { PWD: _, SANDBOXLIB_PASS_FDS: __, ...env } = process.env;
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** The program gets the ids of the caller. As in the original, the number of the uid replaces the group 0. */
function userOf(uid: number, gid: number): Pick<ConfigInput, "user"> {
  return gid === 0 && uid !== 0 ? { user: { uid, gid: uid } } : {};
}
