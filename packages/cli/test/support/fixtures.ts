import { join } from "node:path";

/** Packages of third parties: `plain`, a backend that isolates nothing, and `broken`, whose code does not run. */
export const FIXTURES: string = join(import.meta.dirname, "../fixtures");

/** The environment in which the backends of the fixtures are installed, too. */
export const WITH_FIXTURES: Readonly<Record<string, string>> = {
  SANDBOXLIB_BACKEND_PATH: FIXTURES,
};
