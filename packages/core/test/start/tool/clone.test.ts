import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Backend, ToolPlan } from "../../../src/index.backend.js";
import { run } from "../../../src/index.js";
import { clonedFds, withClone } from "../../../src/start/tool/clone.js";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sandboxlib-clone-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

function script(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return path;
}

/** Stands in for the launcher: keeps the program itself open. */
const OFFER = 'exec 7<"$2"; echo 7; exec cat >/dev/null';

function planFor(argv: ToolPlan["argv"], program: string, by: string): ToolPlan {
  const interpret = (): never => expect.fail();
  return { kind: "tool", argv, clone: { program, by }, env: {}, mechanisms: {}, interpret };
}

it("the program is replaced where it stands, by one copy for each version of it", async () => {
  const [by, tool] = [script("by", OFFER), script("tool", ": one")];
  const cloned = (): Promise<readonly string[]> =>
    withClone(planFor(["/bin/before", "word", tool, "--", "-x"], tool, by));
  const [first, second] = await Promise.all([cloned(), cloned()]);
  expect(first).toEqual(["/bin/before", "word", expect.any(String), "--", "-x"]);
  expect(second).toEqual(first);
  expect(await cloned()).toEqual(first);
  expect(readFileSync(first?.[2] ?? "", "utf8")).toContain(": one");
  script("tool", ": another");
  const later = await cloned();
  expect(later[2]).not.toBe(first?.[2]);
  expect(readFileSync(later[2] ?? "", "utf8")).toContain(": another");
});

it.each([
  ["what makes it fails", "echo no memory >&2; exit 1", "no memory"],
  ["what makes it says nothing that can be opened", "echo 99; cat", "ENOENT"],
])("there is none when %s", async (_, text, reason) => {
  const [by, tool] = [script("by", text), script("tool", ":")];
  await expect(withClone(planFor([tool], tool, by))).rejects.toMatchObject({
    code: "LAUNCH_FAILED",
    message: expect.stringMatching(`^${tool} cannot be copied into memory: .*${reason}`),
  });
});

it("a plan that does not hold the program is refused, and not started without a copy", async () => {
  const [by, tool] = [script("by", OFFER), script("tool", ":")];
  await expect(withClone(planFor(["/bin/true", "--"], tool, by))).rejects.toThrow("no word");
});

it("an fd of the tool's can be a copy as well, the same for each run", async () => {
  const [by, program] = [script("by", OFFER), script("program", "echo copy $0")];
  const plan: ToolPlan = {
    kind: "tool",
    argv: [
      "/bin/sh",
      "-c",
      "[ ! -e /proc/self/fd/4 ] && /bin/sh /proc/self/fd/5; cat <&3; exit 0",
      "--",
    ],
    env: {},
    fds: { 3: { data: "data\n", isForProgram: true }, 5: { clone: { program, by } } },
    mechanisms: { cwd: "none" },
    interpret: ({ exitCode }) => ({ kind: "exited", exitCode: exitCode ?? 255 }),
  };
  const [[fd, ours] = [], ...more] = await clonedFds(plan);
  expect([fd, more]).toEqual([5, []]);
  expect(await clonedFds(plan)).toEqual(new Map([[5, ours]]));
  const backend: Backend = {
    apiVersion: 1,
    name: "copies",
    capabilities: new Set(["cwd"]),
    probe: () => Promise.resolve({ available: true }),
    plan: () => plan,
  };
  const config = { cwd: "/", mounts: [], network: "host", isolate: [], writable: "all" } as const;
  const { stdout } = await run({ ...config, command: ["true"] }, { backend, prefer: "all" });
  expect(Buffer.from(stdout ?? []).toString()).toBe("copy /proc/self/fd/5\ndata\n");
});

it("a copy for an fd that cannot be made is LAUNCH_FAILED", async () => {
  const [by, program] = [script("by", "echo no memory >&2; exit 1"), script("program", ":")];
  const plan = { ...planFor(["/bin/true"], program, by), fds: { 5: { clone: { program, by } } } };
  await expect(clonedFds(plan)).rejects.toMatchObject({ code: "LAUNCH_FAILED" });
});
