import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { probeCgroups } from "@sandboxlib/core/internal";
import { expect, test } from "vitest";
import { describeWith } from "./support/backend.js";
import { BIN, ran, runSandbox, sandboxlib } from "./support/cli.js";
import { testUnless } from "./support/test-unless.js";

const PRLIMIT = "/usr/bin/prlimit";

for (const backend of ["namespaces", "bubblewrap", "chroot"]) {
  await describeWith(backend, "limits", () => {
    const options = ["--backend", backend, "--degrade", "--quiet"];

    test("hold inside", async () => {
      const set = ["--open-files", "60", "--stack", "2m", "--file-size", "1k", "--core-size", "0"];
      const more = ["--cpu-time", "60", "--address-space", "4g"];
      const script = "ulimit -n; ulimit -s; ulimit -f; ulimit -c; ulimit -t; ulimit -v";
      const ran = await runSandbox([...options, ...set, ...more, "--", "sh", "-c", script]);
      expect(ran).toMatchObject({
        exitCode: 0,
        stdout: "60\n2048\n2\n0\n60\n4194304\n",
        stderr: "",
      });
    });

    test.skipIf(!existsSync(PRLIMIT))("above the caller's own hard limit are refused", async () => {
      const node = [PRLIMIT, "--nofile=200:200", "--", process.execPath, BIN["run-sandbox"]];
      const args = [...node, ...options, "--open-files", "300", "--", "true"];
      const { exitCode, stderr } = await ran(spawn("/usr/bin/env", args, { stdio: "pipe" }));
      expect(exitCode).toBe(125);
      expect(stderr).toContain("limits.openFiles: 300 cannot be set");
      expect(stderr).toContain("the hard limit of this process is 200");
      expect(stderr).toContain("(--open-files 300)");
    });
  });
}

const DROP_IN = new URL("../../linux-user-chroot/bin/linux-user-chroot.js", import.meta.url);
const withDropIn = { SANDBOXLIB_LINUX_USER_CHROOT: fileURLToPath(DROP_IN) };

for (const backend of ["namespaces", "bubblewrap", "chroot", "oci", "linux-user-chroot"]) {
  // The drop-in is a program of Node's, which no limit may hit first.
  const limited = backend === "linux-user-chroot" ? 300 : 40;
  await describeWith(
    backend,
    "the soft limit of open files",
    () => {
      test("is the caller's, and not the one that Node has raised for itself", async () => {
        const run = `${process.execPath} ${BIN["run-sandbox"]} --quiet --backend ${backend} --degrade --cwd /`;
        const script = `ulimit -S -n 300; ${run} -- sh -c 'ulimit -S -n'; ${run} --open-files 40 -- sh -c 'ulimit -S -n'; :`;
        const env = { ...process.env, ...withDropIn };
        const { stdout } = await ran(spawn("/bin/sh", ["-c", script], { env, stdio: "pipe" }));
        expect(stdout).toBe(`300\n${limited}\n`);
      });
    },
    withDropIn,
  );
}

const cgroups = probeCgroups().missing.find(({ capability }) => capability === "limit.processes");

for (const backend of ["namespaces", "bubblewrap", "chroot"]) {
  await describeWith(backend, "too few processes", () => {
    testUnless(cgroups?.reason, "are said to be what they are", async () => {
      const options = ["--backend", backend, "--degrade", "--quiet", "--cwd", "/"];
      const { exitCode, stderr } = await runSandbox([...options, "--processes", "1", "--", "true"]);
      expect(exitCode).toBe(125);
      expect(stderr.trimEnd().split("\n").at(-1)).toBe(
        "hint: Raise --processes: what sets the sandbox up is counted, too. Or there are too many processes: see `ulimit -u`.",
      );
    });
  });
}

await describeWith("namespaces", "explain", () => {
  test.each([
    ["0.5", ["0.5 s are rounded up: 1 s hold, since the kernel counts whole seconds"]],
    ["2", undefined],
  ])("says what will hold of --cpu-time %s", async (seconds, notes) => {
    const args = ["--cwd", "/", "--backend", "namespaces", "--cpu-time", seconds];
    const { stdout } = await sandboxlib(["explain", "--json", ...args, "--", "true"]);
    const { needs } = JSON.parse(stdout) as { needs: { capability: string; notes?: string[] }[] };
    expect(needs.find(({ capability }) => capability === "limit.cpuTime")?.notes).toEqual(notes);
  });
});
