import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { archive } from "./support/archive.js";
import { layout } from "./support/layout.js";
import { temporary } from "./support/place.js";

const PACKAGE = join(import.meta.dirname, "..");
const OPEN = `import { openImage } from "@sandboxlib/image";
const { format, code, message, hint } = await openImage(process.argv[2]).catch((error) => error);
console.log(JSON.stringify({ format, code, message, hint }));`;

/** A project in which this package is installed, and `@sandboxlib/image-appc` is not. */
function project(directory: string): string {
  const installed = join(directory, "node_modules/@sandboxlib/image");
  for (const name of ["dist", "package.json"])
    cpSync(join(PACKAGE, name), join(installed, name), { recursive: true });
  for (const name of ["@sandboxlib/core", "tar", "zod"])
    symlinkSync(
      realpathSync(join(PACKAGE, "node_modules", name)),
      join(directory, "node_modules", name),
    );
  writeFileSync(join(directory, "open.mjs"), OPEN);
  return join(directory, "open.mjs");
}

it("without @sandboxlib/image-appc an App Container image is refused, and others are opened", () => {
  const directory = temporary();
  const script = project(directory);
  const image = join(directory, "image.aci");
  writeFileSync(image, archive({ path: "manifest", body: "{}" }, { path: "rootfs", type: "5" }));
  mkdirSync(join(directory, "layout"));
  const root = archive({ path: "etc", type: "5" });
  const open = (path: string): unknown =>
    JSON.parse(execFileSync(process.execPath, [script, path], { encoding: "utf8" }));
  expect(open(layout(join(directory, "layout"), [root]))).toEqual({ format: "oci" });
  expect(open(image)).toEqual({
    code: "IMAGE_INVALID",
    message: `${JSON.stringify(image)}: an App Container image takes @sandboxlib/image-appc, which is not installed`,
    hint: "Install @sandboxlib/image-appc.",
  });
});
