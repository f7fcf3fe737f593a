import type { Capability } from "@sandboxlib/core";
import type { Context } from "./context.js";
import type { Kit } from "./kit.js";
import type { Tool } from "./root/recipe.js";

/** One rule that a backend must keep, as data: `describeBackend` makes a test of it. */
export interface Case {
  /** The rule. */
  readonly title: string;
  /** What the case proves or builds on. Where one of these is not enforced, there is nothing to prove. */
  readonly needs?: readonly Capability[];
  /** Of these, what it proves: without the case, a backend that does nothing of the kind may pass. */
  readonly proves?: readonly Capability[];
  /** The case is about a backend without these. */
  readonly lacks?: readonly Capability[];
  /** Programs that it runs inside, beyond those that every root has. */
  readonly tools?: readonly Tool[];
  /** Why this host cannot show it, if it cannot. */
  readonly skip?: (kit: Kit) => string | undefined;
  /** It looks at everything that is declared at once, and shows nothing new where a word is known to be broken. */
  readonly isWhole?: true;
  /** Throws when the rule is broken. */
  readonly run: (context: Context) => Promise<void>;
}

/** Cases about one thing. */
export interface Topic {
  readonly title: string;
  readonly cases: readonly Case[];
  /** The cases change something of this process, such as its environment, so that no other may run meanwhile. */
  readonly isAlone?: boolean;
  /** Milliseconds that a case may take, where it is less than others. */
  readonly limit?: number;
  /** The cases are not about mounts, so their configs have no default mounts, which saves time. */
  readonly isBare?: boolean;
}

/** Whether a backend with these capabilities has to keep the rule at all. */
export function applies({ needs = [], lacks = [] }: Case, has: ReadonlySet<Capability>): boolean {
  return needs.every((need) => has.has(need)) && !lacks.some((lack) => has.has(lack));
}

/** Why the case cannot be run here, although it applies; undefined when it can. */
export function obstacle({ tools = [], skip }: Case, kit: Kit): string | undefined {
  const missing = tools.filter((tool) => !kit.recipe.tools.has(tool));
  return missing.length > 0
    ? `this host has no ${missing.join(", ")} to put into the root`
    : skip?.(kit);
}
