import assert from "node:assert/strict";
import type { ConfigInput } from "@sandboxlib/core";
import { noProgram, prove } from "@sandboxlib/prove";
import type { Topic } from "../case.js";
import type { Context } from "../context.js";

/** What users run with `sandboxlib prove`, on the backend under test. */
export const attacked: Topic = {
  title: "attacks",
  // Some look at devices and processes of the host, which other cases touch as well.
  isAlone: true,
  cases: [
    {
      title: "on a sandbox with a root find nothing that is promised broken",
      needs: ["root", "mount.bind", "mount.tmpfs"],
      isWhole: true,
      skip: noProgram,
      async run(context) {
        context.allow("/work");
        await holds(context, {
          writable: context.kit.has.has("writable.paths") ? ["/work"] : "all",
          ...(context.kit.has.has("hidden") && { hidden: ["/secret", "/secret.txt"] }),
        });
      },
    },
    {
      title: "on a sandbox at the host's own root find nothing that is promised broken",
      isWhole: true,
      skip: noProgram,
      async run(context) {
        await holds(context, { root: "/", cwd: "/", mounts: [] });
      },
    },
  ],
};

async function holds({ config, kit }: Context, extra: ConfigInput): Promise<void> {
  const { backend, prefer, createSandbox } = kit;
  const { attacks } = await prove(config(extra), { backend, prefer }, { createSandbox });
  const failed = attacks.flatMap(({ title, about, seen, verdict }) =>
    verdict === "failed" ? [`${title} (${String(about)}): ${seen}`] : [],
  );
  assert.deepEqual(failed, [], "an attack succeeded");
  assert(
    attacks.some(({ verdict }) => verdict === "held"),
    "no attack was tried",
  );
}
