// The caller that the tests of its death kill: writes to its tmpfs in a sandbox, and waits.

import { linuxUserChrootAt } from "@sandboxlib/backend-linux-user-chroot";
import { createSandbox } from "@sandboxlib/core";

const [program, root, mark] = process.argv.slice(2);
const mounts = [
  { type: "proc", target: "/proc" },
  { type: "tmpfs", target: "/mnt" },
];
const config = {
  root,
  defaultMounts: false,
  mounts,
  network: "host",
  isolate: ["pid"],
  env: { PATH: "/bin" },
};
const sandbox = await createSandbox(config, { backend: linuxUserChrootAt(program) });
const script = `mkdir -p /mnt/a/b; echo x > /mnt/a/b/c; chmod 0 /mnt/a; (setsid sleep ${mark} &); sleep ${mark}`;
process.stdout.write("made\n");
await Promise.all([1, 2, 3].map(() => sandbox.run(["sh", "-c", script])));
