import { realHost } from "@sandboxlib/core";
import namespaces from "../src/index.js";

const probe = await namespaces.probe(realHost());

/** Why real runs are skipped, for a title; undefined when the launcher works here. */
export const skipped: string | undefined = probe.available ? undefined : probe.reason;

/** Whether nothing may be skipped. */
export const required: boolean =
  process.env["SANDBOXLIB_REQUIRE"]?.split(",").includes("namespaces") === true;

/** Whether to skip; what `SANDBOXLIB_REQUIRE` names is run, and fails. */
export const skip: boolean = skipped !== undefined && !required;
