import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { realHost } from "@sandboxlib/core/backend";
import { bare } from "../spawn.mjs";

const SYSTEM = /^(usr|bin|sbin|lib.*|etc)$/;

/** runc or crun, on a bundle whose read-only root shows the host's programs and nothing else. Needs root. */
export function oci(program, options = []) {
  return async ({ argv, binds }) => {
    const path = realHost().which(program);
    if (path === undefined) return { skipped: `${program} is not installed` };
    const directory = mkdtempSync(join(tmpdir(), "sandboxlib-bench-"));
    makeBundle(directory, argv, binds);
    const state = ["--root", join(directory, "state")];
    let count = 0;
    const run = () => {
      count += 1;
      const id = `sandboxlib-bench-${process.pid}-${count}`;
      return bare([path, ...options, ...state, "run", "--bundle", directory, id]);
    };
    const close = () => rmSync(directory, { recursive: true, force: true });
    try {
      await run();
    } catch (error) {
      close();
      return { skipped: `it fails here: ${error.message.trim()}` };
    }
    return { run, close };
  };
}

/** The host's root itself cannot be the bundle's: pivot_root(2) wants another mount. */
function makeBundle(directory, argv, binds) {
  mkdirSync(join(directory, "rootfs"));
  const system = [];
  for (const name of readdirSync("/").filter((entry) => SYSTEM.test(entry))) {
    const path = join("/", name);
    if (lstatSync(path).isSymbolicLink()) {
      symlinkSync(readlinkSync(path), join(directory, "rootfs", name));
    } else {
      system.push({ source: path, target: path });
    }
  }
  const config = bundleConfig(argv, [...system, ...binds], binds.length === 0);
  writeFileSync(join(directory, "config.json"), JSON.stringify(config));
}

function bundleConfig(args, binds, withTmp) {
  const mount = (destination, type, options) => ({ destination, type, source: type, options });
  return {
    ociVersion: "1.0.2",
    process: { args, cwd: "/", env: [], user: { uid: 0, gid: 0 }, noNewPrivileges: true },
    root: { path: "rootfs", readonly: true },
    hostname: "sandbox",
    mounts: [
      mount("/proc", "proc", []),
      mount("/dev", "tmpfs", ["nosuid", "mode=755"]),
      ...(withTmp ? [mount("/tmp", "tmpfs", ["mode=1777"])] : []),
      ...binds.map(({ source, target }) => ({
        destination: target,
        type: "bind",
        source,
        options: ["rbind", "ro"],
      })),
    ],
    linux: {
      namespaces: ["mount", "pid", "ipc", "uts", "network", "cgroup"].map((type) => ({ type })),
    },
  };
}
