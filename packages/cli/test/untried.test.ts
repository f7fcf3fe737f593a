import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { describeWith } from "./support/backend.js";
import { BIN, ran, startNode } from "./support/cli.js";

const directory = mkdtempSync(join(tmpdir(), "sandboxlib-untried-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Runs the command line in a user namespace in which the shell has changed something first. */
function after(script: string, args: readonly string[], input = "") {
  const shell = ["--map-root-user", "--mount", "--", "sh", "-c", `${script} && exec "$@"`, "sh"];
  const line = [process.execPath, BIN["run-sandbox"], "--backend", "namespaces", ...args];
  const { status, stdout, stderr } = spawnSync("unshare", [...shell, ...line], {
    cwd: "/",
    input,
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

const NO_NETWORKS = "echo 0 >/proc/sys/user/max_net_namespaces";
const WHY = "user.max_net_namespaces is 0 (clone: ENOSPC)";
const ONCE = ["--cwd", "/", "--", "sh", "-c", "cat; echo run"];
const isAble = spawnSync("unshare", ["--map-root-user", "true"]).status === 0;

await describeWith("namespaces", "a run of which nothing was tried beforehand", () => {
  it.skipIf(!isAble)("is refused with what a probe says, where the host forbids a need", () => {
    const { status, stdout, stderr } = after(NO_NETWORKS, ONCE);
    expect([status, stdout]).toEqual([125, ""]);
    expect(stderr).toBe(
      `sandboxlib: network: needs network.none, and ${WHY}\nhint: sudo sysctl -w user.max_net_namespaces=10000 Use a backend that enforces it, change --network, or let it go with --prefer network.none.\n`,
    );
  });

  it.skipIf(!isAble)("drops what may be let go, says so once, and runs the program once", () => {
    expect(after(NO_NETWORKS, ["--prefer", "network.none", ...ONCE], "given\n")).toEqual({
      status: 0,
      stdout: "given\nrun\n",
      stderr: `sandboxlib: not enforced: network.none (network): ${WHY}\n`,
    });
  });

  it.skipIf(!isAble)("says why no sandbox can be made at all", () => {
    const script = 'set -- setpriv --bounding-set=-all --inh-caps=-all -- "$@"';
    const { status, stdout, stderr } = after(script, ONCE);
    expect([status, stdout]).toEqual([125, ""]);
    expect(stderr).toContain("the backend namespaces cannot run here: root without CAP_SETFCAP");
  });

  // Node itself signals any number, 0 included, for a program that could not be started.
  it.skipIf(!isAble)("does not signal itself where no program of the host can be started", () => {
    const script = 'mount -t tmpfs none /dev && set -- setsid --wait "$@" && exec >/dev/out';
    const { status, stderr } = after(script, ONCE);
    expect(status).toBe(125);
    expect(stderr).toMatch(/^sandboxlib: .*cannot run here: .*\nhint: /);
  });

  it("is not made once more when its program has begun", async () => {
    const script = "echo begun >> log; echo begun; exec sleep 60";
    const args = ["--backend", "namespaces", "--writable", directory, "--cwd", directory];
    const child = startNode([
      BIN["run-sandbox"],
      ...args,
      "--no-default-mounts",
      "--",
      "sh",
      "-c",
      script,
    ]);
    const end = ran(child);
    await new Promise((resolve) => child.stdout?.once("data", resolve));
    for (const launcher of childrenOf(child.pid)) process.kill(launcher, "SIGKILL");
    const { exitCode, stdout, stderr } = await end;
    expect([exitCode, stdout]).toEqual([125, "begun\n"]);
    expect(stderr).toContain("was killed by SIGKILL, and the sandbox with it");
    expect(readFileSync(join(directory, "log"), "utf8")).toBe("begun\n");
  });
});

function childrenOf(pid: number | undefined): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return children.split(" ").filter(Boolean).map(Number);
}
