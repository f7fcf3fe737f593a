import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { addBusybox, isRequired, noBusybox } from "@sandboxlib/test-support";

export const dropIn: string = fileURLToPath(
  new URL("../bin/linux-user-chroot.js", import.meta.url),
);

/** The original, where the caller names one: no distribution has it any more. */
export const original: string | undefined = process.env["SANDBOXLIB_LINUX_USER_CHROOT"];

/** Why nothing can be run here, if so: a backend or a static busybox is missing. */
export function obstacle(): string | undefined {
  if (noBusybox !== undefined) return noBusybox;
  const { status, stderr } = call(dropIn, ["/", "/bin/sh", "-c", ":"]);
  if (status === 0) return undefined;
  if (isRequired("linux-user-chroot")) throw new Error(`SANDBOXLIB_REQUIRE names it: ${stderr}`);
  return stderr.trim();
}

/** Directories and files for a table of calls, and what a shell inside needs. */
export interface Place {
  readonly directory: string;
  readonly root: string;
  readonly source: string;
  readonly path: (name: string) => string;
  remove(): void;
}

export function makePlace(): Place {
  const directory = mkdtempSync(join(tmpdir(), "sandboxlib-luc-"));
  chmodSync(directory, 0o755);
  const path = (name: string): string => join(directory, name);
  for (const name of ["data/deep", "dev", "etc", "mnt/other", "proc", "tmp", "work"])
    mkdirSync(path(`root/${name}`), { recursive: true });
  addBusybox(path("root"));
  mkdirSync(path("source/sub"), { recursive: true });
  mkdirSync(path("root/opt/bin"), { recursive: true });
  writeFileSync(path("root/opt/bin/tool"), "#!/bin/sh\necho tool\n", { mode: 0o755 });
  writeFileSync(path("source/file"), "source\n");
  writeFileSync(path("root/data/file"), "data\n");
  writeFileSync(path("root/etc/plain"), "plain\n", { mode: 0o644 });
  symlinkSync("/data", path("root/link"));
  mkdirSync(path("closed"));
  chmodSync(path("closed"), 0);
  const remove = (): void => {
    chmodSync(path("closed"), 0o700);
    rmSync(directory, { recursive: true });
  };
  return { directory, root: path("root"), source: path("source"), path, remove };
}

/** Runs one of the two commands to its end. */
export function call(
  program: string,
  args: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string } = {},
): { status: number | null; stdout: string; stderr: string } {
  const env = { PATH: process.env["PATH"], ...options.env };
  return spawnSync(program, args, { encoding: "utf8", timeout: 20_000, ...options, env });
}
