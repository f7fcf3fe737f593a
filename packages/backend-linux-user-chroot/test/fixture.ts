import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { linuxUserChrootAt } from "@sandboxlib/backend-linux-user-chroot";
import { type ConfigInput, run, type SandboxResult } from "@sandboxlib/core";
import { type Backend, realHost } from "@sandboxlib/core/backend";
import { addBusybox, isRequired, noBusybox } from "@sandboxlib/test-support";
import { describe } from "vitest";

/** A command of the command line, which the whole repository has: this package does not depend on it. */
export function installed(command: "run-sandbox" | "sandboxlib"): string {
  return linked("../../..", command);
}

export const dropIn: string = linked("..", "linux-user-chroot");

function linked(directory: string, command: string): string {
  return fileURLToPath(new URL(`${directory}/node_modules/.bin/${command}`, import.meta.url));
}

/** The original, where the caller names one: no distribution has it any more. */
export const original: string | undefined = process.env["SANDBOXLIB_LINUX_USER_CHROOT"];

/** Describes the backend over the drop-in and over the original, skipping what this host does not have. */
export async function describeBoth(
  title: string,
  body: (backend: Backend, program: string) => void,
): Promise<void> {
  for (const [name, path] of [
    ["the drop-in", dropIn],
    ["the original", original],
  ] as const) {
    if (path === undefined) {
      describe.skip(`${title}, by ${name} (skipped: SANDBOXLIB_LINUX_USER_CHROOT is not set)`, () =>
        body(linuxUserChrootAt("/none"), "/none"));
      continue;
    }
    const backend = linuxUserChrootAt(path);
    const probe = await backend.probe(realHost());
    const why = probe.available ? (noBusybox ?? "") : probe.reason;
    if (why !== "" && isRequired(backend.name))
      throw new Error(`SANDBOXLIB_REQUIRE names it: ${why}`);
    if (why === "") describe(`${title}, by ${name}`, () => body(backend, path));
    else describe.skip(`${title}, by ${name} (skipped: ${why})`, () => body(backend, path));
  }
}

/** A directory of the host with a root of busybox in it. */
export function smallRoot(): { directory: string; root: string; remove(): void } {
  const directory = mkdtempSync(join(tmpdir(), "sandboxlib-luc-"));
  const root = join(directory, "root");
  fillRoot(root);
  return { directory, root, remove: () => rmSync(directory, { recursive: true }) };
}

export function fillRoot(root: string): void {
  for (const name of ["data", "database", "etc", "mnt", "proc"])
    mkdirSync(join(root, name), { recursive: true });
  addBusybox(root);
}

/** Runs a script with nothing but what the config asks for. */
export async function sh(
  backend: Backend,
  [script, ...args]: readonly [string, ...string[]],
  config: ConfigInput,
): Promise<SandboxResult & { readonly out: string }> {
  const base = { mounts: [], defaultMounts: false, network: "host", isolate: [] } as const;
  const command = ["/bin/sh", "-c", script, "sh", ...args];
  const result = await run({ ...base, ...config, command }, { backend });
  return { ...result, out: Buffer.from(result.stdout ?? []).toString() };
}
