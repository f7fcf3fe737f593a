import { once } from "node:events";
import { lstatSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { entriesOf } from "../src/build/files.js";
import { buildOci } from "../src/index.js";
import { describeBuild, source } from "./support/build.js";
import { rejection } from "./support/place.js";

describeBuild("OCI image", async (from, to, report) => buildOci(join(from, "rootfs"), to, report));

describe("a name that OCI gives a meaning of its own", () => {
  it("is refused in an OCI image", async () => {
    const { directory, rootfs } = source([".wh.gone"]);
    const { message } = await rejection(buildOci(rootfs, join(directory, "image")));
    expect(message).toMatch(/^"\.wh\.gone" is a name that OCI images keep/);
  });
});

describe("the files of a directory", () => {
  it("are not those of another one that takes its place meanwhile", async () => {
    const [{ rootfs }, { rootfs: host }] = [source([]), source(["file"])];
    const inside = join(rootfs, "a");
    mkdirSync(inside);
    const server = createServer().listen(join(inside, "a-socket"));
    onTestFinished(() => void server.close());
    await once(server, "listening");
    writeFileSync(join(inside, "file"), "");
    const onLeftOut = (): void => {
      renameSync(inside, join(rootfs, "gone"));
      symlinkSync(host, inside);
    };
    const { ino } = lstatSync(join(inside, "file"));
    const found = entriesOf(rootfs, { onLeftOut }).find(({ entry }) => entry.path === "a/file");
    expect([found?.inode?.ino, found?.entry.size]).toEqual([ino, 0]);
  });
});
