import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import bubblewrap from "@sandboxlib/backend-bubblewrap";
import { allCapabilities, type Capability } from "@sandboxlib/core";
import { type Backend, realHost } from "@sandboxlib/core/backend";
import { basesOf } from "@sandboxlib/core/internal";
import { describe, expect, it } from "vitest";
import { applies } from "../src/case.js";
import { topics } from "../src/cases/index.js";
import { refusals } from "../src/cases/refusals.js";
import { runCase } from "../src/context.js";
import { hostDebris } from "../src/debris.js";
import { newMarker } from "../src/host/processes.js";
import { describeBackend } from "../src/index.js";
import { openKit } from "../src/kit.js";
import { dueOf, unproved } from "../src/proofs.js";
import { assertExecutable, buildRoot } from "../src/root/build.js";
import { findRecipe, fromBusybox, fromHost } from "../src/root/recipe.js";

const probe = await bubblewrap.probe(realHost());

describe("the kit", () => {
  it("has a case that proves each capability, and one that refuses it", () => {
    const all = topics.flatMap(({ cases }) => cases);
    const proved = new Set(all.flatMap(({ needs = [] }) => needs));
    const refused = new Set(all.flatMap(({ lacks = [] }) => lacks));
    // None asks for the first, no config can do without the second, and core keeps the third for every backend.
    const without: Capability[] = ["mount.tmpfs.inodes", "cwd", "limit.wallTime"];
    expect(allCapabilities().filter((word) => !proved.has(word))).toEqual([]);
    expect(allCapabilities().filter((word) => !refused.has(word))).toEqual(without);
  });

  it("needs little to prove a capability: what it builds on, and a root or none", () => {
    // These are for a root that can be written, for a program of the kit's that has another uid than root's, for every
    // backend, since core keeps it, and for a terminal in a dev.
    const without: Capability[] = [
      "mount.create",
      "allow.user-namespaces",
      "limit.wallTime",
      "tty",
    ];
    const isProved = (word: Capability, ...more: readonly Capability[]): boolean => {
      const declared = [...withBases(word), "cwd", ...more] as const;
      const backend = { ...bubblewrap, capabilities: new Set<Capability>(declared) };
      const kit = openKit(backend, { available: true }, findRecipe());
      return unproved(dueOf(topics, kit), kit).every(([each]) => each !== word);
    };
    const own = allCapabilities().filter((word) => !isProved(word, "root"));
    expect(own).toEqual(without);
    const host = allCapabilities().filter((word) => !isProved(word));
    expect(host).toEqual(without);
  });
});

it("a file of another kit's case is no debris of ours", () => {
  const directory = mkdtempSync(join(tmpdir(), "sandboxlib-kit-"));
  const [own, other] = [newMarker(), "sandboxlib-kit-1-1-1"];
  for (const name of [own, other]) writeFileSync(join(directory, name), "");
  const found = hostDebris(directory).filter((path) => path.startsWith(directory));
  rmSync(directory, { recursive: true });
  expect(found).toEqual([join(directory, own)]);
});

it.skipIf(!existsSync("/dev/shm"))(
  "nor is an entry of another program in a shared directory",
  () => {
    const [own, other] = [`/dev/shm/sandboxlib-${process.pid}`, `/dev/shm/other-${process.pid}`];
    for (const path of [own, other]) writeFileSync(path, "");
    const found = hostDebris(tmpdir()).filter((path) => [own, other].includes(path));
    for (const path of [own, other]) rmSync(path);
    expect(found).toEqual([own]);
  },
);

for (const [how, find] of [
  ["a static busybox", fromBusybox],
  ["the host's own programs", fromHost],
] as const) {
  const recipe = find();
  describe("the root", () => {
    it.skipIf(recipe === undefined)(`can be built of ${how}`, () => {
      const directory = mkdtempSync(join(tmpdir(), "sandboxlib-root-"));
      try {
        if (recipe === undefined) return;
        buildRoot(join(directory, "root"), recipe);
        assertExecutable(join(directory, "root"));
        expect([...recipe.tools]).toEqual(expect.arrayContaining(["sh", "env", "cat", "ls", "id"]));
      } finally {
        rmSync(directory, { recursive: true });
      }
    });
  });
}

// A weak backend that says so passes: it is asked for nothing that it does not declare.
describeBackend(only("cwd", "tree.kill", "mount.dev"), { title: "without a root" });
describeBackend(only("cwd", "root", "mount.bind"), { title: "with a root and binds only" });

describe.skipIf(!probe.available)("a backend that this host lets down", () => {
  const gone: readonly Capability[] = ["mount.proc", "network.none", "hidden", "isolate.uts"];
  const missing = gone.map((capability) => ({ capability, reason: "this kernel is old" }));
  const kit = openKit(bubblewrap, { available: true, missing }, findRecipe());
  const due = refusals.cases.filter((test) => applies(test, kit.has));

  it("has cases for what is missing", () => {
    const told = (capability: Capability): boolean =>
      due.some(({ title }) => title.startsWith(`${capability} is refused`));
    expect(gone.filter((capability) => !told(capability))).toEqual([]);
  });

  it.each(due)("passes: $title", async ({ run }) => {
    const directory = mkdtempSync(join(tmpdir(), "sandboxlib-kit-"));
    await runCase(kit, run, join(directory, "case"));
    rmSync(directory, { recursive: true });
  });
});

function withBases(word: Capability): Capability[] {
  return [word, ...basesOf(word).flatMap(withBases)];
}

function only(...capabilities: readonly Capability[]): Backend {
  return {
    ...bubblewrap,
    capabilities: new Set(capabilities),
    partly: {},
    async probe(host) {
      const found = await bubblewrap.probe(host);
      if (!found.available) return found;
      const missing = found.missing?.filter(({ capability }) => capabilities.includes(capability));
      return { ...found, missing: missing ?? [] };
    },
    plan(config, host) {
      const plan = bubblewrap.plan(config, host);
      const mechanisms = Object.fromEntries(capabilities.map((word) => [word, "bwrap"]));
      return { ...plan, mechanisms };
    },
  };
}
