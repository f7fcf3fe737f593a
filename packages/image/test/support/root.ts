import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { realHost } from "@sandboxlib/core/backend";
import { addBusybox, noBusybox } from "@sandboxlib/test-support";

/** Makes a root with busybox, a user and a group. */
export function smallRoot(directory: string): string {
  for (const name of ["etc", "home/app"]) mkdirSync(join(directory, name), { recursive: true });
  addBusybox(directory);
  writeFileSync(
    join(directory, "etc/passwd"),
    "root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n",
  );
  writeFileSync(join(directory, "etc/group"), "root:x:0:\nextra:x:77:\n");
  writeFileSync(join(directory, "etc/motd"), "hello\n");
  return directory;
}

/** Runs a tool of the host, which must succeed. @returns its output. */
export function tool(program: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(realHost().which(program) ?? program, args, {
    encoding: "utf8",
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) throw new Error(`${program}: ${stderr}`);
  return stdout;
}

/** The end of the title of a skipped test: which tools are missing. Empty when none is. */
export function lacking(...programs: readonly string[]): string {
  const missing = programs.filter((program) => realHost().which(program) === undefined);
  const words = [...missing.map((name) => `no ${name}`), ...(noBusybox ? ["no busybox"] : [])];
  return words.length === 0 ? "" : ` (skipped: ${words.join(", ")})`;
}
