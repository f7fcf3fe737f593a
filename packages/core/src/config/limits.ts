import type { Limits } from "./schema.js";

/** The limits that are set. */
export function limitsIn(limits: Limits): (keyof Limits)[] {
  return (Object.keys(limits) as (keyof Limits)[]).filter((name) => limits[name] !== undefined);
}

/** The same limits without some of them. */
export function limitsWithout(limits: Limits, isGone: (name: keyof Limits) => boolean): Limits {
  const left = limitsIn(limits).filter((name) => !isGone(name));
  return Object.fromEntries(left.map((name) => [name, limits[name]]));
}
