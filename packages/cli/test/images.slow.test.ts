import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { BUSYBOX, noBusybox } from "@sandboxlib/test-support";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { BIN, ran, runSandbox, sandboxlib, startNode } from "./support/cli.js";
import { gcAlone } from "./support/gc-alone.js";
import { testUnless } from "./support/test-unless.js";

const MANIFEST = {
  acKind: "ImageManifest",
  acVersion: "0.8.11",
  name: "example.com/hello",
  app: {
    exec: ["/bin/busybox", "sh", "-c", "echo $GREETING from $AC_APP_NAME; exit 5"],
    user: "0",
    group: "0",
    environment: [{ name: "GREETING", value: "hello" }],
  },
};
const why = noBusybox;

const noFlock =
  spawnSync("flock", ["--version"]).error === undefined ? undefined : "needs flock(1)";

/** The texts of the bundled files that a process has loaded, by its coverage report. */
function chunksIn(coverage: string): string[] {
  return readdirSync(coverage).flatMap((name) => {
    const { result } = JSON.parse(readFileSync(join(coverage, name), "utf8")) as {
      result: { url: string }[];
    };
    return result
      .filter(({ url }) => url.includes("/cli/dist/"))
      .map(({ url }) => readFileSync(fileURLToPath(url), "utf8"));
  });
}

describe("images on the command line", () => {
  let directory = "";
  let env = {};
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "sandboxlib-cli-"));
    env = { XDG_CACHE_HOME: join(directory, "cache") };
    mkdirSync(join(directory, "hello/rootfs/bin"), { recursive: true });
    copyFileSync(BUSYBOX, join(directory, "hello/rootfs/bin/busybox"));
    writeFileSync(join(directory, "hello/manifest"), JSON.stringify(MANIFEST));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  testUnless(
    why,
    "are built, inspected, run with their own command and exit code, and collected",
    async () => {
      const file = join(directory, "hello.aci");
      const built = await sandboxlib([
        "image",
        "build",
        join(directory, "hello"),
        "--aci",
        "-o",
        file,
      ]);
      expect([built.exitCode, built.stderr]).toEqual([0, ""]);
      const id = built.stdout.trim();
      const inspected = await sandboxlib(["image", "inspect", file, "--json"], { env });
      expect(JSON.parse(inspected.stdout)).toMatchObject({ format: "aci", digest: id });
      const ran = await runSandbox(["--digest", id, file], { env });
      expect([ran.stdout, ran.exitCode]).toEqual(["hello from hello\n", 5]);
      const other = await runSandbox([file, "--", "/bin/busybox", "ls", "/"], { env });
      expect([other.stdout, other.exitCode]).toEqual(["bin\ndev\nproc\ntmp\n", 0]);
      const explained = await sandboxlib(["explain", file], { env });
      expect(explained.exitCode).toBe(0);
      // Other tests of this user may have left something behind just then.
      const [ended, said] = gcAlone(env);
      expect([ended, said.split("\n").at(-2)]).toEqual([
        0,
        "Kept images that no run uses: 1. `gc --all` removes them.",
      ]);
      const [, dry] = gcAlone(env, "--all", "--dry-run", "--json");
      const { dryRun, images } = JSON.parse(dry);
      expect([
        dryRun,
        images.removed.map((path: string) => path.includes(id)),
        images.kept,
      ]).toEqual([true, [true], []]);
      expect(readdirSync(join(directory, "cache/sandboxlib/images"))).toHaveLength(1);
      const [status, collected] = gcAlone(env, "--all");
      expect([status, collected.includes(id)]).toEqual([0, true]);
      expect(readdirSync(join(directory, "cache/sandboxlib/images"))).toEqual([]);
    },
  );

  testUnless(why, "are built as OCI layouts, too", async () => {
    const file = join(directory, "hello.tar");
    await sandboxlib([
      "image",
      "build",
      join(directory, "hello/rootfs"),
      "--oci",
      "--output",
      file,
    ]);
    const ran = await runSandbox([file, "/bin/busybox", "echo", "hello"], { env });
    expect([ran.stdout, ran.exitCode]).toEqual(["hello\n", 0]);
  });

  testUnless(why, "load the code for App Container only when they are such images", async () => {
    const [oci, aci] = [join(directory, "small.tar"), join(directory, "small.aci")];
    const from = join(directory, "hello");
    await sandboxlib(["image", "build", join(from, "rootfs"), "--oci", "-o", oci]);
    await sandboxlib(["image", "build", from, "--aci", "-o", aci]);
    const loads = async (image: string): Promise<boolean> => {
      const coverage = join(directory, `coverage-${basename(image)}`);
      const ended = await runSandbox([image, "/bin/busybox", "true"], {
        env: { ...env, NODE_V8_COVERAGE: coverage },
      });
      expect(ended.exitCode).toBe(0);
      return chunksIn(coverage).some((chunk) => chunk.includes("// packages/image-appc\n"));
    };
    expect([await loads(oci), await loads(aci)]).toEqual([false, true]);
  });

  testUnless(why, "are inspected also when a run needs more of the command line", async () => {
    const app = { ...MANIFEST.app, user: "stranger", mountPoints: [{ name: "a", path: "/a" }] };
    const made = join(directory, "asking");
    mkdirSync(join(made, "rootfs/bin"), { recursive: true });
    copyFileSync(BUSYBOX, join(made, "rootfs/bin/busybox"));
    writeFileSync(join(made, "manifest"), JSON.stringify({ ...MANIFEST, app }));
    const file = join(directory, "asking.aci");
    await sandboxlib(["image", "build", made, "--aci", "-o", file]);
    const inspected = await sandboxlib(["image", "inspect", file], { env });
    expect([inspected.exitCode, inspected.stderr]).toEqual([0, ""]);
    expect(inspected.stdout).toMatch(/^note {7}a run is refused: app\.mountPoints\[0\]/m);
    expect(inspected.stdout).toMatch(/^note {7}a run is refused: app\.user/m);
    const volume = ["--volume", `a=${directory}:ro`];
    const refused = await runSandbox([...volume, file], { env });
    expect([refused.exitCode, refused.stderr]).toEqual([
      125,
      expect.stringContaining("hint: Choose one with --uid and --gid."),
    ]);
    const ids = ["--uid", String(process.getuid?.()), "--gid", String(process.getgid?.())];
    const ran = await runSandbox([...volume, ...ids, file], { env });
    expect([ran.stdout, ran.exitCode]).toEqual(["hello from hello\n", 5]);
  });

  testUnless(why, "get their cgroup where --cgroup says", async () => {
    const file = join(directory, "grouped.aci");
    await sandboxlib(["image", "build", join(directory, "hello"), "--aci", "-o", file]);
    for (const args of [[], ["--metadata-service"]]) {
      const ran = await runSandbox(["--cgroup", "/no/such", ...args, file], { env });
      expect([ran.exitCode, ran.stderr]).toEqual([
        125,
        expect.stringMatching(/^sandboxlib: cgroup: "\/no\/such" cannot be reached/),
      ]);
    }
  });

  testUnless(why, "that are broken end with 125 and one line", async () => {
    const file = join(directory, "broken.tar");
    writeFileSync(file, "no archive");
    const { exitCode, stderr, stdout } = await runSandbox([file, "true"], { env });
    expect([exitCode, stdout, stderr]).toEqual([
      125,
      "",
      expect.stringMatching(
        /^sandboxlib: ".*broken\.tar": it is neither a directory nor an image\n/,
      ),
    ]);
  });

  testUnless(undefined, "leave nothing of themselves when a signal comes first", async () => {
    const file = join(directory, "large.tar");
    mkdirSync(join(directory, "large"));
    writeFileSync(join(directory, "large/hole"), "");
    truncateSync(join(directory, "large/hole"), 2 ** 28);
    spawnSync("tar", ["-C", join(directory, "large"), "-cf", file, "hole"]);
    for (const args of [["run"], ["run", "--metadata-service"], ["image", "inspect"]]) {
      const cache = join(mkdtempSync(join(directory, "cache-")), "sandboxlib");
      const child = startNode(
        [BIN.sandboxlib, ...args, file, ...(args[0] === "run" ? ["true"] : [])],
        {
          env: { XDG_CACHE_HOME: dirname(cache) },
        },
      );
      const end = ran(child);
      const held = (): string[] => (existsSync(cache) ? readdirSync(join(cache, "private")) : []);
      await expect.poll(held, { timeout: 10_000 }).toHaveLength(1);
      child.kill("SIGTERM");
      expect(await end).toMatchObject({ signal: "SIGTERM", stderr: "" });
      expect([held(), readdirSync(join(cache, "images"))]).toEqual([[], []]);
    }
  });

  testUnless(noFlock, "say what they wait for", async () => {
    const file = join(directory, "locked.aci");
    await sandboxlib(["image", "build", join(directory, "hello"), "--aci", "-o", file]);
    const cache = join(directory, "locked");
    const own = { env: { XDG_CACHE_HOME: cache } };
    await sandboxlib(["image", "inspect", file], own);
    const [name = ""] = readdirSync(join(cache, "sandboxlib/locks"));
    const lock = join(cache, "sandboxlib/locks", name);
    for (const part of ["images", "seen"])
      rmSync(join(cache, "sandboxlib", part), { recursive: true });
    const script = 'exec 9>>"$1" && flock 9 && echo locked && read -r end';
    const holder = spawn("sh", ["-c", script, "sh", lock], { stdio: ["pipe", "pipe", "inherit"] });
    await once(holder.stdout, "data");
    const child = startNode([BIN.sandboxlib, "image", "inspect", file], own);
    child.stderr?.once("data", () => holder.stdin.end());
    const { exitCode, stderr } = await ran(child);
    expect([exitCode, stderr]).toEqual([
      0,
      `sandboxlib: waiting until ${file} can be unpacked: another process has locked ${lock}\n`,
    ]);
  });

  testUnless(undefined, "need words that make sense", async () => {
    for (const [args, message] of [
      [["image"], "inspect, build, ls or rm?"],
      [["image", "run", "x"], '"run": inspect, build, ls or rm?'],
      [["image", "build", "x"], "--aci or --oci: which of the two?"],
      [["image", "build", "x", "--oci"], "--output: is missing"],
      [["run", "--tag", "x", "--", "true"], "--tag: ROOT is no image"],
      [["run", "--volume", "x", "/x.aci"], "--volume: ROOT is no image"],
    ] as const) {
      const { exitCode, stderr } = await sandboxlib(args);
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining(message)]);
    }
  });
});
