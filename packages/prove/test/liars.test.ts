import { join } from "node:path";
import type { Capability, ConfigInput } from "@sandboxlib/core";
import type { Backend } from "@sandboxlib/core/backend";
import { basesOf } from "@sandboxlib/core/internal";
import { describe, expect, test } from "vitest";
import { attacks, prove } from "../src/index.js";
import { brokenWords, hasProgram, scratch } from "./support.js";

/** Runs the program on the host, and declares that it does this and that. */
function nothing(...words: readonly Capability[]): Backend {
  return {
    apiVersion: 1,
    name: "nothing",
    capabilities: new Set(["cwd", ...words, ...words.flatMap(basesOf)]),
    probe: async () => ({ available: true }),
    plan: ({ env }) => ({
      kind: "tool",
      argv: ["/usr/bin/env", "--"],
      env,
      mechanisms: Object.fromEntries(
        ["cwd", ...words, ...words.flatMap(basesOf)].map((word) => [word, "words"]),
      ),
      interpret: ({ exitCode }) => ({ kind: "exited", exitCode: exitCode ?? 255 }),
    }),
  };
}

/** A config that asks for nothing. */
const BARE: ConfigInput = { defaultMounts: false, writable: "all", network: "host", isolate: [] };

const isRoot = process.getuid?.() === 0;

type Asking = readonly [Capability, (path: string) => ConfigInput];

/** As an unprivileged caller's, nothing of the host's devices can be changed anyway. */
const DEV: readonly Asking[] = isRoot
  ? [["mount.dev", () => ({ mounts: [{ type: "dev", target: "/dev" }] })]]
  : [];

/** What asks for each word, on a host with something to protect. */
const ASKING: readonly Asking[] = [
  ["writable.paths", (path) => ({ writable: [join(path, "work")] })],
  ["hidden", (path) => ({ hidden: [join(path, "secret"), join(path, "file")] })],
  [
    "mount.bind.readOnly",
    (path) => ({
      mounts: [
        { type: "bind", source: join(path, "shown"), target: join(path, "shown"), readOnly: true },
      ],
    }),
  ],
  ["mount.tmpfs", (path) => ({ mounts: [{ type: "tmpfs", target: join(path, "work") }] })],
  [
    "mount.tmpfs.size",
    (path) => ({ mounts: [{ type: "tmpfs", target: join(path, "work"), size: 65_536 }] }),
  ],
  ["mount.proc", () => ({ isolate: ["pid"], mounts: [{ type: "proc", target: "/proc" }] })],
  ["network.none", () => ({ network: "none" })],
  ["isolate.mount", () => ({ isolate: ["mount"] })],
  ["isolate.pid", () => ({ isolate: ["pid"] })],
  ["isolate.ipc", () => ({ isolate: ["ipc"] })],
  ["isolate.uts", () => ({ isolate: ["uts"] })],
  ["isolate.user", () => ({ isolate: ["user"] })],
  ["isolate.cgroup", () => ({ isolate: ["cgroup"] })],
  ["hostname", () => ({ isolate: ["uts"], hostname: "proved" })],
  ["seccomp", () => ({ seccomp: "default" })],
  ["user", () => ({ user: { uid: 1234, gid: 1234 } })],
  ["tree.kill", () => ({})],
  ...DEV,
];

describe.skipIf(!hasProgram)("a backend that declares one word, and does nothing", () => {
  test.each(ASKING)("fails for %s", { timeout: 60_000 }, async (word, config) => {
    using place = scratch();
    const backend = nothing(word, "isolate.pid", "tree.kill");
    const own = attacks.filter(({ about }) => about !== "always" && about.includes(word));
    const asked = { ...BARE, cwd: place.path, ...config(place.path) };
    const proof = await prove(asked, { backend }, { attacks: own });
    expect([...brokenWords(proof)]).toContain(word);
  });
});
