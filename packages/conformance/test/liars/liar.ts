import type { Lie } from "../lies.js";

/** A wrong backend, and the cases that must see through it: `topic`, or `topic: beginning of the title`. */
export interface Liar {
  readonly does: string;
  readonly lie: () => Lie;
  readonly caughtBy: readonly string[];
  /** A refusal of core's in which such a lie may end as well. */
  readonly mayEndIn?: RegExp;
  /** What it does only root can do. */
  readonly onlyRoot?: true;
}
