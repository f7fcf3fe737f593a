import { realHost } from "@sandboxlib/core/backend";
import { type SkipOrRequire, skipOrRequire } from "@sandboxlib/test-support";
import bubblewrap from "../src/index.js";

const probe = await bubblewrap.probe(realHost());

/** Whether bwrap works here, and what a title says where it does not. */
export const { reason, note, skip }: SkipOrRequire = skipOrRequire(
  "bubblewrap",
  probe.available ? undefined : probe.reason,
);
