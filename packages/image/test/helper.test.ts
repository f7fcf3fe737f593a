import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { openImage } from "../src/index.js";
import { startHelper } from "../src/unpack/helper.js";
import { archive } from "./support/archive.js";
import { cached, rejection, temporary } from "./support/place.js";
import { lacking, tool } from "./support/root.js";

const isRoot = process.getuid?.() === 0;
const why = isRoot ? "" : " (skipped: needs root)";

async function outputOf(argv: readonly [string, ...string[]], reads?: string): Promise<string> {
  const helper = await startHelper(argv, reads === undefined ? {} : { reads });
  const { child } = helper;
  child.stdin?.end();
  let said = "";
  for await (const chunk of child.stdout ?? []) said += String(chunk);
  await helper.done();
  return said;
}

describe("a tool that reads an image", () => {
  it("cannot read the caller's home, but for what it is told to read", async () => {
    const home = mkdtempSync(join(homedir(), ".sandboxlib-test-"));
    onTestFinished(() => rmSync(home, { recursive: true }));
    writeFileSync(join(home, "secret"), "secret");
    const script = `cat '${home}/secret' 2>&1 || true`;
    expect(await outputOf(["sh", "-c", script])).toMatch(/No such file|Permission denied/);
    expect(await outputOf(["sh", "-c", script], join(home, "secret"))).toBe("secret");
  });

  it("has no endless memory", async () => {
    expect(await outputOf(["sh", "-c", "ulimit -v"])).toBe("2097152\n");
  });
});

describe.skipIf(!isRoot)(`where no backend can keep a tool from the rest${why}`, () => {
  beforeAll(() => {
    vi.resetModules();
    vi.stubEnv("SANDBOXLIB_BACKEND", "chroot");
  });
  afterAll(() => vi.unstubAllEnvs());

  for (const [format, tools, make] of [
    ["xz", ["xz"], (root: string, file: string) => tool("tar", "-cJf", file, "-C", root, ".")],
    [
      "bzip2",
      ["bzip2"],
      (root: string, file: string) => tool("tar", "-cjf", file, "-C", root, "."),
    ],
    [
      "zstd",
      ["zstd"],
      (root: string, file: string) => tool("tar", "--zstd", "-cf", file, "-C", root, "."),
    ],
    [
      "a squashfs",
      ["mksquashfs", "sqfs2tar"],
      (root: string, file: string) => tool("mksquashfs", root, file, "-quiet", "-no-progress"),
    ],
    [
      "an erofs",
      ["mkfs.erofs", "fsck.erofs"],
      (root: string, file: string) => tool("mkfs.erofs", file, root),
    ],
  ] as const) {
    const lacks = lacking(...tools);
    it.skipIf(lacks !== "")(`${format} is refused${lacks}`, async () => {
      const { openImage: open } = await import("../src/index.js");
      const directory = temporary();
      mkdirSync(join(directory, "root"));
      writeFileSync(join(directory, "root/a"), "x");
      const file = join(directory, "image");
      make(join(directory, "root"), file);
      const error = await rejection(open(file));
      expect([error.code, error.hint]).toEqual([
        "CAPABILITY_UNSUPPORTED",
        expect.stringContaining("@sandboxlib/backend-namespaces"),
      ]);
      expect([...cached("images"), ...cached("private")]).toEqual([]);
    });
  }

  it("a tar archive is unpacked by tar(1), which is said", async () => {
    const { openImage: open } = await import("../src/index.js");
    const file = join(temporary(), "image");
    writeFileSync(file, archive({ path: "a", body: "x" }));
    expect((await open(file)).notes.join()).toContain("without a wall");
  });
});

it("a tar archive is unpacked behind a wall where there is one", async () => {
  const file = join(temporary(), "image");
  writeFileSync(file, archive({ path: "a", body: "x" }));
  expect((await openImage(file)).notes.join()).not.toContain("without a wall");
});
