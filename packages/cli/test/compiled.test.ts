import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  statSync,
  utimesSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { BIN, type Ran, ran, startNode } from "./support/cli.js";
import { WITH_FIXTURES } from "./support/fixtures.js";
import { scratch } from "./support/scratch.js";
import { testUnless } from "./support/test-unless.js";

const RUN = ["--backend", "plain", "--degrade", "--quiet", "--", "echo", "ran"];
const SUFFIX = `.cjs.${process.version}-${process.arch}`;

/** The command line, as if it had just been installed. */
function installed(): { dist: string; run: (args: readonly string[]) => Promise<Ran> } {
  const from = dirname(dirname(BIN["run-sandbox"]));
  const to = scratch();
  const dist = join(to, "dist");
  for (const name of ["bin", "dist"]) {
    mkdirSync(join(to, name));
    const files = readdirSync(join(from, name)).filter((file) => /\.(c?js|json)$/.test(file));
    for (const file of files) copyFileSync(join(from, name, file), join(to, name, file));
  }
  const run = (args: readonly string[]): Promise<Ran> =>
    ran(startNode([join(to, "bin/run-sandbox.js"), ...args], { env: WITH_FIXTURES }));
  return { dist, run };
}

function keptIn(dist: string): string[] {
  return readdirSync(dist).filter((name) => !name.endsWith(".cjs"));
}

function age(dist: string, names: readonly string[]): void {
  for (const name of names) utimesSync(join(dist, name), 1, 1);
}

test("a run leaves what was compiled beside the code, and the next one uses it", async () => {
  const { dist, run } = installed();
  expect(await run(RUN)).toMatchObject({ exitCode: 0, stdout: "ran\n", stderr: "" });
  const kept = keptIn(dist);
  expect(kept.map((name) => name.replace(/-.*\.cjs/, ".cjs"))).toContain(`run${SUFFIX}`);
  age(dist, readdirSync(dist));
  expect(await run(RUN)).toMatchObject({ exitCode: 0, stdout: "ran\n", stderr: "" });
  expect(keptIn(dist)).toEqual(kept);
  for (const file of kept) expect(statSync(join(dist, file)).mtimeMs).toBe(1000);
});

test("what was compiled of code that has changed since is not used", async () => {
  const { dist, run } = installed();
  await run(RUN);
  const kept = keptIn(dist);
  age(dist, kept);
  expect(await run(RUN)).toMatchObject({ exitCode: 0, stdout: "ran\n", stderr: "" });
  for (const file of kept) expect(statSync(join(dist, file)).mtimeMs).toBeGreaterThan(1000);
});

test("what was compiled at another place is not used", async () => {
  const [one, other] = [installed(), installed()];
  await one.run(RUN);
  const kept = keptIn(one.dist);
  for (const file of kept) copyFileSync(join(one.dist, file), join(other.dist, file));
  age(other.dist, readdirSync(other.dist));
  expect(await other.run(RUN)).toMatchObject({ exitCode: 0, stdout: "ran\n", stderr: "" });
  for (const file of kept) expect(statSync(join(other.dist, file)).mtimeMs).toBeGreaterThan(1000);
});

test("what somebody else can have written is not used", async () => {
  const { dist, run } = installed();
  await run(RUN);
  const files = keptIn(dist).map((name) => join(dist, name));
  age(dist, readdirSync(dist));
  for (const file of files) chmodSync(file, 0o666);
  expect(await run(RUN)).toMatchObject({ exitCode: 0, stdout: "ran\n", stderr: "" });
  for (const file of files) {
    expect(statSync(file).mode & 0o777).toBe(0o644);
    expect(statSync(file).mtimeMs).toBeGreaterThan(1000);
  }
});

const notRoot = process.getuid?.() === 0 ? undefined : "needs root";

testUnless(notRoot, "nobody but the owner of the code leaves anything", async () => {
  const { dist, run } = installed();
  for (const name of readdirSync(dist)) chownSync(join(dist, name), 65534, 65534);
  expect(await run(RUN)).toMatchObject({ exitCode: 0, stdout: "ran\n" });
  expect(keptIn(dist)).toEqual([]);
});

test("a command that runs nothing leaves nothing", async () => {
  const { dist, run } = installed();
  expect(await run(["--help"])).toMatchObject({ exitCode: 0 });
  expect(keptIn(dist)).toEqual([]);
});
