import assert from "node:assert/strict";
import { chmodSync, chownSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isMainThread } from "node:worker_threads";
import type { Topic } from "../case.js";
import { refused, succeeded } from "../check.js";
import { hasPowersOfRoot } from "../host/powers.js";
import type { Ran } from "../opened.js";

const IDS = "id -u; id -g";

export const user: Topic = {
  title: "user",
  isAlone: true,
  cases: [
    {
      title: "the program has the given uid and gid",
      needs: ["root", "user"],
      proves: ["user"],
      async run({ sh }) {
        for (const [uid, gid] of [
          [12345, 23456],
          [0, 0],
          [12345, 0],
        ] as const)
          assert.equal(succeeded(await sh(IDS, { user: { uid, gid } })).out, `${uid}\n${gid}\n`);
      },
    },
    {
      title: "the program has the caller's uid and gid where none are given",
      needs: ["root"],
      async run({ sh }) {
        const { out } = succeeded(await sh(IDS));
        assert.equal(out, `${process.getuid?.()}\n${process.getgid?.()}\n`);
      },
    },
    {
      title: "a given user has no supplementary group of the caller",
      needs: ["root", "user"],
      skip: () => (mayChangeGroups() ? undefined : "only root can take on groups to lose"),
      async run({ put, root, sh }) {
        // Open to nobody but the group; owned by neither the caller nor the user inside.
        const file = join(root, put("/work/group", "group\n", 0o040));
        chownSync(file, 4321, 54321);
        const groups = (uid: number, gid: number): Promise<Ran> =>
          withGroup(54321, () => sh("id -G", { user: { uid, gid } }));
        const read = (): Promise<Ran> =>
          withGroup(54321, () => sh("cat /work/group", { user: { uid: 12345, gid: 23456 } }));
        assert.equal((await read()).out, "");
        for (const [uid, gid] of [
          [12345, 23456],
          [0, 0],
        ] as const)
          assert.equal(succeeded(await groups(uid, gid)).out, `${gid}\n`);
      },
    },
    {
      title: "a given user that is not root can do nothing that only root can",
      needs: ["root", "user"],
      skip: () => (hasPowersOfRoot() ? undefined : "only root has powers to lose"),
      async run({ root, scratch, sh }) {
        writeFileSync(join(scratch, "x"), "");
        const file = join(root, "secret/key");
        chownSync(file, 4321, 4321);
        chmodSync(file, 0o600);
        const ran = await sh("cat /secret/key", { user: { uid: 12345, gid: 23456 } });
        assert.equal(ran.out, "");
      },
    },
    {
      title: "a given user that is not root cannot write what only root, or its group, can",
      needs: ["root", "user"],
      skip: () => (hasPowersOfRoot() ? undefined : "only root has powers to lose"),
      async run({ allow, root, sh }) {
        chmodSync(join(root, "data"), 0o755);
        chownSync(join(root, "work"), 4321, 0);
        chmodSync(join(root, "work"), 0o070);
        allow("/data");
        allow("/work");
        const ran = await sh(
          "for d in /data /work; do (: > $d/made) 2>&- && echo $d; done; exit 0",
          {
            user: { uid: 12345, gid: 23456 },
            writable: "all",
          },
        );
        assert.equal(succeeded(ran).out, "");
      },
    },
    {
      title:
        "with a range, files of other users are seen with their owners, and without one they are not",
      needs: ["root", "user.range", "isolate.user"],
      skip: () => (hasPowersOfRoot() ? undefined : "only root has other ids to give"),
      async run({ put, root, sh }) {
        chownSync(join(root, put("/work/other", "other\n")), 4321, 5432);
        const script = "id -u; id -g; ls -ldn /work/other";
        const seen = async (range?: number): Promise<string> =>
          succeeded(await sh(script, { user: { uid: 1234, gid: 2345, range } })).out;
        assert.match(await seen(65_536), /^1234\n2345\n\S+ +1 +4321 +5432 /);
        assert.match(await seen(), /^1234\n2345\n\S+ +1 +65534 +65534 /);
      },
    },
    {
      title: "a range that the caller has not the ids for is refused",
      needs: ["root", "user.range"],
      skip: () => (process.getuid?.() === 0 ? "root has every id" : undefined),
      async run({ sandbox }) {
        const attempt = sandbox({ user: { uid: 0, gid: 0, range: 4_000_000_000 } });
        assert.equal((await refused(attempt, "CAPABILITY_UNSUPPORTED")).path, "user.range");
      },
    },
    {
      title: "a range without the given uid or gid is CONFIG_INVALID",
      needs: ["user.range"],
      async run({ sandbox }) {
        for (const user of [
          { uid: 5, gid: 0, range: 5 },
          { uid: 0, gid: 5, range: 5 },
        ])
          assert.equal((await refused(sandbox({ user }), "CONFIG_INVALID")).path, "user.range");
      },
    },
  ],
};

/** Only the main thread of a process can change its groups. */
function mayChangeGroups(): boolean {
  return isMainThread && hasPowersOfRoot() && process.setgroups !== undefined;
}

async function withGroup<Value>(gid: number, run: () => Promise<Value>): Promise<Value> {
  const before = process.getgroups?.() ?? [];
  process.setgroups?.([...before, gid]);
  try {
    return await run();
  } finally {
    process.setgroups?.(before);
  }
}
