/** What is tried, each with the options of unshare(1). */
export const STEPS = {
  /** Asks for nothing: the kernel never refuses it. */
  call: [],
  user: ["--user"],
  map: ["--user", "--map-root-user"],
  mount: ["--user", "--map-root-user", "--mount"],
  net: ["--user", "--map-root-user", "--net"],
  proc: ["--user", "--map-root-user", "--pid", "--fork", "--mount-proc"],
  range: ["--user", "--map-auto"],
  root: ["--mount"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type Step = keyof typeof STEPS;

/** A step as a user would try it. */
export function commandOf(step: Step): string {
  return ["unshare", ...STEPS[step], "true"].join(" ");
}
