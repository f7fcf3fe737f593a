import { realHost } from "@sandboxlib/core/backend";
import { type SkipOrRequire, skipOrRequire } from "@sandboxlib/test-support";
import oci from "../src/index.js";

const probe = await oci.probe(realHost());

/** Whether a runtime works here, and what a title says where none does. */
export const { note, skip }: SkipOrRequire = skipOrRequire(
  "oci",
  probe.available ? undefined : probe.reason,
);
