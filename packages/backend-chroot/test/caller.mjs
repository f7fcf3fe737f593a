// The caller that the tests of its death kill: starts what argv says in a sandbox and waits for it.
import { createSandbox } from "@sandboxlib/core";

const [path, root, script] = process.argv.slice(2);
const {
  default: launcher,
  utilLinuxChroot,
  posixChroot,
} = await import("@sandboxlib/backend-chroot");
const backend = { launcher, tools: utilLinuxChroot, posix: posixChroot }[path];
const sandbox = await createSandbox({ root, env: { PATH: "/bin" } }, { backend, prefer: "all" });
const child = sandbox.spawn(["sh", "-c", script], { stdout: "inherit", stderr: "inherit" });
await child.result;
