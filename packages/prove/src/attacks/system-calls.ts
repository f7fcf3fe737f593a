import type { Attack } from "../attack.js";

/** What promises that system calls are kept away which few programs need. */
export const BY_PROFILE: Pick<Attack, "about" | "isPromised" | "remedy"> = {
  about: ["seccomp"],
  isPromised: ({ seccomp }) => seccomp === "default" || seccomp === "strict",
  remedy: "",
};

/** The same of calls of which `allow` opens some. */
export const BY_WHOLE_PROFILE: typeof BY_PROFILE = {
  ...BY_PROFILE,
  isPromised: (config) => config.allow.length === 0 && BY_PROFILE.isPromised?.(config) === true,
};

/** What a filter of system calls keeps away, and nothing else. */
export const systemCalls: readonly Attack[] = [
  {
    title: "system calls are made that few programs need, and many holes were in",
    ...BY_WHOLE_PROFILE,
    run: ({ both }) => both(["calls"]),
  },
];
