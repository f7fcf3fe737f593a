import { spawnSync } from "node:child_process";
import { BIN } from "./cli.js";

/** Whether this process sees what other processes of this host have left behind. */
const ROOT = process.getuid?.() === 0;
const ALONE = [
  "/usr/bin/unshare",
  "--mount",
  "--",
  "sh",
  "-c",
  'for at in /run /sys/fs/cgroup /var/tmp /tmp/sandboxlib-0; do [ ! -e $at ] || mount -t tmpfs none $at || exit; done; exec "$@"',
  "sh",
];

/** Runs `sandboxlib gc` where it cannot find what other processes have left, which could change at any time. */
export function gcAlone(
  env: Readonly<Record<string, string>>,
  ...options: readonly string[]
): [status: number | null, stdout: string] {
  const [file = "", ...argv] = [
    ...(ROOT ? ALONE : []),
    process.execPath,
    BIN.sandboxlib,
    "gc",
    ...options,
  ];
  const how = { encoding: "utf8", env: { ...process.env, ...env } } as const;
  const { status, stdout } = spawnSync(file, argv, how);
  return [status, stdout];
}
