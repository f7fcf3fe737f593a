import { AssertionError } from "node:assert";
import { isSandboxError } from "@sandboxlib/core";
import type { Case } from "../../src/case.js";
import { topics } from "../../src/cases/index.js";
import { runCase } from "../../src/context.js";
import type { Kit } from "../../src/kit.js";
import type { Liar } from "./liar.js";

/** Whether a case sees through the backend of a kit. */
export async function isCaught(kit: Kit, test: Case, directory: string): Promise<boolean> {
  try {
    await runCase(kit, test.run, directory);
    return false;
  } catch (error) {
    // Anything else is a fault of the kit.
    if (error instanceof AssertionError || isSandboxError(error)) return true;
    throw error;
  }
}

/** Every case with its topic before the title. */
export function all(): [string, Case][] {
  return topics.flatMap(({ title, cases }) =>
    cases.map((test): [string, Case] => [`${title}: ${test.title}`, test]),
  );
}

/** The cases that must see through a liar. */
export function casesOf({ caughtBy, does }: Pick<Liar, "caughtBy" | "does">): [string, Case][] {
  return caughtBy.flatMap((beginning) => {
    const found = all().filter(([title]) =>
      title.startsWith(beginning.includes(": ") ? beginning : `${beginning}: `),
    );
    if (found.length === 0) throw new Error(`one that ${does}: no case "${beginning}"`);
    return found;
  });
}
