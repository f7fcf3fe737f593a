import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import bubblewrap from "@sandboxlib/backend-bubblewrap";
import namespaces from "@sandboxlib/backend-namespaces";
import { type Backend, type Probe, realHost } from "@sandboxlib/core/backend";
import { isRequired } from "@sandboxlib/test-support";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { applies, obstacle } from "../src/case.js";
import { topics } from "../src/cases/index.js";
import { openKit } from "../src/kit.js";
import { findRecipe } from "../src/root/recipe.js";
import { all, casesOf, isCaught } from "./liars/caught.js";
import { liars } from "./liars/index.js";

const probes = new Map<Backend, Probe>();
for (const base of [bubblewrap, namespaces])
  probes.set(base, claiming(await base.probe(realHost())));
const recipe = findRecipe();

describe("the kit", () => {
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

/** Those that no other may run beside. */
const alone = new Set(topics.flatMap(({ cases, isAlone }) => (isAlone === true ? cases : [])));

describe("liars", () => {
  let directory = "";
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "sandboxlib-liars-"));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  for (const [number, liar] of liars.entries()) {
    const { base = bubblewrap } = liar.lie();
    const probe = probes.get(base);
    const skipped = probe?.available !== true && !isRequired(base.name);
    const title = `one that ${liar.does} is caught${skipped ? ` (skipped: no ${base.name})` : ""}`;
    const isAlone = casesOf(liar).some(([, test]) => alone.has(test));
    const check = async (): Promise<void> => {
      for (const [index, [name, test]] of casesOf(liar).entries()) {
        const { backend, library } = liar.lie();
        const kit = openKit(backend, available(probe), recipe, library);
        expect(applies(test, kit.has), `${name} applies`).toBe(true);
        if (obstacle(test, kit) !== undefined) continue;
        const caught = await isCaught(kit, test, join(directory, `${number}-${index}`));
        expect(caught, `caught by: ${name}`).toBe(true);
      }
    };
    if (skipped) it.skip(title, check);
    else (isAlone ? it : it.concurrent)(title, check, 240_000);
  }
});

/** Liars about users say that they can do what bubblewrap by itself cannot for root. */
function claiming(probe: Probe): Probe {
  if (!probe.available) return probe;
  return {
    ...probe,
    missing: probe.missing?.filter(({ capability }) => capability !== "user") ?? [],
  };
}

function available(probe: Probe | undefined): Extract<Probe, { available: true }> {
  if (probe?.available === true) return probe;
  throw new Error(probe?.reason);
}
