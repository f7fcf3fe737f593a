import { type Finder, fixIn, statusOf } from "./seen.js";

/** A filter of system calls that refuses unshare(2), whatever it is asked for. */
export const filterShown: Finder = ({ said, error, host }) =>
  error === "SIGSYS" || (error !== "" && said.startsWith("unshare: unshare"))
    ? {
        layer: "seccomp",
        cause: `a filter of system calls around this process refuses unshare(2): \`unshare true\` asks for nothing, which the kernel itself never refuses, and gets ${error}`,
        fix: fixIn(host, "seccomp"),
      }
    : undefined;

/** A filter that may be the cause: other things give the same errors, and are looked for before. */
export const filterLikely: Finder = ({ error, host }) => {
  const like = ["EPERM", "ENOSYS", "SIGSYS"].includes(error);
  if (!like || statusOf(host, "Seccomp") !== "2") return undefined;
  return {
    layer: "seccomp",
    cause: `most likely the filter of system calls around this process (Seccomp: 2 in /proc/self/status): it gets ${error}, and no setting explains that`,
    fix: fixIn(host, "seccomp"),
  };
};
