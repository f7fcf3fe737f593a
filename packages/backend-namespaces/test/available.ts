import { realHost } from "@sandboxlib/core/backend";
import { type SkipOrRequire, skipOrRequire } from "@sandboxlib/test-support";
import namespaces from "../src/index.js";

const probe = await namespaces.probe(realHost());

/** Whether the launcher works here, and what a title says where it does not. */
export const { reason, note, skip }: SkipOrRequire = skipOrRequire(
  "namespaces",
  probe.available ? undefined : probe.reason,
);
