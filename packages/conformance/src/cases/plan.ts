import assert from "node:assert/strict";
import type { Capability } from "@sandboxlib/core";
import { capabilitiesOf } from "@sandboxlib/core/backend";
import type { Topic } from "../case.js";

export const plan: Topic = {
  title: "plan",
  isAlone: true,
  cases: [
    {
      title: "a plan is data, and the same for the same config and host",
      async run({ sandbox }) {
        const [one, two] = [await sandbox(), await sandbox()];
        const parts = Object.entries(one.plan).filter(([, part]) => typeof part !== "function");
        const data: unknown = JSON.parse(JSON.stringify(one.plan));
        assert.deepEqual(Object.fromEntries(parts), data);
        assert.deepEqual(JSON.parse(JSON.stringify(two.plan)), data);
      },
    },
    {
      title: "a plan starts a program of the host by its absolute path",
      async run({ sandbox }) {
        const { plan } = await sandbox();
        const steps = plan.kind === "tool" ? (plan.before ?? []) : [];
        const programs = [
          ...(plan.kind === "engine" ? [] : [plan.argv]),
          ...steps.map(({ run }) => run),
        ];
        for (const [program] of programs) assert(program.startsWith("/"), program);
      },
    },
    {
      title: "the tool gets no variable of the caller",
      async run({ sandbox }) {
        process.env["SANDBOXLIB_KIT_SECRET"] = "secret";
        try {
          const text = JSON.stringify((await sandbox()).plan);
          assert(
            !text.includes("SANDBOXLIB_KIT_SECRET"),
            "a variable of the caller is in the plan",
          );
        } finally {
          delete process.env["SANDBOXLIB_KIT_SECRET"];
        }
      },
    },
    {
      title: "a plan names a mechanism for what is declared, and for nothing else",
      async run({ kit: { backend }, sandbox }) {
        const named = Object.keys((await sandbox()).plan.mechanisms);
        assert.deepEqual(
          named.filter((word) => !capabilitiesOf(backend).has(word as Capability)),
          [],
        );
      },
    },
  ],
};
