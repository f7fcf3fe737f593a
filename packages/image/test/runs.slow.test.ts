import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ConfigInput } from "@sandboxlib/core";
import { noBusybox } from "@sandboxlib/test-support";
import { describe, expect, it } from "vitest";
import {
  collectImages,
  type Image,
  type ImageSandbox,
  openImage,
  openImageSandbox,
} from "../src/index.js";
import { backends } from "./support/backends.js";
import { cached, listing, temporary } from "./support/place.js";
import { smallRoot, tool } from "./support/root.js";

/** Opens a tar archive of a small root. */
async function opened(): Promise<Image> {
  const directory = temporary();
  const file = join(directory, "image.tar");
  tool("tar", "-c", "-C", smallRoot(join(directory, "root")), "-f", file, ".");
  return openImage(file);
}

const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();

const tried = await backends();

describe.skipIf(noBusybox !== undefined)("runs of one image", () => {
  for (const { backend, prefer, why } of tried) {
    describe.skipIf(why !== "")(`on ${backend.name}${why}`, () => {
      const open = (image: Image, config: ConfigInput = {}): Promise<ImageSandbox> =>
        openImageSandbox(image, { ...image.config, ...config }, { backend, prefer });
      const sh = async (image: ImageSandbox, script: string): Promise<string> => {
        const { stdout, stderr, exitCode } = await image.sandbox.run(["/bin/sh", "-c", script]);
        expect([exitCode, text(stderr)]).toEqual([0, ""]);
        return text(stdout);
      };

      it("write to a layer of their own, which nobody else sees and which is gone afterwards", async () => {
        const image = await opened();
        const before = listing(image.rootDirectory);
        await using one = await open(image);
        await using other = await open(image);
        await sh(one, "echo one > /etc/motd; rm /bin/touch; mkdir /new; echo x > /new/file");
        expect(await sh(other, "cat /etc/motd; test -e /bin/touch; ls /new 2>&1 || true")).toMatch(
          /^hello\n.*No such file/s,
        );
        expect(await sh(one, "cat /etc/motd /new/file")).toBe("one\nx\n");
        expect(listing(image.rootDirectory)).toEqual(before);
        expect(cached("private")).toHaveLength(2);
        await one[Symbol.asyncDispose]();
        await other[Symbol.asyncDispose]();
        expect(cached("private")).toEqual([]);
        expect(listing(image.rootDirectory)).toEqual(before);
      });

      it("are removed whatever modes they leave", async () => {
        const image = await opened();
        const one = await open(image);
        await sh(
          one,
          "mkdir -p /a/b/c && touch /a/b/c/d && busybox chmod 0 /a/b/c/d /a/b/c /a/b /a",
        );
        await one[Symbol.asyncDispose]();
        expect(cached("private")).toEqual([]);
      });

      it("are removed however deep the directories are that they leave", async () => {
        const image = await opened();
        const one = await open(image);
        await sh(
          one,
          "touch /z; last=z; for top in a b c; do mkdir /$top; cd /$top; n=0; while [ $n -lt 300 ]; do mkdir deeper; cd deeper; n=$((n+1)); done; busybox mv /$last . 2>/dev/null; last=$top; done; busybox chmod 0 .",
        );
        await one[Symbol.asyncDispose]();
        expect(cached("private")).toEqual([]);
        expect(collectImages().failed).toEqual([]);
      });

      it("can be given mount points that the image lacks", async () => {
        const image = await opened();
        const directory = temporary();
        mkdirSync(join(directory, "data"));
        writeFileSync(join(directory, "data/file"), "from outside\n");
        const mounts = [
          { type: "bind", source: join(directory, "data"), target: "/srv/data" },
          { type: "bind", source: join(directory, "data/file"), target: "/etc/one" },
        ] as const;
        await using one = await open(image, { mounts });
        expect(await sh(one, "cat /srv/data/file /etc/one; touch /srv/beside /top")).toBe(
          "from outside\nfrom outside\n",
        );
        expect(readdirSync(image.rootDirectory)).not.toContain("srv");
      });

      it.skipIf(!backend.capabilities.has("writable.paths"))(
        "may use the image itself where they write nothing",
        async () => {
          const image = await opened();
          await using one = await open(image, { writable: [] });
          expect(await sh(one, "cat /etc/motd; echo x 2>/dev/null > /etc/motd || echo no")).toBe(
            "hello\nno\n",
          );
          expect(one.config.root).toBe(image.rootDirectory);
          expect(readFileSync(join(image.rootDirectory, "etc/motd"), "utf8")).toBe("hello\n");
        },
      );

      it("never write to the image itself, also where read-only is let go", async () => {
        const image = await opened();
        const before = listing(image.rootDirectory);
        await using one = await openImageSandbox(
          image,
          { ...image.config, writable: [] },
          { backend, prefer: "all" },
        );
        await sh(one, "(echo evil > /etc/motd; rm /bin/touch) 2>/dev/null || true");
        expect(listing(image.rootDirectory)).toEqual(before);
        await using other = await open(image);
        expect(await sh(other, "cat /etc/motd")).toBe("hello\n");
      });

      for (const [what, writable] of [
        ["may write everywhere", "all"],
        ["may write to a list", ["/work/out"]],
      ] as const)
        it.skipIf(writable !== "all" && !backend.capabilities.has("writable.paths"))(
          `may start in a volume and ${what.slice(4)}`,
          async () => {
            const image = await opened();
            const directory = temporary();
            mkdirSync(join(directory, "data/out"), { recursive: true });
            writeFileSync(join(directory, "data/file"), "from outside\n");
            const mounts = [
              { type: "bind", source: join(directory, "data"), target: "/work" },
            ] as const;
            await using one = await open(image, { mounts, cwd: "/work", writable });
            expect(await sh(one, "pwd; cat file; echo x > out/new")).toBe("/work\nfrom outside\n");
          },
        );

      it.skipIf(!backend.capabilities.has("writable.paths"))(
        "write to listed paths only, and to a copy of those",
        async () => {
          const image = await opened();
          await using one = await open(image, { writable: ["/home"] });
          expect(await sh(one, "echo x > /home/x; echo x 2>/dev/null > /etc/x || echo no")).toBe(
            "no\n",
          );
          expect(readdirSync(join(image.rootDirectory, "home"))).toEqual(["app"]);
        },
      );
    });
  }
});
