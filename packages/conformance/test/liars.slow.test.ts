import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import bubblewrap from "@sandboxlib/backend-bubblewrap";
import namespaces from "@sandboxlib/backend-namespaces";
import { createPool, createSandbox } from "@sandboxlib/core";
import { type Backend, type Probe, realHost } from "@sandboxlib/core/backend";
import { isRequired } from "@sandboxlib/test-support";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { applies, obstacle } from "../src/case.js";
import { topics } from "../src/cases/index.js";
import { endSurvivors, markDescendants } from "../src/host/survivors.js";
import { type Library, openKit } from "../src/kit.js";
import { findRecipe } from "../src/root/recipe.js";
import { all, casesOf, causeOf } from "./liars/caught.js";
import { liars } from "./liars/index.js";
import type { Liar } from "./liars/liar.js";

const probes = new Map<Backend, Probe>();
for (const base of [bubblewrap, namespaces])
  probes.set(base, claiming(await base.probe(realHost())));
const recipe = findRecipe();

describe("the kit", () => {
  it("knows the cause of every liar's failures", () => {
    expect(Object.keys(causes).sort()).toEqual(liars.map(({ does }) => does).sort());
  });

  it("has no two cases with one title", () => {
    const titles = all().map(([title]) => title);
    expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([]);
  });

  it("has a liar for every case", () => {
    const known = new Set(liars.flatMap((liar) => casesOf(liar).map(([title]) => title)));
    expect(
      all()
        .map(([title]) => title)
        .filter((title) => !known.has(title)),
    ).toEqual([]);
  });
});

/** What the first line of a cause is, for each liar: what differs between runs and hosts is written as `...`. */
const causes: Readonly<Record<string, readonly string[]>> = JSON.parse(
  readFileSync(join(import.meta.dirname, "liars/causes.json"), "utf8"),
);

function isCauseOf({ does, mayEndIn }: Liar, cause: string): boolean {
  const literal = (part: string): string => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const known = (causes[does] ?? []).map(
    (line) => new RegExp(`^${line.split("...").map(literal).join(".*")}$`),
  );
  return mayEndIn?.test(cause) === true || known.some((pattern) => pattern.test(cause));
}

/** Those that no other may run beside. */
const alone = new Set(topics.flatMap(({ cases, isAlone }) => (isAlone === true ? cases : [])));

describe("liars", () => {
  let directory = "";
  beforeAll(() => {
    markDescendants();
    directory = mkdtempSync(join(tmpdir(), "sandboxlib-liars-"));
  });
  afterAll(() => {
    // Some leave processes on purpose, and those have children of their own.
    endSurvivors();
    rmSync(directory, { recursive: true });
  });

  for (const [number, liar] of liars.entries()) {
    const { base = bubblewrap } = liar.lie();
    const probe = probes.get(base);
    const reason = whyNot(liar, base, probe);
    const title = `one that ${liar.does} is caught${reason === undefined ? "" : ` (skipped: ${reason})`}`;
    const isAlone = casesOf(liar).some(([, test]) => alone.has(test));
    const check = async (): Promise<void> => {
      for (const [index, [name, test]] of casesOf(liar).entries()) {
        const { backend, library } = liar.lie();
        const kit = openKit(backend, available(probe), recipe, unverified(library));
        expect(applies(test, kit.has), `${name} applies`).toBe(true);
        if (obstacle(test, kit) !== undefined) continue;
        const cause = await causeOf(kit, test, join(directory, `${number}-${index}`));
        expect(cause, `caught by: ${name}`).toBeDefined();
        if (cause !== undefined && !isCauseOf(liar, cause))
          expect.fail(
            `caught by: ${name}: for another reason than liars/causes.json has: ${cause}`,
          );
      }
    };
    if (reason !== undefined) it.skip(title, check);
    else (isAlone ? it : it.concurrent)(title, check, 240_000);
  }
});

/** Has core verify no sandbox, so that it is the case that sees through a liar. */
function unverified(library: Partial<Library> = {}): Partial<Library> {
  return {
    createSandbox: (config, options) => createSandbox(config, { ...options, verify: "never" }),
    createPool: (config, options) => createPool(config, { ...options, verify: "never" }),
    ...library,
  };
}

function whyNot({ onlyRoot }: Liar, { name }: Backend, probe: Probe | undefined) {
  if (onlyRoot === true && process.getuid?.() !== 0) return "only root can do that";
  return probe?.available === true || isRequired(name) ? undefined : `no ${name}`;
}

/** Liars about users, and about user namespaces, say that they can do what bubblewrap by itself cannot for root. */
function claiming(probe: Probe): Probe {
  if (!probe.available) return probe;
  return {
    ...probe,
    missing:
      probe.missing?.filter(
        ({ capability }) => capability !== "user" && capability !== "allow.user-namespaces",
      ) ?? [],
  };
}

function available(probe: Probe | undefined): Extract<Probe, { available: true }> {
  if (probe?.available === true) return probe;
  throw new Error(probe?.reason);
}
