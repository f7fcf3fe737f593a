import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { realHost } from "@sandboxlib/core/backend";
import { backendNamed } from "@sandboxlib/core/internal";
import { skipOrRequire } from "@sandboxlib/test-support";
import { describe, expect, test } from "vitest";
import { repository } from "./blocks.js";

/** What each example prints; a new one must say so here. */
const PRINTED: Readonly<Record<string, RegExp>> = {
  "demo.mjs": /Compiling packages\/core .* exited 0, [1-9]\d* modules.*Enforced:.*it could not/s,
  "judge.mjs":
    /^echo 42 +OK .*\nexit 3 +RE .*\nkill -SEGV \$\$ SG .*\nsleep 60 +TO .*\nyes +OL .*\n$/,
  "pool.mjs": /^one\ntwo\nthree\n$/,
  "session.mjs": /^42 apples\ngone\n$/,
  "stream.mjs": /^line 0\nline 1\nline 2\nline 3\nsignaled\n$/,
  "workspace.mjs": /^done\n2 refusals\n$/,
};

const probe = await (await backendNamed("namespaces")).probe(realHost());
const { note, skip } = skipOrRequire("namespaces", probe.available ? undefined : probe.reason);

describe.skipIf(skip)(`examples${note}`, () => {
  test.each(readdirSync(join(repository, "examples")))("%s prints what it should", (name) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join("examples", name)], {
      cwd: repository,
      encoding: "utf8",
    });
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(PRINTED[name] ?? /^an example that this test knows$/);
  });
});
