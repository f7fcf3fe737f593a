import type { Config, Mount, ParsedConfig } from "./types.js";

/** What is mounted where the config does not say otherwise. */
const DEFAULT_MOUNTS: readonly Mount[] = [
  { type: "proc", target: "/proc" },
  { type: "dev", target: "/dev" },
  { type: "tmpfs", target: "/tmp" },
];

/**
 * Adds the default mounts to those of a config, behind them, so that `mounts[0]` is still what the user means by it. After
 * that the list is complete.
 */
export function withDefaultMounts({
  mounts: listed,
  defaultMounts = listed?.length !== 0,
}: Pick<ParsedConfig, "mounts" | "defaultMounts">): Pick<Config, "mounts" | "defaultMounts"> {
  const mounts = listed ?? [];
  const missing = defaultMounts
    ? DEFAULT_MOUNTS.filter((mount) => !mounts.some(({ target }) => target === mount.target))
    : [];
  return { mounts: [...mounts, ...missing], defaultMounts: false };
}
