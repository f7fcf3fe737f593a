import assert from "node:assert/strict";
import { realpathSync } from "node:fs";
import type { Capability, ConfigInput } from "@sandboxlib/core";
import type { Topic } from "../case.js";
import { succeeded } from "../check.js";
import type { Context } from "../context.js";
import { mountTable } from "../host/mounts.js";
import { endSurvivors, lastingSurvivors, markDescendants } from "../host/survivors.js";

/** What others do meanwhile on the same machine is not there after each of so many runs. */
const ROUNDS = 3;

/** What the tool itself leaves on the host, whatever the program does. They run first, as what is left stays there. */
export const leftovers: Topic = {
  title: "what a run leaves on the host",
  isAlone: true,
  cases: [
    {
      title: "no process",
      skip: () =>
        markDescendants() ? undefined : "this host has no prlimit to mark processes with",
      async run({ sh }) {
        markDescendants();
        try {
          for (let round = 0; round < ROUNDS; round += 1) succeeded(await sh(":"));
          const left = await lastingSurvivors(3000);
          const names = left.map(({ pid, command }) => `${pid} (${command})`);
          assert(left.length === 0, `a run leaves processes on the host: ${names.join(", ")}`);
        } finally {
          endSurvivors();
        }
      },
    },
    {
      title: "no mount",
      async run(context) {
        for (const config of configs(context)) {
          let left: readonly string[] = [];
          for (let round = 0; round < ROUNDS; round += 1) {
            const before = new Set(mountTable());
            succeeded(await context.sh(":", config));
            left = mountTable().filter((line) => !before.has(line));
            if (left.length === 0) break;
          }
          assert(left.length === 0, `a run leaves mounts on the host: ${left.join(", ")}`);
        }
      },
    },
    {
      title:
        "no file, as a program begins in the directory of its case where the host's root is its own",
      async run({ kit, scratch, sh }) {
        const { out } = succeeded(await sh("pwd -P"));
        const expected = kit.has.has("mount.tmpfs") ? "/tmp" : realpathSync(scratch);
        assert.equal(out.trim(), kit.has.has("root") ? "/" : expected);
      },
    },
  ],
};

/** A plain config, and one with everything that is mounted. */
function configs({ kit, scratch }: Context): ConfigInput[] {
  const target = kit.has.has("root") ? "/mnt/other" : scratch;
  const has = (word: Capability): boolean => kit.has.has(word);
  return [
    {},
    ...(has("mount.bind")
      ? [{ mounts: [{ type: "bind", source: scratch, target } as const] }]
      : []),
    ...(has("mount.tmpfs") ? [{ mounts: [{ type: "tmpfs", target } as const] }] : []),
    ...(has("hidden") ? [{ hidden: [has("root") ? "/secret" : scratch], cwd: "/" }] : []),
  ];
}
