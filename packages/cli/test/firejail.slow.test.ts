import { cpSync } from "node:fs";
import { join } from "node:path";
import { realHost } from "@sandboxlib/core/backend";
import { skipOrRequire } from "@sandboxlib/test-support";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Author, author } from "./support/author.js";
import { FIXTURES } from "./support/fixtures.js";

const SLOW = 480_000;
const lack = realHost().which("firejail") === undefined ? "no firejail" : undefined;
const { note, skip } = skipOrRequire("firejail", lack);

describe.skipIf(skip)(`a backend of a third party, over firejail${note}`, () => {
  let place: Author;
  let directory = "";
  beforeAll(() => {
    place = author();
    directory = join(place.directory, "firejail");
    cpSync(join(FIXTURES, "firejail"), directory, { recursive: true });
  }, SLOW);
  afterAll(() => place.remove());

  test("compiles as it is", () => {
    const compiled = place.run(["typescript/bin/tsc"], directory);
    expect(compiled).toMatchObject({ status: 0, stdout: "" });
  });

  test("passes the kit", { timeout: SLOW }, () => {
    const required = { SANDBOXLIB_REQUIRE: "firejail" };
    const kit = place.run(["vitest/vitest.mjs", "run"], directory, required);
    expect(kit).toMatchObject({ status: 0, stdout: expect.stringContaining("1 passed") });
  });
});
