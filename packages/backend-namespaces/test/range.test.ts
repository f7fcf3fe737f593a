import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSandbox } from "@sandboxlib/core";
import { describe, expect, it } from "vitest";
import namespaces from "../src/index.js";
import { note, skip } from "./available.js";

const isRoot = process.getuid?.() === 0;

describe.skipIf(skip || !isRoot)(
  `a range of ids${note || (isRoot ? "" : " (skipped: not root)")}`,
  () => {
    it("is the host's own for root, so that files of others are seen with their owners", async () => {
      const user = { uid: 7, gid: 8, range: 65_536 };
      const sandbox = await createSandbox({ cwd: "/", user }, { backend: namespaces });
      const script = "id -u; id -g; stat -c %u:%g /etc /tmp";
      const { stdout } = await sandbox.run(["sh", "-c", script]);
      expect(Buffer.from(stdout ?? []).toString()).toBe("7\n8\n0:0\n7:8\n");
    });

    const tools = ["newuidmap", "newgidmap"].map((name) => `/usr/bin/${name}`);
    const missing = tools.find((tool) => !existsSync(tool));
    const why = missing === undefined ? "" : ` (skipped: ${missing} is not installed)`;
    it.skipIf(missing !== undefined)(`takes the subordinate ids of another caller${why}`, () => {
      const { status, stdout, stderr } = asTester(`
      import { createSandbox } from ${JSON.stringify(import.meta.resolve("@sandboxlib/core"))};
      import namespaces from ${JSON.stringify(new URL("../dist/index.js", import.meta.url).href)};
      const user = { uid: 5, gid: 0, range: 100 };
      const sandbox = await createSandbox({ cwd: "/", user }, { backend: namespaces });
      const { stdout } = await sandbox.run(["sh", "-c", "cat /proc/self/uid_map /proc/self/gid_map"]);
      console.log(Buffer.from(stdout).toString().replaceAll(/ +/g, " "));`);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(stdout.trimEnd().split("\n")).toEqual([
        " 0 200000 5",
        " 5 61234 1",
        " 6 200005 94",
        " 0 61234 1",
        " 1 200000 99",
      ]);
    });
  },
);

/** As a user of this very mount namespace, who may read what root may: the checkout may be root's alone. */
function asTester(script: string): SpawnSyncReturns<string> {
  const directory = mkdtempSync(join(tmpdir(), "sandboxlib-range-"));
  const [passwd, granted] = [join(directory, "passwd"), join(directory, "granted")];
  writeFileSync(
    passwd,
    `${readFileSync("/etc/passwd", "utf8")}\ntester:x:61234:61234::/:/bin/sh\n`,
  );
  writeFileSync(granted, "tester:200000:65536\n");
  const mounts = `mount --bind ${passwd} /etc/passwd && mount --bind ${granted} /etc/subuid &&
    mount --bind ${granted} /etc/subgid`;
  const reads = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"];
  const ids = ["--reuid=61234", "--regid=61234", "--clear-groups"];
  const tester = [
    "setpriv",
    ...ids,
    ...reads,
    process.execPath,
    "--input-type=module",
    "-e",
    script,
  ];
  try {
    return spawnSync("unshare", ["-m", "sh", "-c", `${mounts} && exec "$@"`, "sh", ...tester], {
      encoding: "utf8",
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}
