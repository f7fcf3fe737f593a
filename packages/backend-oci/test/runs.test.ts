import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConfigInput, createSandbox, type SandboxResult } from "@sandboxlib/core";
import { OWN_BASE, realHost } from "@sandboxlib/core/backend";
import { addBusybox, noBusybox } from "@sandboxlib/test-support";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ociWith } from "../src/index.js";
import { note, skip } from "./available.js";

const isRoot = process.getuid?.() === 0;

let scratch = "";
beforeEach(() => {
  scratch = realpathSync(mkdtempSync(join(tmpdir(), "sandboxlib-oci-")));
});
afterEach(() => rmSync(scratch, { recursive: true }));

for (const runtime of ["crun", "runc"]) {
  const isThere = realHost().which(runtime) !== undefined;
  const backend = ociWith(runtime);

  const sh = async (
    script: string,
    config: ConfigInput = {},
  ): Promise<SandboxResult & { out: string; err: string }> => {
    const sandbox = await createSandbox({ cwd: "/", ...config }, { backend });
    const result = await sandbox.run(["sh", "-c", script]);
    const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();
    return { ...result, out: text(result.stdout), err: text(result.stderr) };
  };

  describe.skipIf(skip || !isThere)(`${runtime}${note}`, () => {
    it("gives no capability, no way to gain one, and no further user namespace", async () => {
      const script = "grep -E '^(Cap|NoNewPrivs)' /proc/self/status; unshare -U true 2>&1";
      const { out, exitCode } = await sh(script);
      expect(out).toMatch(/^(Cap\w+:\t0{16}\n){5}NoNewPrivs:\t1\nunshare/);
      expect(exitCode).not.toBe(0);
    });

    it("tells a signal from an exit status, and its own failures from those of the program", async () => {
      expect(await sh("kill -KILL $$")).toMatchObject({ outcome: "signaled", signal: "SIGKILL" });
      expect(await sh("exit 137")).toMatchObject({ outcome: "exited", exitCode: 137 });
      expect(await sh("exit 1")).toMatchObject({ outcome: "exited", exitCode: 1 });
      const sandbox = await createSandbox({ cwd: "/" }, { backend });
      await expect(sandbox.run(["/no/such"])).rejects.toMatchObject({ code: "COMMAND_NOT_FOUND" });
      await expect(sandbox.run(["/etc"])).rejects.toMatchObject({ code: "COMMAND_NOT_EXECUTABLE" });
    });

    it.skipIf(noBusybox !== undefined)(
      "makes nothing in a root that lacks everything",
      async () => {
        addBusybox(scratch);
        const names = readdirSync(scratch, { recursive: true });
        const config = { root: scratch, cwd: "/", writable: "all", defaultMounts: false } as const;
        const sandbox = await createSandbox(config, { backend });
        expect((await sandbox.run(["/bin/sh", "-c", "exit 7"])).exitCode).toBe(7);
        expect(readdirSync(scratch, { recursive: true })).toEqual(names);
      },
    );

    it("does not show what the runtime keeps of the container, wherever the host's /var/tmp is", async () => {
      const writable = { writable: "all" } as const;
      const { out } = await sh(`ls ${OWN_BASE} 2>&1; echo x >${OWN_BASE}/x; :`, writable);
      expect(out).toMatch(/ermission denied/);
      const mounts = [{ type: "bind", source: "/var/tmp", target: "/mnt" }] as const;
      const at = OWN_BASE.replace("/var/tmp", "/mnt");
      expect((await sh(`ls ${at} 2>&1; :`, { mounts })).out).toMatch(/ermission denied/);
    });

    it.skipIf(!isRoot)("leaves the owners of output files and of devices alone", async () => {
      const file = join(scratch, "out");
      writeFileSync(file, "");
      const owners = (): number[] =>
        ["/dev/null", file].flatMap((path) => {
          const { uid, gid, mode } = statSync(path);
          return [uid, gid, mode];
        });
      const before = owners();
      const user = { uid: 1234, gid: 1234 };
      const sandbox = await createSandbox({ cwd: "/", user }, { backend });
      await sandbox.run(["true"], { stdout: { file }, stdin: { file: "/dev/null" } });
      expect(owners()).toEqual(before);
    });

    it("leaves the program in the cgroup of this process", async () => {
      const { out } = await sh("cat /proc/self/cgroup", { isolate: ["pid"] });
      expect(out).toBe(readFileSync("/proc/self/cgroup", "utf8"));
    });

    it("makes read-only what is mounted below a read-only bind", async () => {
      const mounts = [{ type: "bind", source: "/", target: "/mnt", readOnly: true }] as const;
      const { out } = await sh("cat /proc/self/mountinfo", { mounts });
      const below = out.split("\n").map((line) => line.split(" "));
      const options = below.flatMap(([, , , , at, option]) =>
        at?.startsWith("/mnt/") ? option : [],
      );
      expect(options.length).toBeGreaterThan(2);
      expect(options.filter((option) => !option?.startsWith("ro"))).toEqual([]);
    });

    it("shows the program nothing of a profile of its own, which the bundle holds", async () => {
      const profile = {
        defaultAction: "SCMP_ACT_ALLOW",
        syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 38 }],
      } as const;
      const script = "mkdir /tmp/x; ls /profile; grep -c /profile /proc/self/mountinfo";
      const { out, err } = await sh(script, { seccomp: { profile } });
      expect(out).toBe("0\n");
      expect(err).toContain("Function not implemented");
    });

    it("gives a tmpfs its own mode, whatever that of the directory below is", async () => {
      const mounts = [{ type: "tmpfs", target: "/opt" }] as const;
      expect((await sh("stat -c %a /opt", { mounts })).out).toBe("1777\n");
    });
  });
}

describe("a host without a runtime", () => {
  it("is told what to install", async () => {
    const probe = await ociWith("crun").probe({ ...realHost(), which: () => undefined });
    expect(probe).toMatchObject({
      available: false,
      reason: expect.stringMatching(/^no OCI runtime is installed/),
    });
  });
});
