import { describe, expect, it } from "vitest";
import type { Backend, ToolPlan } from "../../src/index.backend.js";
import { createSandbox } from "../../src/index.js";
import { thrown } from "../support/thrown.js";

/** Never asked to run anything: the faults are found before. */
const backend: Backend = {
  apiVersion: 1,
  name: "made-up",
  capabilities: new Set(["cwd", "tree.kill"]),
  probe: async () => ({ available: true }),
  plan: () =>
    ({ kind: "tool", argv: ["/nowhere"], env: {}, mechanisms: {}, interpret }) satisfies ToolPlan,
};

const interpret: ToolPlan["interpret"] = () => ({ kind: "exited", exitCode: 0 });

const sandbox = await createSandbox(
  { cwd: "/", writable: "all", mounts: [], network: "host", isolate: [] },
  { backend },
);

describe("a run", () => {
  it.each([
    [[], "command"],
    [["echo", "a\0b"], "command[1]"],
    [["echo", 1], "command[1]"],
    [["echo", "half\ud800"], "command[1]"],
    [["echo", Buffer.from("a\0b")], "command[1]"],
    [["echo", Buffer.from([0xe9])], "command[1]"],
  ])("with the command %j is CONFIG_INVALID", async (argv, path) => {
    const error = await thrown(() => sandbox.run(argv as string[]));
    expect(error).toMatchObject({ code: "CONFIG_INVALID", path });
  });

  it.each([-1, 1.5, Number.NaN])("with maxOutput %d is CONFIG_INVALID", async (maxOutput) => {
    const error = await thrown(() => sandbox.run(["true"], { maxOutput }));
    expect(error).toMatchObject({ code: "CONFIG_INVALID", path: "maxOutput" });
  });

  it.each([null, 7, "text", ["array"], {}])(
    "whose stdin is to come from %j is CONFIG_INVALID",
    async (stream) => {
      const error = await thrown(() =>
        sandbox.run(["true"], { stdin: { stream: stream as never } }),
      );
      expect(error).toMatchObject({ code: "CONFIG_INVALID", path: "stdin" });
    },
  );

  it.each([
    ["stdin", "text"],
    ["stdin", null],
    ["stdin", { data: 7 }],
    ["stdin", { data: "x", file: "/x" }],
    ["stdout", {}],
    ["stdout", { fd: -1 }],
    ["stderr", { file: 7 }],
    ["signal", {}],
    ["tty", null],
  ])("whose %s is %j is CONFIG_INVALID", async (path, value) => {
    const error = await thrown(() => sandbox.run(["true"], { [path]: value }));
    expect(error).toMatchObject({ code: "CONFIG_INVALID", path });
  });

  it.each(["stdin", "stdout", "stderr"] as const)("has no stream to give for %s", async (name) => {
    const error = await thrown(() => sandbox.run(["true"], { [name]: "pipe" }));
    expect(error).toMatchObject({ code: "CONFIG_INVALID", path: name });
  });
});

describe("a backend that refuses in place of a plan", () => {
  it("has its refusal thrown as CAPABILITY_UNSUPPORTED", async () => {
    const refusal = { path: "mounts", reason: "is too much", hint: "Less." };
    const refusing: Backend = { ...backend, plan: () => ({ refusal }) };
    const config = { cwd: "/", writable: "all", mounts: [], network: "host", isolate: [] } as const;
    const error = await thrown(() => createSandbox(config, { backend: refusing }));
    expect(error).toMatchObject({
      code: "CAPABILITY_UNSUPPORTED",
      message: "mounts: is too much",
      path: "mounts",
      hint: "Less.",
    });
  });
});
