import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConfigInput, createSandbox, type SandboxResult } from "@sandboxlib/core";
import { type Backend, realHost, type ToolPlan } from "@sandboxlib/core/backend";
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

  it.skipIf(process.getuid?.() === 0)(
    "runs a bwrap inside where the config allows user namespaces, and mounts no procfs there",
    async () => {
      const inner = "bwrap --unshare-user --unshare-pid --unshare-net --ro-bind / / --dev /dev";
      const script = `${inner} echo inside; ${inner} --proc /proc true || echo refused`;
      expect((await sh(script, { allow: ["user-namespaces"] })).out).toBe("inside\nrefused\n");
      expect((await sh(script)).out).toBe("refused\n");
    },
  );

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
    const verified = enforcement.enforced
      .filter((entry) => entry.known === "verified")
      .map((entry) => entry.capability);
    expect(verified).toEqual(
      expect.arrayContaining(["isolate.mount", "isolate.pid", "isolate.ipc", "network.none"]),
    );
  });

  // How often the namespace and the mount are looked at, and how fast bwrap is, must not matter.
  it("starts no program in a sandbox that is not what was asked for", async () => {
    const lies = [
      { path: "network", words: ["--unshare-net"] },
      { path: "mounts[0]", words: ["--ro-bind", "/usr", "/mnt"] },
    ];
    for (const { path, words } of lies) {
      const backend: Backend = {
        ...bubblewrap,
        plan(config, host) {
          const plan = bubblewrap.plan(config, host) as ToolPlan;
          return { ...plan, fds: { ...plan.fds, 3: { data: without(plan, words) } } };
        },
      };
      const mounts = [{ type: "bind", source: "/usr", target: "/mnt", readOnly: true }] as const;
      const sandbox = await createSandbox(
        { cwd: scratch, writable: [scratch], mounts },
        { backend },
      );
      const begin = ["touch", join(scratch, "began")];
      for (const attempt of [() => sandbox.run(begin), () => sandbox.spawn(begin).result])
        await expect(attempt()).rejects.toMatchObject({ code: "VERIFY_FAILED", path });
      expect(existsSync(join(scratch, "began"))).toBe(false);
    }
  });

  it("refuses to hand on an fd that it uses itself", async () => {
    const sandbox = await createSandbox({ cwd: "/" }, { backend: bubblewrap });
    expect(() => sandbox.spawn(["true"], { passFds: [7, 10] })).toThrow(
      "passFds[1]: the tool of the backend uses fd 10 itself",
    );
  });

  it("leaves no fd of a run that ends while its program is held", async () => {
    const sandbox = await createSandbox({ cwd: "/" }, { backend: bubblewrap, verify: "always" });
    const open = (): number => readdirSync("/proc/self/fd").length;
    await sandbox.run(["true"]);
    const before = open();
    for (let ms = 0; ms < 20; ms += 1)
      await sandbox.run(["true"], { signal: AbortSignal.timeout(ms) });
    await expect.poll(open).toBeLessThan(before + 5);
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
      // It lacks these for root wherever it runs.
      ...(process.getuid?.() === 0
        ? [{ capability: "user" }, { capability: "allow.user-namespaces" }]
        : []),
    ]);
  });
});

/** The options of a plan, but for one of them and its words. */
function without({ fds }: ToolPlan, words: readonly string[]): string {
  const options = fds?.[3];
  if (typeof options !== "object" || !("data" in options)) throw new TypeError("no options");
  const [kept, ...rest] = String(options.data).split(`${words.join("\0")}\0`);
  if (rest.length !== 1) throw new TypeError(`${words.join(" ")} is not there once`);
  return `${kept}${rest.join("")}`;
}
