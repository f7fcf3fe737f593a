import { spawnSync } from "node:child_process";
import {
  linkSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { skipOrRequire } from "@sandboxlib/test-support";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findLauncher } from "../lib/index.js";

const launcher = findLauncher();
const reason = "path" in launcher ? undefined : launcher.reason;
const { skip, note: why } = skipOrRequire("namespaces", reason);
const path = "path" in launcher ? launcher.path : "";

describe.skipIf(skip)(`the result file of a plan${why}`, () => {
  let directory = "";
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "sandboxlib-test-"));
    writeFileSync(join(directory, "plan"), "a plan");
    linkSync(join(directory, "plan"), join(directory, "hard"));
    symlinkSync("plan", join(directory, "soft"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it.each([
    ["by the same name", "plan", "plan"],
    ["by another spelling", "./plan", "plan"],
    ["through a symlink", "plan", "soft"],
    ["by a hard link", "hard", "plan"],
  ])("cannot be the plan %s, and the plan stays", (_, result, plan) => {
    const args = ["run", "--result-file", result, plan, "--", "true"];
    const { status, stderr } = spawnSync(path, args, { cwd: directory, encoding: "utf8" });
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: `sandboxlib-launcher: --result-file: ${result}: is the plan, which it would replace\n`,
    });
    expect(readdirSync(directory).sort()).toEqual(["hard", "plan", "soft"]);
    expect(readFileSync(join(directory, "plan"), "utf8")).toBe("a plan");
  });
});
