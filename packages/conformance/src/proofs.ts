import { allCapabilities, type Capability } from "@sandboxlib/core";
import { basesOf } from "@sandboxlib/core/internal";
import { applies, type Case, obstacle, type Topic } from "./case.js";
import type { Kit } from "./kit.js";

/** A case of a topic, and what runs it. */
export interface Due {
  readonly topic: Topic;
  readonly test: Case;
  /** Why this host cannot show it, if it cannot. */
  readonly obstacle: string | undefined;
}

/** Every case that the backend has to keep, in the order of the topics. */
export function dueOf(topics: readonly Topic[], kit: Kit): Due[] {
  return topics.flatMap((topic) =>
    topic.cases
      .filter((test) => applies(test, kit.has))
      .map((test) => ({ topic, test, obstacle: obstacle(test, kit) })),
  );
}

/**
 * The cases that prove what the backend itself declares, in groups: a word comes after those that it builds on, and the
 * cases of a group can run at the same time.
 */
export function proofsIn(due: readonly Due[], { given }: Kit): Due[][] {
  const groups: Due[][] = [];
  for (const each of due) {
    const { needs = [], proves = [] } = each.test;
    if (each.obstacle !== undefined || !proves.some((word) => given.capabilities.has(word)))
      continue;
    const others = needs.filter((word) => !proves.includes(word));
    const height = Math.max(...proves.map(heightOf), ...others.map((word) => heightOf(word) + 1));
    (groups[height] ??= []).push(each);
  }
  return groups.filter((group) => group.length > 0);
}

function heightOf(word: Capability): number {
  return basesOf(word).reduce((height, base) => Math.max(height, heightOf(base) + 1), 0);
}

/** What the backend itself declares and no case proves, with the reason for each word. */
export function unproved(due: readonly Due[], { given, has }: Kit): [Capability, string][] {
  return allCapabilities()
    .filter((word) => has.has(word) && given.capabilities.has(word))
    .flatMap((word): [Capability, string][] => {
      const proving = due.filter(({ test }) => test.proves?.includes(word) === true);
      if (proving.some(({ obstacle: why }) => why === undefined)) return [];
      const reasons = proving.flatMap(({ obstacle: why }) => why ?? []);
      return [[word, reasons[0] ?? needing(word, has)]];
    });
}

function needing(word: Capability, has: ReadonlySet<Capability>): string {
  const bases = basesOf(word).filter((base) => !has.has(base));
  return bases.length > 0 ? `it builds on ${bases.join(", ")}` : "with what is declared beside it";
}
