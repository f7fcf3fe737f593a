import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Capability, ConfigInput } from "@sandboxlib/core";
import { afterAll, describe, expect, test, vi } from "vitest";
import { prove } from "../src/index.js";
import { backendHere, hasProgram, scratch, withVerdict } from "./support.js";

// Of these tests alone, so that it shows what is left.
const temporary = mkdtempSync(join(tmpdir(), "sandboxlib-prove-test-"));
chmodSync(temporary, 0o755);
vi.stubEnv("TMPDIR", temporary);
afterAll(() => rmSync(temporary, { recursive: true }));

/** What each backend is asked for: as much as it has. */
const CONFIGS: Record<string, (path: string) => ConfigInput> = {
  namespaces: everything,
  bubblewrap: everything,
  "linux-user-chroot": (path) => ({
    ...most(path),
    isolate: ["mount", "pid", "ipc"],
    limits: {},
  }),
  chroot: (path) => ({
    writable: "all",
    network: "host",
    isolate: ["mount", "pid"],
    cwd: path,
    limits: { openFiles: 64 },
    user: { uid: 1234, gid: 1234 },
  }),
};

function most(path: string): ConfigInput {
  return {
    cwd: path,
    writable: [join(path, "work")],
    mounts: [
      { type: "bind", source: join(path, "shown"), target: join(path, "shown"), readOnly: true },
    ],
    limits: { openFiles: 64, fileSize: 1_000_000, coreSize: 0, addressSpace: 2 ** 29 },
  };
}

function everything(path: string): ConfigInput {
  return {
    ...most(path),
    hidden: [join(path, "secret"), join(path, "file"), join(path, "work/deep/key")],
    hostname: "proved",
  };
}

/** What has to be shown to hold on each, for every caller. */
const HELD: Record<string, readonly Capability[]> = {
  namespaces: ["writable.paths", "hidden", "mount.bind.readOnly", "mount.tmpfs", "mount.proc"],
  bubblewrap: ["writable.paths", "hidden", "mount.bind.readOnly", "mount.tmpfs", "mount.proc"],
  "linux-user-chroot": ["writable.paths", "mount.bind.readOnly", "network.none", "isolate.ipc"],
  chroot: ["mount.tmpfs", "mount.proc", "user"],
};

describe.skipIf(!hasProgram).each(Object.keys(CONFIGS))("%s", async (name) => {
  const { backend, note, skip } = await backendHere(name);

  test.skipIf(skip)(`nothing that is promised fails${note}`, { timeout: 300_000 }, async () => {
    using place = scratch();
    const before = leftIn(place.path);
    const proof = await prove(CONFIGS[name]?.(place.path) ?? {}, { backend });
    expect(withVerdict(proof, "failed")).toEqual([]);
    const held = new Set(withVerdict(proof, "held").flatMap(({ about }) => about));
    for (const word of ["tree.kill", "isolate.pid", "always", ...(HELD[name] ?? [])])
      expect([...held], word).toContain(word);
    expect(proof.backend).toBe(name);
    expect(leftIn(place.path)).toEqual(before);
  });
});

describe.skipIf(!hasProgram)("a proof", async () => {
  const { note, skip } = await backendHere("namespaces");

  test.skipIf(skip)(`tells what is open, and how to close it${note}`, async () => {
    const open = { cwd: "/", network: "host", isolate: ["mount", "pid", "user"] } as const;
    const { attacks } = await prove(open, { backend: "namespaces" });
    const one = attacks.find(({ title }) => title === "a service on localhost is connected to");
    expect(one).toMatchObject({
      about: ["network.none"],
      verdict: "not-claimed",
      succeeded: true,
      remedy: 'Set `network` to "none".',
    });
  });

  test.skipIf(skip)(`claims nothing of what the config allows${note}`, async () => {
    const user = process.getuid?.() === 0 ? { user: { uid: 1234, gid: 1234 } } : {};
    const asked = { cwd: "/", hidden: ["/etc/hostname"], ...user };
    const nesting = { ...asked, allow: ["user-namespaces"] } as const;
    const about = /user namespace is made|system calls are made|covers a hidden path|keyrings/;
    const verdicts = async (config: ConfigInput) => {
      const { attacks } = await prove(config, { backend: "namespaces" });
      const found = attacks.filter(({ title }) => about.test(title));
      return Object.fromEntries(found.map((each) => [each.title.slice(0, 16), each]));
    };
    const [kept, open] = [await verdicts(asked), await verdicts(nesting)];
    expect(Object.values(kept).map(({ verdict }) => verdict)).toEqual(Array(4).fill("held"));
    expect(open).toMatchObject({
      "a user namespace": { verdict: "not-claimed", succeeded: true, remedy: "Leave `allow` out." },
      "system calls are": { verdict: "not-claimed", succeeded: false },
      "what covers a hi": { verdict: "held" },
      "a key of the cal": { verdict: "held" },
    });
  });

  test.skipIf(skip)(`refuses a config as a run does, by name${note}`, async () => {
    const faulty = { cwd: "/nowhere" };
    await expect(prove(faulty, { backend: "namespaces" })).rejects.toMatchObject({
      code: "PATH_INVALID",
      path: "cwd",
    });
  });
});

/** What lies in the places that an attack may leave something in. */
function leftIn(path: string): unknown {
  const files = readdirSync(path, { recursive: true }).map(String).toSorted();
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n").length;
  return { files, mounts, temporary: readdirSync(temporary) };
}
