import { existsSync } from "node:fs";

/** Why there is no tool, for a title; undefined when there is. Where nothing may be skipped, that is a failure. */
export function lackOf(path: string): string | undefined {
  if (existsSync(path)) return undefined;
  if (process.env["SANDBOXLIB_REQUIRE"] === undefined) return `there is no ${path}`;
  throw new Error(`there is no ${path}, and SANDBOXLIB_REQUIRE lets no test be skipped`);
}
