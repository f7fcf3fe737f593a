import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Image, openImage, openImageSandbox } from "../src/index.js";
import { backends } from "./support/backends.js";
import { temporary } from "./support/place.js";
import { lacking, smallRoot, tool } from "./support/root.js";

const isRoot = process.getuid?.() === 0;
const tried = (await backends()).filter(({ why }) => why === "");

/** Runs a command in an image. Without a command it runs that of the image. */
async function ran(image: Image, { backend, prefer }: (typeof tried)[number], argv?: string[]) {
  await using opened = await openImageSandbox(image, image.config, { backend, prefer });
  const { exitCode, stdout, stderr } = await opened.sandbox.run(argv);
  const [out, err] = [stdout, stderr].map((bytes) => Buffer.from(bytes ?? []).toString());
  return [out, err, exitCode];
}

/** Makes an image with umoci that sets every field of its configuration about the program. */
function byUmoci(directory: string): string {
  const image = `${join(directory, "oci")}:latest`;
  const bundle = join(directory, "bundle");
  tool("umoci", "init", "--layout", join(directory, "oci"));
  tool("umoci", "new", "--image", image);
  tool("umoci", "unpack", ...(isRoot ? [] : ["--rootless"]), "--image", image, bundle);
  smallRoot(join(bundle, "rootfs"));
  tool("umoci", "repack", "--image", image, bundle);
  const script = 'echo "$GREETING|$HOME|$1|$(pwd)|$(id -u):$(id -g)"; exit 7';
  const words = [
    ...["/bin/sh", "-c", script].flatMap((word) => ["--config.entrypoint", word]),
    ...["zero", "one"].flatMap((word) => ["--config.cmd", word]),
  ];
  const rest = ["--config.env", "GREETING=a b=c", "--config.user", "app:extra"];
  tool("umoci", "config", "--image", image, ...words, ...rest, "--config.workingdir", "/work/deep");
  return join(directory, "oci");
}

const noUmoci = lacking("umoci");

describe.skipIf(noUmoci !== "")(`an image of OCI by umoci${noUmoci}`, () => {
  for (const one of tried) {
    const { backend } = one;
    // For root, bubblewrap would change the uid that the program sees, but not its rights. So the run is refused.
    const hasUser = backend.capabilities.has("user") && !(isRoot && backend.name === "bubblewrap");
    const why = isRoot && !hasUser ? " (skipped: refused for root, who it would run as)" : "";
    it.skipIf(why !== "")(
      `runs its own command as its own user on ${backend.name}${why}`,
      async () => {
        const image = await openImage(byUmoci(temporary()));
        const ids = hasUser ? "1000:77" : `${process.getuid?.()}:${process.getgid?.()}`;
        expect(await ran(image, one)).toEqual([`a b=c|/home/app|one|/work/deep|${ids}\n`, "", 7]);
      },
    );
  }
});

const ROOTS = [
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
  [
    "a tar archive with zstd",
    ["zstd"],
    (root: string, file: string) => tool("tar", "-c", "--zstd", "-C", root, "-f", file, "."),
  ],
] as const;

describe("the root of", () => {
  const [one] = tried;
  for (const [what, tools, make] of ROOTS) {
    const why = one === undefined ? " (skipped: no backend)" : lacking(...tools);
    it.skipIf(why !== "")(`${what} runs, and can be written to${why}`, async () => {
      const directory = temporary();
      const file = join(directory, "image");
      make(smallRoot(join(directory, "root")), file);
      const image = await openImage(file);
      const script = ["/bin/sh", "-c", "cat /etc/motd; echo x > /etc/new && cat /etc/new; exit 3"];
      expect(await ran(image, one as (typeof tried)[number], script)).toEqual([
        "hello\nx\n",
        "",
        3,
      ]);
    });
  }
});
