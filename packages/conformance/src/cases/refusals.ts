import assert from "node:assert/strict";
import { allCapabilities, CAPABILITIES, type Capability, type ConfigInput } from "@sandboxlib/core";
import { basesOf } from "@sandboxlib/core/internal";
import { ASKING, type Asking } from "../asking.js";
import type { Case, Topic } from "../case.js";
import { refused, succeeded } from "../check.js";
import type { Context } from "../context.js";

export const refusals: Topic = {
  title: "refusals",
  isBare: true,
  cases: [
    ...allCapabilities().flatMap((capability) => {
      const asking = ASKING[capability];
      return asking === undefined ? [] : casesFor(capability, asking);
    }),
    {
      title: "a config with a fault is CONFIG_INVALID, whatever else it asks for",
      async run({ kit, config, sandbox }) {
        const faults: readonly [string, object][] = [
          ["nonsense", { nonsense: true }],
          ["mounts", { mounts: "bogus" }],
          ["mounts[0].type", { mounts: [{ type: "bogus", target: "/mnt" }] }],
          ["mounts[0].target", { mounts: [{ type: "tmpfs" }] }],
          ["mounts[0].target", { mounts: [{ type: "tmpfs", target: "tmp" }] }],
          ["mounts[0].target", { mounts: [{ type: "tmpfs", target: "/a/../b" }] }],
          ["network", { network: "bogus" }],
          ["writable", { writable: "bogus" }],
          ["cwd", { cwd: "relative" }],
          ["env", { env: { "A=B": "c" } }],
          ["root", { root: "/a\0b" }],
        ];
        assert.equal((await kit.backend.probe({} as never)).available, true);
        for (const [path, fault] of faults) {
          const error = await refused(sandbox({ ...config(), ...fault }), "CONFIG_INVALID");
          assert.equal(error.path, path);
        }
      },
    },
  ],
};

function casesFor(capability: Capability, { path, config }: Asking): Case[] {
  const base = { needs: basesOf(capability), lacks: [capability] };
  const refusal: Case = {
    ...base,
    title: `${capability} is refused, because it is not enforced`,
    async run(context) {
      const error = await refused(
        create(context, capability, config, false),
        "CAPABILITY_UNSUPPORTED",
      );
      assert.deepEqual([error.path, error.backend], [path, context.kit.backend.name]);
      const reason = context.kit.missing.get(capability) ?? capability;
      assert(error.message.includes(reason) && error.hint !== undefined, error.message);
    },
  };
  const mayDrop: Case = {
    ...base,
    title: `${capability} can be let go, and the result says so`,
    async run(context) {
      const made = await create(context, capability, config, true);
      const { enforcement } = succeeded({
        ...(await made.run(["sh", "-c", ":"])),
        out: "",
        err: "",
      });
      const dropped = enforcement.dropped.find((entry) => entry.capability === capability);
      assert.equal(dropped?.path, path);
      assert.notEqual(dropped.reason, "");
      assert(!enforcement.enforced.some((entry) => entry.capability === capability));
    },
  };
  return CAPABILITIES[capability].droppable ? [refusal, mayDrop] : [refusal];
}

function create(
  { kit, config, root }: Context,
  capability: Capability,
  extra: ConfigInput,
  mayDrop: boolean,
) {
  const prefer = kit.prefer.filter((word) => mayDrop || word !== capability);
  // Nothing is written, and every other directory might be what a backend refuses that says yes to too much.
  const asked = { ...config(extra), cwd: "/", ...(capability === "root" && { root }) };
  return kit.createSandbox(asked, { backend: kit.backend, prefer });
}
