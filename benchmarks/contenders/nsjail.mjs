import { tool, words } from "./tool.mjs";

/** nsjail with every namespace (it makes them all unless told otherwise) and the host's root read-only. */
export const nsjail = tool("nsjail", (binds) => [
  ...words("--really_quiet --mode o --chroot /"),
  ...(binds.length === 0 ? words("--tmpfsmount /tmp") : []),
  ...binds.flatMap(({ source, target }) => ["--bindmount_ro", `${source}:${target}`]),
  "--",
]);
