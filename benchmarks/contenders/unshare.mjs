import { tool, words } from "./tool.mjs";

/**
 * unshare(1) with every namespace and a fresh /proc, and nothing else: the root stays writable and capabilities stay, so
 * it is less than what the others do.
 */
export const unshare = tool("unshare", () =>
  words(
    "--user --map-root-user --mount --pid --ipc --uts --net --cgroup --fork --kill-child --mount-proc --",
  ),
);
