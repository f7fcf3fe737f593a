import { spawnSync } from "node:child_process";
import { chmodSync, closeSync, mkdtempSync, openSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSandbox, type Sandbox } from "@sandboxlib/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import namespaces from "../src/index.js";
import { note, skip } from "./available.js";

const title = `devices of the host${note}`;

/** Says in a file of its own why nothing can be changed: the standard streams are what is attacked. */
const ATTACK = `exec 9>&2; for each in $targets; do
  chmod 0 $each || touch -c $each || chown 1 $each
done 2> /tmp/said >&2
grep -c "Read-only file system" /tmp/said`;

describe.skipIf(skip)(title, () => {
  let directory = "";
  /** A null device of our own, where this user can make one: what might break is not the host's. */
  let device = "/dev/null";
  let sandbox: Sandbox;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "sandboxlib-devices-"));
    chmodSync(directory, 0o755);
    const node = join(directory, "null");
    if (spawnSync("mknod", ["-m", "666", node, "c", "1", "3"]).status === 0 && opens(node))
      device = node;
    // Whoever may change the host's own must not try it here.
    if (device === "/dev/null" && process.getuid?.() === 0) device = "";
    sandbox = await createSandbox({ cwd: "/" }, { backend: namespaces });
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  const attacked = (targets: string): string => `targets="${targets}"; ${ATTACK}`;

  it("keep their mode, owner and times where one is a standard stream, in a run and in a session", async (context) => {
    if (device === "") return context.skip();
    const before = statSync(device);
    const fd = openSync(device, "r+");
    const session = await sandbox.openSession();
    try {
      const argv = ["sh", "-c", attacked("/proc/self/fd/0 /proc/self/fd/9")];
      for (const opened of [sandbox, session]) {
        const { stdout } = await opened.run(argv, { stdin: { fd }, stderr: { fd } });
        expect(Buffer.from(stdout ?? []).toString()).toBe("6\n");
      }
    } finally {
      await session.close();
      closeSync(fd);
    }
    const { mode, uid, mtimeMs } = statSync(device);
    expect({ mode, uid, mtimeMs }).toEqual({
      mode: before.mode,
      uid: before.uid,
      mtimeMs: before.mtimeMs,
    });
  });

  it("keep them where a stream is discarded, in dev, behind a hidden file, and as a bind of its own", async (context) => {
    if (device === "") return context.skip();
    const own = await createSandbox(
      {
        cwd: "/",
        hidden: ["/etc/passwd"],
        mounts: [
          { type: "proc", target: "/proc" },
          { type: "dev", target: "/dev" },
          { type: "tmpfs", target: "/tmp" },
          { type: "bind", source: device, target: "/etc/hostname" },
        ],
      },
      { backend: namespaces },
    );
    const names = ["null", "zero", "full", "random", "urandom", "tty"].map(
      (name) => `/dev/${name}`,
    );
    const targets = [...names, "/etc/passwd", "/etc/hostname", "/proc/self/fd/0"];
    const argv = ["sh", "-c", attacked(targets.join(" "))];
    const { stdout } = await own.run(argv, { stdin: "discard", stderr: "discard" });
    expect(Buffer.from(stdout ?? []).toString()).toBe(`${targets.length * 3}\n`);
  });

  it("work as before", async (context) => {
    if (device === "") return context.skip();
    const fd = openSync(device, "r+");
    const script = "echo gone > /dev/stderr; echo gone >&2; cat; echo read";
    const { stdout } = await sandbox.run(["sh", "-c", script], { stdin: { fd }, stderr: { fd } });
    closeSync(fd);
    expect(Buffer.from(stdout ?? []).toString()).toBe("read\n");
  });
});

function opens(node: string): boolean {
  try {
    closeSync(openSync(node, "r+"));
    return true;
  } catch {
    return false;
  }
}
