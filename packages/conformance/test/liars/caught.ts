import { AssertionError } from "node:assert";
import { isSandboxError } from "@sandboxlib/core";
import type { Case } from "../../src/case.js";
import { topics } from "../../src/cases/index.js";
import { runCase } from "../../src/context.js";
import type { Kit } from "../../src/kit.js";
import type { Liar } from "./liar.js";

/** The first line of why a case fails with the backend of a kit; undefined where it passes. */
export async function causeOf(
  kit: Kit,
  test: Case,
  directory: string,
): Promise<string | undefined> {
  try {
    await runCase(kit, test.run, directory);
    return undefined;
  } catch (error) {
    // Anything else is a fault of the kit.
    if (error instanceof AssertionError || isSandboxError(error))
      return error.message.split("\n")[0];
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
