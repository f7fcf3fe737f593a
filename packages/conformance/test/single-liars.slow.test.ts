import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { allCapabilities, type Capability } from "@sandboxlib/core";
import { realHost } from "@sandboxlib/core/backend";
import { basesOf } from "@sandboxlib/core/internal";
import { skipOrRequire } from "@sandboxlib/test-support";
import { afterAll, describe, expect, it } from "vitest";
import { topics } from "../src/cases/index.js";
import { type Kit, openKit } from "../src/kit.js";
import { type Due, dueOf, proofsIn, unproved } from "../src/proofs.js";
import { findRecipe } from "../src/root/recipe.js";
import { causeOf } from "./liars/caught.js";
import { declares, everything, type Lie, nothing, says } from "./lies.js";

const directory = mkdtempSync(join(tmpdir(), "sandboxlib-single-"));
afterAll(() => rmSync(directory, { recursive: true }));

/** But for limits, which core itself keeps for whatever is started as a process of this host. */
const WORDS = allCapabilities().filter((word) => !word.startsWith("limit."));

describe("a backend that declares one word, and what that builds on, and does nothing", () => {
  it.concurrent.each(WORDS)("%s is caught", { timeout: 120_000 }, async (word) => {
    expect(await causes(word, nothing())).not.toEqual([]);
  });
});

const bwrap = realHost().which("bwrap");
/** bwrap makes a mount namespace in any case, and one of its user where it has to. */
const BY_ITSELF: readonly Capability[] = ["cwd", "root", "isolate.mount", "isolate.user"];
const { note, skip } = skipOrRequire("bubblewrap", bwrap === undefined ? "no bwrap" : undefined);

describe.skipIf(skip)(`one that has a root, and nothing else of what it declares${note}`, () => {
  const others = WORDS.filter((word) => !BY_ITSELF.includes(word));
  it.concurrent.each(others)("%s is caught", { timeout: 120_000 }, async (word) => {
    expect(await causes(word, rooted(), "root")).not.toEqual([]);
  });
});

/** Runs the program in its root and its directory. */
function rooted(): Lie {
  return says({
    plan: ({ root, cwd, env }) => ({
      kind: "tool",
      argv: [bwrap ?? "/usr/bin/bwrap", "--bind", root, "/", "--chdir", cwd, "--"],
      env,
      mechanisms: everything,
      interpret: ({ exitCode }) => ({ kind: "exited", exitCode: exitCode ?? 255 }),
    }),
  });
}

/** Why the cases that prove a word fail; that there is none counts, too. */
async function causes(word: Capability, lie: Lie, ...more: Capability[]): Promise<string[]> {
  const { backend } = declares(() => [...withBases(word), "cwd", ...more], lie);
  const kit = openKit(backend, { available: true }, findRecipe());
  const due = dueOf(topics, kit);
  if (unproved(due, kit).some(([each]) => each === word)) return ["no case proves it"];
  const proofs = proofsIn(due, kit)
    .flat()
    .filter(({ test }) => test.proves?.includes(word) === true);
  const found = await Promise.all(proofs.map((proof) => causeIn(kit, proof)));
  return found.filter((cause) => cause !== undefined);
}

function withBases(word: Capability): Capability[] {
  return [word, ...basesOf(word).flatMap(withBases)];
}

let number = 0;

function causeIn(kit: Kit, { test }: Due): Promise<string | undefined> {
  number += 1;
  return causeOf(kit, test, join(directory, String(number)));
}
