import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addBusybox, noBusybox } from "@sandboxlib/test-support";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { progressLine } from "../src/progress.js";
import { BIN, runSandbox, sandboxlib } from "./support/cli.js";
import { testUnless } from "./support/test-unless.js";

const isRoot = process.getuid?.() === 0;
const has = (tool: string): boolean => spawnSync(tool, ["--version"]).error === undefined;

let directory = "";
let env: Record<string, string> = {};
beforeAll(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), "sandboxlib-images-")));
  chmodSync(directory, 0o755);
  env = { XDG_CACHE_HOME: join(directory, "cache") };
  mkdirSync(join(directory, "root"));
  if (noBusybox === undefined) addBusybox(join(directory, "root"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Makes an OCI image of the root, and gives its file and digest. */
async function built(name: string, ...options: readonly string[]) {
  const file = join(directory, name);
  const made = await sandboxlib(
    ["image", "build", join(directory, "root"), "--oci", "-o", file, ...options],
    { env },
  );
  expect([made.exitCode, made.stderr]).toEqual([0, ""]);
  return { file, digest: made.stdout.trim() };
}

describe("`image build`", () => {
  testUnless(noBusybox, "takes what a run starts, as whom and where", async () => {
    const entrypoint = ["--entrypoint", "/bin/busybox", "--entrypoint", "sh", "--entrypoint=-c"];
    const cmd = ["--cmd", "echo $GREETING; pwd; exit 3"];
    const more = ["--env", "GREETING=a=b", "--cwd", "/work", "--user", "0:0", "--tag", "app:1"];
    const { file } = await built("app.tar", ...entrypoint, ...cmd, ...more);
    const ran = await runSandbox(["--tag", "app:1", file], { env });
    expect([ran.stdout, ran.exitCode]).toEqual(["a=b\n/work\n", 3]);
  });

  testUnless(
    has("mkfifo") && isRoot ? undefined : "needs root",
    "leaves devices and sockets out, and says so",
    async () => {
      const from = join(directory, "devices");
      mkdirSync(from);
      for (const name of ["null", "zero"]) execFileSync("mknod", [join(from, name), "c", "1", "3"]);
      const file = join(directory, "devices.tar");
      const made = await sandboxlib(["image", "build", from, "--oci", "-o", file], { env });
      expect([made.exitCode, made.stderr]).toEqual([
        0,
        `sandboxlib: left out devices and sockets (2), such as ${JSON.stringify(join(from, "null"))}\n`,
      ]);
    },
  );

  test.each([
    [
      ["--user", "a:b:c"],
      'user: "a:b:c" is not USER or USER:GROUP, each a name or a number (--user)',
    ],
    [["--cwd", "rel"], 'workingDirectory: "rel" must be an absolute path (--cwd)'],
    [["--tag", "a b"], 'tag: "a b" is no tag, such as app:1.0 (--tag)'],
  ])("makes nothing that no image can say: %s", async (options, message) => {
    const file = join(directory, "none.tar");
    const made = await sandboxlib(["image", "build", directory, "--oci", "-o", file, ...options], {
      env,
    });
    expect([made.exitCode, made.stderr.split("\n")[0]]).toEqual([2, `sandboxlib: ${message}`]);
    expect(existsSync(file)).toBe(false);
  });

  test.each([
    [["--aci", "--cmd", "x"], "--cmd: is for --oci; with --aci, DIR/manifest says it"],
    [["--oci", "--json"], "--json: does not apply to `image build`"],
    [["--oci", "--digest", "x"], "--digest: does not apply to `image build`"],
  ])("refuses what it would ignore: %s", async (options, message) => {
    const made = await sandboxlib(
      ["image", "build", directory, "-o", join(directory, "no.tar"), ...options],
      { env },
    );
    expect([made.exitCode, made.stderr.split("\n")[0]]).toEqual([2, `sandboxlib: ${message}`]);
  });
});

describe("the images in the cache", () => {
  testUnless(noBusybox, "are listed, and removed by file or digest", async () => {
    const own = { XDG_CACHE_HOME: join(directory, "cache-ls") };
    const [one, two] = [await built("one.tar", "--cmd", "1"), await built("two.tar", "--cmd", "2")];
    const none = await sandboxlib(["image", "ls"], { env: own });
    expect(none.stdout).toBe("There are no images in the cache.\n");
    for (const { file } of [one, two])
      expect((await sandboxlib(["image", "inspect", file], { env: own })).exitCode).toBe(0);
    const listed = JSON.parse((await sandboxlib(["image", "ls", "--json"], { env: own })).stdout);
    expect(
      listed.map(({ digest, source, isUsed }: Record<string, unknown>) => [digest, source, isUsed]),
    ).toEqual([
      [two.digest, two.file, false],
      [one.digest, one.file, false],
    ]);
    const text = (await sandboxlib(["image", "ls"], { env: own })).stdout.split("\n");
    expect(text[0]).toMatch(/^DIGEST +FORMAT +SIZE +UNPACKED +FROM$/);
    expect(text[1]).toContain(two.digest.slice(0, 19));
    const removed = await sandboxlib(["image", "rm", one.file, two.digest.slice(0, 20)], {
      env: own,
    });
    expect([removed.exitCode, removed.stdout]).toEqual([
      0,
      `removed ${one.digest}\nremoved ${two.digest}\n`,
    ]);
    expect(readdirSync(join(own.XDG_CACHE_HOME, "sandboxlib/images"))).toEqual([]);
    const again = await sandboxlib(["image", "rm", one.file], { env: own });
    expect([again.exitCode, again.stderr]).toEqual([
      125,
      `sandboxlib: ${JSON.stringify(one.file)} is no image in the cache\nhint: \`sandboxlib image ls\` lists them.\n`,
    ]);
  });

  testUnless(noBusybox, "tell their notes once, and with --verbose always", async () => {
    const tar = join(directory, "end.tar");
    spawnSync("sh", ["-c", `tar -C ${directory}/root -b1 -cf - . | head -c -1024 > ${tar}`]);
    const note = "sandboxlib: the archive has no end mark, so it may have been cut off\n";
    const run = async (...options: string[]): Promise<string> => {
      const ran = await runSandbox([...options, tar, "/bin/busybox", "true"], { env });
      expect(ran.exitCode).toBe(0);
      return ran.stderr;
    };
    expect(await run("--quiet")).toBe("");
    expect(await run()).toContain(note);
    expect(await run()).not.toContain(note);
    expect(await run("--verbose")).toContain(note);
  });
});

describe("the name of an image in a registry", () => {
  test.each([
    ["docker://alpine:3", "skopeo copy docker://alpine:3 oci:alpine"],
    ["docker.io/library/alpine", "skopeo copy docker://docker.io/library/alpine oci:alpine"],
    ["localhost:5000/app", "skopeo copy docker://localhost:5000/app oci:app"],
    ["alpine:3", "skopeo copy docker://alpine:3 oci:alpine"],
    ["alpine:latest", "skopeo copy docker://alpine:latest oci:alpine"],
    [`a/b@sha256:${"0".repeat(64)}`, `skopeo copy docker://a/b@sha256:${"0".repeat(64)} oci:b`],
    ["docker-daemon:app:1", "skopeo copy docker-daemon:app:1 oci:app"],
  ])("%s: the message says how to get it", async (name, command) => {
    const ran = await runSandbox([name, "true"], { env });
    const to = command.split("oci:")[1] ?? "";
    expect([ran.exitCode, ran.stderr]).toEqual([
      2,
      `sandboxlib: ${JSON.stringify(name)}: is an image of a registry, and not a file\nhint: \`${command}\` gets it. Then run \`run-sandbox ${to} COMMAND\`.\n`,
    ]);
  });

  testUnless(
    noBusybox ?? (has("skopeo") ? undefined : "needs skopeo(1)"),
    "the way that the message names gives an image that runs",
    async () => {
      const { file } = await built("registry.tar", "--tag", "3", "--cmd", "/bin/busybox");
      const to = join(directory, "alpine");
      execFileSync("skopeo", ["copy", "-q", `oci-archive:${file}:3`, `oci:${to}`]);
      const ran = await runSandbox([to, "/bin/busybox", "echo", "ran"], { env });
      expect([ran.stdout, ran.exitCode]).toEqual(["ran\n", 0]);
    },
  );
});

describe("where uid 0 has no power", () => {
  // Root without the capabilities, or root of a user namespace with one user in it.
  const asRoot = isRoot
    ? ["setpriv", "--inh-caps", "-all", "--bounding-set", "-chown,-dac_override,-fowner"]
    : ["unshare", "-r"];
  const why = noBusybox ?? (has(asRoot[0] ?? "") ? undefined : `needs ${asRoot[0]}(1)`);
  testUnless(why, "images are unpacked and run, with the owners that there are", () => {
    const home = join(directory, "home");
    const cache = join(home, "cache");
    for (const path of [home, cache]) mkdirSync(path, { mode: 0o700 });
    const file = join(directory, "userns.tar");
    const from = join(directory, "userns");
    mkdirSync(join(from, "ro"), { recursive: true });
    addBusybox(from);
    writeFileSync(join(from, "ro/f"), "x");
    chmodSync(join(from, "ro"), 0o555);
    const pack = (id: string, ...args: readonly string[]): Buffer =>
      execFileSync("tar", ["-C", from, `--owner=${id}`, `--group=${id}`, ...args]);
    pack("0", "--exclude=./ro/f", "-cf", file, ".");
    pack("1000", "-rf", file, "./ro/f");
    chmodSync(join(from, "ro"), 0o755); // so that it can be removed
    const run = (): [number | null, string, string] => {
      const environment = [`HOME=${home}`, `XDG_CACHE_HOME=${cache}`, ...asRoot];
      const command = [process.execPath, BIN["run-sandbox"], file, "/bin/busybox", "stat"];
      const { status, stdout, stderr } = spawnSync(
        "env",
        [...environment, ...command, "-c", "%a %u %n", "/ro", "/ro/f"],
        { encoding: "utf8", cwd: "/" },
      );
      return [status, stdout, stderr];
    };
    const lines = "755 0 /ro\n644 0 /ro/f\n";
    const note =
      "sandboxlib: files of other users than root (1) belong to you here, as all files do\n";
    expect(run()).toEqual([0, lines, note]);
    expect(run()).toEqual([0, lines, ""]);
  });
});

describe("a working directory that was removed", () => {
  test("is named where a relative path starts at it", () => {
    const gone = join(directory, "gone");
    const script = 'mkdir "$1" && cd "$1" && rmdir "$1" && shift && exec "$@"';
    const argv = ["-c", script, "sh", gone, process.execPath, BIN["run-sandbox"], "x", "--", "/x"];
    const { status, stderr } = spawnSync("sh", argv, { encoding: "utf8" });
    expect([status, stderr]).toEqual([
      2,
      'sandboxlib: "x": starts at the working directory, which was removed\nhint: Change to another directory, or give an absolute path.\n',
    ]);
  });
});

describe("the line of progress", () => {
  test("is as wide as the terminal at most, and keeps its end", () => {
    expect(progressLine("unpacking a.tar", 7)).toBe("sandboxlib: unpacking a.tar: 7%");
    const long = progressLine(`unpacking /${"d/".repeat(100)}image.tar`, 42, 60);
    expect([long.length, long]).toEqual([59, expect.stringMatching(/….*image\.tar: 42%$/)]);
    expect(progressLine("unpacking", 1, 10).length).toBeLessThan(10);
  });
});
