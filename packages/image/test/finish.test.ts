import { chmodSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { newFinish } from "../src/unpack/finish.js";
import { newReport } from "../src/unpack/report.js";
import { temporary } from "./support/place.js";

const NAMES = ["a", "a/b", "a/b/c", "ab", "d"];

/** Has each directory get the mode 0500, then one path whited out, and gives the names of those that have it. */
function restricted(path: string, opaque: boolean): string[] {
  const root = temporary();
  const [lower, upper] = [newReport(), newReport()];
  for (const name of NAMES) {
    mkdirSync(join(root, name), { mode: 0o700 });
    lower.setMode(name, 0o500);
  }
  upper.addWhiteout({ path, opaque });
  const finish = newFinish();
  finish.add(lower);
  finish.add(upper);
  finish.apply(root, false);
  const found = NAMES.filter((name) => modeOf(join(root, name)) === "500");
  for (const name of NAMES) chmodSync(join(root, name), 0o700);
  return found;
}

const modeOf = (path: string): string => (statSync(path).mode & 0o7777).toString(8);

describe("the modes of directories", () => {
  it("are forgotten with a path that a layer removes, or with all that is in it", () => {
    expect(restricted("a", false)).toEqual(["ab", "d"]);
    expect(restricted("a", true)).toEqual(["a", "ab", "d"]);
    expect(restricted("a/b", false)).toEqual(["a", "ab", "d"]);
    expect(restricted("", true)).toEqual([]);
    expect(restricted("gone/b", false)).toEqual(NAMES);
  });

  it("are set in a directory that nobody may enter", () => {
    const root = temporary();
    const report = newReport();
    mkdirSync(join(root, "a/b"), { recursive: true });
    onTestFinished(() => chmodSync(join(root, "a"), 0o700));
    report.setMode("a", 0);
    report.setMode("a/b", 0o500);
    const finish = newFinish();
    finish.add(report);
    finish.apply(root, false);
    expect(modeOf(join(root, "a"))).toBe("0");
    chmodSync(join(root, "a"), 0o700);
    expect(modeOf(join(root, "a/b"))).toBe("500");
  });

  it("are forgotten for many paths as quickly as for few", () => {
    const [lower, upper] = [newReport(), newReport()];
    for (let index = 0; index < 60_000; index += 1) {
      lower.setMode(`directory/${index}`, 0o700);
      upper.addWhiteout({ path: `other/${index}`, opaque: false });
    }
    const finish = newFinish();
    finish.add(lower);
    finish.add(upper);
    const root = temporary();
    finish.apply(root, false);
    expect(modeOf(root)).toBe("755");
  });
});
