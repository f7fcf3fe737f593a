import { existsSync } from "node:fs";
import { type ConfigInput, createSandbox } from "@sandboxlib/core";
import { describe, expect, it } from "vitest";
import namespaces from "../src/index.js";
import { note, skip } from "./available.js";

/** Root's program is another user: who has the uid 0 and no capability can map no id. */
const USER: ConfigInput = process.getuid?.() === 0 ? { user: { uid: 1234, gid: 1234 } } : {};
const ALLOWED: ConfigInput = { ...USER, cwd: "/", allow: ["user-namespaces"] };
const BWRAP =
  "bwrap --unshare-user --unshare-pid --unshare-net --unshare-ipc --unshare-uts --hostname box --ro-bind / / --proc /proc --dev /dev";

/** What makes sandboxes, and what it says. */
const PROGRAMS: readonly (readonly [program: string, line: string, said: string])[] = [
  ["/usr/bin/unshare", "unshare -Ur id -u", "0"],
  ["/usr/bin/unshare", "unshare -Urm --mount-proc -pf sh -c 'echo $$'", "1"],
  ["/usr/bin/bwrap", `${BWRAP} uname -n`, "box"],
  ["/usr/bin/bwrap", `${BWRAP} ${BWRAP} uname -n`, "box"],
  [
    "/usr/bin/bwrap",
    "bwrap --unshare-all --ro-bind / / true 2>/dev/null || echo refused",
    "refused",
  ],
];

async function said(line: string, config: ConfigInput) {
  const sandbox = await createSandbox(config, { backend: namespaces });
  const { stdout, enforcement } = await sandbox.run(["sh", "-c", `${line} 2>&1`]);
  return {
    out: Buffer.from(stdout ?? [])
      .toString()
      .trim(),
    enforcement,
  };
}

describe.skipIf(skip)(`sandboxes inside${note}`, () => {
  for (const [program, line, expected] of PROGRAMS) {
    const isThere = existsSync(program);
    const title = isThere ? line : `${line} (${program} is not installed)`;
    it.skipIf(!isThere)(title, async () => {
      expect((await said(line, ALLOWED)).out).toBe(expected);
    });
  }

  it("are named in the receipt, which says nothing else than before of the rest", async () => {
    const [open, kept] = [await said(":", ALLOWED), await said(":", { ...USER, cwd: "/" })];
    const mechanisms = ({ enforcement }: typeof open, word: string): string[] =>
      enforcement.enforced.flatMap((each) => (each.capability === word ? each.mechanism : []));
    expect(mechanisms(open, "allow.user-namespaces")).toEqual([
      "user namespaces inside are allowed: max_user_namespaces as it is, and a profile that lets mounts in them pass",
    ]);
    expect(mechanisms(kept, "allow.user-namespaces")).toEqual([]);
    expect(mechanisms(open, "isolate.user").join()).not.toContain("max_user_namespaces");
    expect(mechanisms(kept, "isolate.user").join()).toContain("max_user_namespaces 0");
    const others = (of: typeof open): unknown[] =>
      of.enforcement.enforced.filter(
        ({ capability }) => !["allow.user-namespaces", "isolate.user"].includes(capability),
      );
    expect(others(open)).toEqual(others(kept));
  });

  it("cannot be made in a session either, unless the config allows it", async () => {
    const made = async (config: ConfigInput): Promise<number | undefined> => {
      const sandbox = await createSandbox(config, { backend: namespaces });
      await using session = await sandbox.openSession();
      const { exitCode } = await session.run(["unshare", "-U", "true"]);
      return exitCode;
    };
    expect([await made(ALLOWED), await made({ ...USER, cwd: "/" })]).toEqual([0, 1]);
  });
});
