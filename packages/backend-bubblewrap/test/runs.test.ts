import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConfigInput, createSandbox, type SandboxResult } from "@sandboxlib/core";
import { realHost } from "@sandboxlib/core/backend";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import bubblewrap from "../src/index.js";
import { followsOldroot } from "../src/oldroot.js";
import { note, skip } from "./available.js";

let scratch = "";

beforeEach(() => {
  scratch = realpathSync(mkdtempSync(join(tmpdir(), "sandboxlib-bubblewrap-")));
});

afterEach(() => rmSync(scratch, { recursive: true }));

async function sh(
  script: string,
  config: ConfigInput = {},
): Promise<SandboxResult & { out: string; err: string }> {
  const sandbox = await createSandbox({ cwd: "/", ...config }, { backend: bubblewrap });
  const result = await sandbox.run(["sh", "-c", script]);
  const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();
  return { ...result, out: text(result.stdout), err: text(result.stderr) };
}

describe.skipIf(skip)(`bwrap${note}`, () => {
  it("cannot write the host's kernel settings, whoever the caller is", async () => {
    const { out } = await sh(
      "for f in kernel/core_pattern vm/swappiness; do (: >>/proc/sys/$f) && echo $f; done",
    );
    expect(out).toBe("");
  });

  it("gives no capability, and no way to gain one", async () => {
    const { out } = await sh(
      "grep -E '^(CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs)' /proc/self/status",
    );
    expect(out).toMatch(/^(Cap\w+:\t0{16}\n){5}NoNewPrivs:\t1\n$/);
  });

  it("allows no further user namespace, in which there would be capabilities again", async () => {
    const { exitCode, err } = await sh("unshare -U true");
    expect(exitCode).not.toBe(0);
    expect(err).toContain("unshare");
  });

  it("refuses a directory as a standard stream, which would lead to all that is below it", async () => {
    const sandbox = await createSandbox({ cwd: "/" }, { backend: bubblewrap });
    const run = sandbox.run(["true"], { stdin: { file: scratch } });
    await expect(run).rejects.toMatchObject({ code: "LAUNCH_FAILED" });
  });

  it("refuses a cwd that has become a symlink since the sandbox was made", async () => {
    mkdirSync(join(scratch, "cwd"));
    const config = { cwd: join(scratch, "cwd"), writable: [scratch] };
    const sandbox = await createSandbox(config, { backend: bubblewrap });
    const script = `rmdir "${scratch}/cwd"; ln -s /etc "${scratch}/cwd"`;
    expect(await sandbox.run(["sh", "-c", script])).toMatchObject({ exitCode: 0 });
    const again = sandbox.run(["true"]);
    await expect(again).rejects.toMatchObject({ code: "PATH_INVALID", path: "cwd" });
  });

  it("reads back from the kernel every namespace that it reports", async () => {
    const { enforcement } = await sh("sleep 0.1");
    const checked = enforcement.enforced
      .filter((entry) => entry.checked === "kernel")
      .map((entry) => entry.capability);
    expect(checked).toEqual(
      expect.arrayContaining(["isolate.mount", "isolate.pid", "isolate.ipc", "network.none"]),
    );
  });

  it("takes a thousand mounts", async () => {
    writeFileSync(join(scratch, "file"), "content");
    const mounts = Array.from({ length: 1000 }, (_, index) => ({
      type: "bind" as const,
      source: join(scratch, "file"),
      target: `/tmp/f${index}`,
    }));
    const { out } = await sh("cat /tmp/f999; ls /tmp | wc -l", {
      mounts: [{ type: "tmpfs", target: "/tmp" }, ...mounts],
    });
    expect(out.trim()).toMatch(/^content\s*1000$/);
  });

  it("reads no start-up file of bash when it has an fd to close and data on standard input", async () => {
    const sandbox = await createSandbox({ cwd: "/" }, { backend: bubblewrap });
    const result = await sandbox.run(["cat"], { stdin: { data: "data" }, stderr: "stdout" });
    expect(Buffer.from(result.stdout ?? []).toString()).toBe("data");
  });

  it("makes nothing on the host through /oldroot, whatever the installed version does by itself", async () => {
    mkdirSync(join(scratch, "root"));
    mkdirSync(join(scratch, "host"));
    symlinkSync(`/oldroot${join(scratch, "host")}`, join(scratch, "root/link"));
    const config: ConfigInput = {
      root: join(scratch, "root"),
      mounts: [{ type: "tmpfs", target: "/link/made" }],
      defaultMounts: false,
    };
    await expect(sh("true", config)).rejects.toMatchObject({
      code: "PATH_INVALID",
      path: "mounts[0].target",
    });
    expect(existsSync(join(scratch, "host/made"))).toBe(false);
  });

  it("says in its notes whether the installed version follows /oldroot", async () => {
    const host = realHost();
    const follows = await followsOldroot(host.which("bwrap") ?? "", host);
    const probe = await bubblewrap.probe(host);
    expect(probe).toMatchObject({ available: true });
    expect(probe.available && probe.notes?.some((text) => text.includes("CVE-2026-87766"))).toBe(
      follows,
    );
  });
});

describe("a host without bwrap", () => {
  it("is told what to install", async () => {
    const probe = await bubblewrap.probe({ ...realHost(), which: () => undefined });
    expect(probe).toMatchObject({ available: false, reason: "bwrap is not installed" });
  });
});

describe("a host that forbids a namespace", () => {
  it("lacks what needs it and keeps the rest", async () => {
    const run = async (argv: readonly string[]) =>
      argv.includes("--unshare-net")
        ? {
            exitCode: 1,
            stdout: "",
            stderr: "bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted\n",
          }
        : { exitCode: argv.includes("-c") ? 1 : 0, stdout: "bubblewrap 0.0\n", stderr: "" };
    const probe = await bubblewrap.probe({
      ...realHost(),
      which: (name) => `/usr/bin/${name}`,
      run,
    });
    expect(probe).toMatchObject({ available: true, notes: [] });
    expect(probe.available && probe.missing).toMatchObject([
      { capability: "network.none", reason: expect.stringContaining("Failed RTM_NEWADDR") },
      // It lacks that for root wherever it runs.
      ...(process.getuid?.() === 0 ? [{ capability: "user" }] : []),
    ]);
  });
});
