import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Capability } from "@sandboxlib/core";
import { type Backend, realHost } from "@sandboxlib/core/backend";
import { backendNamed } from "@sandboxlib/core/internal";
import { type SkipOrRequire, skipOrRequire } from "@sandboxlib/test-support";
import { noProgram, type Proof, type Proved } from "../src/index.js";

const DROP_IN = fileURLToPath(
  new URL("../../linux-user-chroot/bin/linux-user-chroot.js", import.meta.url),
);

/** An installed backend, and whether its tests run here. */
export async function backendHere(
  name: string,
): Promise<SkipOrRequire & { readonly backend: Backend }> {
  // Where the original is not there, our drop-in is.
  process.env["SANDBOXLIB_LINUX_USER_CHROOT"] ??= DROP_IN;
  const backend = await backendNamed(name);
  const probe = await backend.probe(realHost());
  return { backend, ...skipOrRequire(name, probe.available ? undefined : probe.reason) };
}

/** A directory of the host with something to protect, not in /tmp, which the default config covers. */
export function scratch(): { readonly path: string; readonly [Symbol.dispose]: () => void } {
  const path = mkdtempSync("/var/tmp/sandboxlib-prove-test-");
  chmodSync(path, 0o755);
  for (const name of ["work", "work/deep", "shown", "secret"]) mkdirSync(join(path, name));
  for (const name of ["work/deep/key", "shown/file", "secret/key", "file"])
    writeFileSync(join(path, name), "content\n");
  return {
    path,
    [Symbol.dispose]() {
      if (existsSync(path)) rmSync(path, { recursive: true });
    },
  };
}

/** Whether the program that attacks was built: there may be no compiler. */
export const hasProgram: boolean = noProgram() === undefined;

/** The attacks with a verdict. */
export function withVerdict({ attacks }: Proof, verdict: Proved["verdict"]): Proved[] {
  return attacks.filter((attack) => attack.verdict === verdict);
}

/** The words that a proof shows to be broken. */
export function brokenWords(proof: Proof): Set<Capability> {
  return new Set(
    withVerdict(proof, "failed").flatMap(({ about }) => (about === "always" ? [] : about)),
  );
}
