import type { Attack } from "../attack.js";

/** What promises that system calls are kept away which few programs need. */
export const BY_PROFILE: Pick<Attack, "about" | "isPromised" | "remedy"> = {
  about: ["seccomp"],
  isPromised: ({ seccomp }) => seccomp === "default" || seccomp === "strict",
  remedy: "",
};

/** What a filter of system calls keeps away, and nothing else. */
export const systemCalls: readonly Attack[] = [
  {
    title: "system calls are made that few programs need, and many holes were in",
    ...BY_PROFILE,
    run: ({ both }) => both(["calls"]),
  },
];
