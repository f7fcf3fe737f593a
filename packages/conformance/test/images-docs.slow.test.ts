import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { basename, delimiter, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { addBusybox, noBusybox } from "@sandboxlib/test-support";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { blocks, repository } from "./blocks.js";

const PAGES = [
  "docs/images.md",
  // Root needs nothing for a cgroup, and others a delegated one.
  ...(process.getuid?.() === 0 ? ["docs/cgroups.md"] : []),
  "packages/image/README.md",
  "packages/image-appc/README.md",
];

/** An App Container image that says hello. */
const MANIFEST = {
  acKind: "ImageManifest",
  acVersion: "0.8.11",
  name: "example.com/hello",
  app: { exec: ["/bin/echo", "hello"], user: "0", group: "0" },
};
const HOST_ONLY = noBusybox === undefined ? "" : ` (skipped: ${noBusybox})`;

// Not in /tmp, which the default config covers.
const directory = mkdtempSync("/var/tmp/sandboxlib-images-docs-");
afterAll(() => rmSync(directory, { recursive: true }));

describe.skipIf(HOST_ONLY !== "")(`what the docs do with images${HOST_ONLY}`, () => {
  beforeAll(() => {
    vi.stubEnv("XDG_CACHE_HOME", environment()["XDG_CACHE_HOME"]);
    const root = join(directory, "DIR/rootfs");
    for (const name of ["proc", "dev", "tmp", "etc"])
      mkdirSync(join(root, name), { recursive: true });
    addBusybox(root);
    writeFileSync(join(directory, "DIR/manifest"), JSON.stringify(MANIFEST));
    shell("sandboxlib image build DIR --aci -o hello.aci");
    shell("sandboxlib image build DIR/rootfs --oci -o alpine.tar");
    shell("mkdir layout images && tar -C layout -xf alpine.tar");
  });

  test.each(blocks("docs/images.md", "")[0]?.trimEnd().split("\n") ?? [])("%s", (line) => {
    const platform = process.arch === "x64" ? "linux/amd64" : "linux/arm64";
    expect(shell(line.replace("linux/arm64", platform).replace("...", "id"))).not.toBe("");
  });

  test.each(PAGES)("the example of %s runs as it is", async (page) => {
    const [example = ""] = blocks(page, "ts");
    const code = example
      .replace(/"(alpine\.tar|hello\.aci)"/, (_, name) => JSON.stringify(join(directory, name)))
      .replace("/srv/images", join(directory, "images"))
      // Where the caller is may be covered by the tmpfs on /tmp.
      .replace("{ limits:", '{ cwd: "/", limits:')
      .replace('"make"', '"true"');
    const file = join(directory, `${basename(dirname(page))}-${basename(page)}.ts`);
    const what = code.includes("const result") ? "result" : "{ outcome }";
    writeFileSync(file, `${code}\nexport default ${what};\n`);
    const { default: result } = (await import(pathToFileURL(file).href)) as { default: unknown };
    expect(result).toMatchObject({ outcome: "exited" });
  });
});

/** What a command prints, which has to succeed. */
function shell(line: string): string {
  const { status, stdout, stderr } = spawnSync("sh", ["-ec", line], {
    cwd: directory,
    env: environment(),
    encoding: "utf8",
    input: "",
  });
  expect({ line, status, stderr }).toMatchObject({ status: 0 });
  return stdout + stderr;
}

function environment(): NodeJS.ProcessEnv {
  return {
    PATH: [join(repository, "node_modules/.bin"), process.env["PATH"]].join(delimiter),
    XDG_CACHE_HOME: join(directory, "cache"),
    HOME: directory,
    SANDBOXLIB_BACKEND: "namespaces",
  };
}
