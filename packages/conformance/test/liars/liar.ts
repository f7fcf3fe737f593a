import type { Lie } from "../lies.js";

/** A wrong backend, and the cases that must see through it: `topic`, or `topic: beginning of the title`. */
export interface Liar {
  readonly does: string;
  readonly lie: () => Lie;
  readonly caughtBy: readonly string[];
}
