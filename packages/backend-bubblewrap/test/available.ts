import { realHost } from "@sandboxlib/core";
import bubblewrap from "../src/index.js";

const probe = await bubblewrap.probe(realHost());

/** Why real runs are skipped, for a title; undefined when bwrap works here. */
export const skipped: string | undefined = probe.available ? undefined : probe.reason;

const required = process.env["SANDBOXLIB_REQUIRE"]?.split(",").includes("bubblewrap") === true;

/** Whether to skip; what `SANDBOXLIB_REQUIRE` names is run, and fails. */
export const skip: boolean = skipped !== undefined && !required;
