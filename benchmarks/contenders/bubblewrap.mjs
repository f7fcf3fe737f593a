import { tool, words } from "./tool.mjs";

/** bwrap with every namespace, the host's root read-only, and the mounts that our default config has. */
export const bubblewrap = tool("bwrap", (binds) => [
  ...words("--unshare-all --die-with-parent --ro-bind / / --proc /proc --dev /dev"),
  ...(binds.length === 0 ? words("--tmpfs /tmp") : []),
  ...binds.flatMap(({ source, target }) => ["--ro-bind", source, target]),
  "--",
]);
