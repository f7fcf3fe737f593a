import type { Capability, Need } from "../capability/capability.js";
import type { Config, Mount } from "../config/types.js";
import { limitsIn } from "../config/types.js";
import { SandboxError } from "../result/error.js";

/**
 * Which capabilities a config asks for, each with the field that asks. A field left at its default asks too.
 *
 * @throws SandboxError `CONFIG_INVALID` for what has not been parsed.
 */
export function needs(config: Config): Need[] {
  if (!LISTS.every((field) => Array.isArray(config?.[field])))
    throw new SandboxError("CONFIG_INVALID", "config: it has not been parsed", {
      path: "config",
      hint: "Give `needs` what `parseConfig` returns.",
    });
  return [
    ...fileSystemNeeds(config),
    ...config.mounts.flatMap(mountNeeds),
    ...programNeeds(config),
    ...isolationNeeds(config),
    // Every config asks for it: a run that leaves processes behind was not contained.
    need("tree.kill", "command"),
  ];
}

const LISTS = ["hidden", "mounts", "inheritEnv", "isolate", "allow"] as const;

function fileSystemNeeds(config: Config): Need[] {
  const found: Need[] = [];
  if (config.root !== "/") found.push(need("root", "root"));
  if (config.overlay !== undefined) found.push(need("root.overlay", "overlay"));
  if (config.writable !== "all") found.push(need("writable.paths", "writable"));
  if (config.hidden.length > 0) found.push(need("hidden", "hidden"));
  return found;
}

function mountNeeds(mount: Mount, index: number): Need[] {
  const path = `mounts[${index}]`;
  const found = [need(`mount.${mount.type}`, path)];
  if (mount.type === "bind" && mount.readOnly)
    found.push(need("mount.bind.readOnly", `${path}.readOnly`));
  if (mount.type === "tmpfs" && mount.size !== undefined)
    found.push(need("mount.tmpfs.size", `${path}.size`));
  return found;
}

function programNeeds(config: Config): Need[] {
  const found = [need("cwd", "cwd")];
  const loader = [...Object.keys(config.env), ...config.inheritEnv].find(isLoaderVariable);
  if (loader !== undefined)
    found.push(need("env.loader", loader in config.env ? `env.${loader}` : "inheritEnv"));
  if (config.user !== undefined) found.push(need("user", "user"));
  if (config.user?.range !== undefined) found.push(need("user.range", "user.range"));
  return [...found, ...limitNeeds(config)];
}

function limitNeeds({ limits }: Config): Need[] {
  return limitsIn(limits).flatMap((name) =>
    name === "swap" ? [] : [need(`limit.${name}`, `limits.${name}`)],
  );
}

function isolationNeeds(config: Config): Need[] {
  const found = config.isolate.map((namespace) => need(`isolate.${namespace}`, "isolate"));
  if (config.network === "none") found.push(need("network.none", "network"));
  if (config.hostname !== undefined) found.push(need("hostname", "hostname"));
  if (config.seccomp !== undefined && config.seccomp !== "none")
    found.push(need("seccomp", "seccomp"));
  if (config.allow.length > 0 && config.seccomp === undefined) found.push(need("seccomp", "allow"));
  return [...found, ...[...new Set(config.allow)].map((name) => need(`allow.${name}`, "allow"))];
}

function need(capability: Capability, path: string): Need {
  return { capability, path };
}

/**
 * Whether a variable steers the dynamic linker or the C library of whichever process carries it, so that a backend
 * that must pass it through a tool on the host would let the config run code outside. The list follows ld.so(8)
 * and the variables that glibc removes in secure-execution mode, and dyld(1) for macOS.
 */
function isLoaderVariable(name: string): boolean {
  return name.startsWith("LD_") || name.startsWith("DYLD_") || LIBC.has(name);
}

const LIBC: ReadonlySet<string> = new Set([
  "GCONV_PATH",
  "GETCONF_DIR",
  "GLIBC_TUNABLES",
  "HOSTALIASES",
  "LOCALDOMAIN",
  "LOCPATH",
  "MALLOC_CHECK_",
  "MALLOC_TRACE",
  "NIS_PATH",
  "NLSPATH",
  "RESOLV_HOST_CONF",
  "RES_OPTIONS",
  "TZDIR",
]);
