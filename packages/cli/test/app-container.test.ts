import { once } from "node:events";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { noBusybox } from "@sandboxlib/test-support";
import { afterAll, describe, expect, test } from "vitest";
import { aciOf } from "./support/aci.js";
import { describeWith } from "./support/backend.js";
import { BIN, type Ran, ran, runSandbox, sandboxlib, startNode } from "./support/cli.js";
import { testUnless } from "./support/test-unless.js";

const DROP_IN = new URL("../../linux-user-chroot/bin/linux-user-chroot.js", import.meta.url);

const directory = realpathSync(mkdtempSync(join(tmpdir(), "sandboxlib-cli-aci-")));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const env = {
  XDG_CACHE_HOME: join(directory, "cache"),
  SANDBOXLIB_LINUX_USER_CHROOT: fileURLToPath(DROP_IN),
};
const run = (...args: string[]): Promise<Ran> => runSandbox(args, { env });
const sh = (script: string): string[] => ["sh", "-c", script];

const BACKENDS = ["namespaces", "bubblewrap", "chroot", "linux-user-chroot"] as const;

for (const backend of BACKENDS) {
  // These two lack capabilities that the tests below do not depend on.
  const lesser = /chroot/.test(backend) ? ["--degrade", "--quiet"] : [];
  const on = ["--backend", backend, ...lesser];

  await describeWith(
    backend,
    "an App Container image",
    () => {
      testUnless(
        noBusybox,
        "runs its own command, with its own environment and exit code",
        async () => {
          const eventHandlers = [
            { name: "pre-start", exec: sh("echo before; touch /made") },
            { name: "post-stop", exec: sh("echo after") },
          ];
          const exec = sh('echo "$A|$AC_APP_NAME|$0|$(pwd)|$HOME|$(cat /made)"; exit 7');
          const environment = [{ name: "A", value: "b c" }];
          const app = { exec: [...exec, "zero"], environment, workingDirectory: "/opt/work" };
          const file = aciOf(directory, { ...app, eventHandlers });
          expect(await run(...on, file)).toMatchObject({
            exitCode: 7,
            stdout: "before\nb c|app|zero|/opt/work||\nafter\n",
            stderr: "",
          });
        },
      );
    },
    env,
  );
}

await describeWith("namespaces", "volumes of an App Container image", () => {
  testUnless(
    noBusybox,
    "are directories of the host, written to where the line lets it",
    async () => {
      const [data, conf] = ["data", "conf"].map((name) => {
        const path = mkdtempSync(join(directory, `${name}-`));
        writeFileSync(join(path, "file"), `${name}\n`);
        return path;
      });
      const file = aciOf(directory, {
        exec: sh("cat /data/file /etc/conf/file; touch /data/x; touch /etc/conf/x 2>/dev/null"),
        mountPoints: [
          { name: "data", path: "/data" },
          { name: "conf", path: "/etc/conf" },
        ],
      });
      const volumes = ["--volume", `data=${data}`, "--volume", `conf=${conf}:ro`];
      const { stdout, stderr } = await run(...volumes, file);
      expect([stdout, stderr]).toEqual(["data\nconf\n", ""]);
      expect([data, conf].map((path) => readdirSync(path ?? ""))).toEqual([
        ["file", "x"],
        ["file"],
      ]);
    },
  );
});

describe("an App Container image", () => {
  const testImage = (title: string, body: () => Promise<void>): void =>
    testUnless(noBusybox, title, body);

  testImage("with another ID than --digest says is refused", async () => {
    const file = aciOf(directory, { exec: ["true"] });
    const { exitCode, stderr } = await run("--digest", `sha512-${"0".repeat(128)}`, file);
    expect([exitCode, stderr]).toEqual([
      125,
      expect.stringMatching(/the image is sha512-(?!0{16})[0-9a-f]/),
    ]);
  });

  testImage("has the limits of its isolators, or is refused", async () => {
    const isolators = [
      { name: "resource/memory", value: { limit: "64Mi" } },
      { name: "resource/cpu", value: { limit: "500m" } },
    ];
    const file = aciOf(directory, { exec: ["true"], isolators });
    const { stdout } = await sandboxlib(["image", "inspect", "--json", file], { env });
    expect(JSON.parse(stdout)).toMatchObject({
      config: { limits: { memory: 64 * 1024 ** 2, cpu: 0.5 } },
    });
    const result = join(directory, "limited.json");
    const { exitCode } = await run("--result-file", result, file);
    const told = readFileSync(result, "utf8");
    expect([exitCode, told]).toEqual(
      exitCode === 0
        ? [0, expect.stringMatching(/"limit\.memory".*"limit\.cpu"/s)]
        : [125, expect.stringMatching(/"CAPABILITY_UNSUPPORTED".*"limits\.memory"/s)],
    );
  });

  testImage("whose run was killed leaves a layer that gc removes", async () => {
    const cache = join(mkdtempSync(join(directory, "cache-")), "sandboxlib");
    const own = { env: { ...env, XDG_CACHE_HOME: join(cache, "..") } };
    const file = aciOf(directory, { exec: sh("touch /mark; echo ready; sleep 600") });
    const child = startNode([BIN["run-sandbox"], file], own);
    const end = ran(child);
    await once(child.stdout as NodeJS.ReadableStream, "data");
    expect(readdirSync(join(cache, "private"))).toHaveLength(1);
    child.kill("SIGKILL");
    await end;
    expect(readdirSync(join(cache, "private"))).toHaveLength(1);
    await expect
      .poll(async () => (await sandboxlib(["gc"], own)) && readdirSync(join(cache, "private")))
      .toEqual([]);
    expect(readdirSync(join(cache, "images"))).toHaveLength(1);
  });

  test("needs its volumes to be written as NAME=PATH", async () => {
    const file = join(directory, "any.aci");
    writeFileSync(file, "x");
    for (const text of ["data", "=x", "a=", "A=/x"]) {
      const { exitCode, stderr } = await run("--volume", text, file);
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining("is not NAME=PATH[:ro]")]);
    }
  });
});
