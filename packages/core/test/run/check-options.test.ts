import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import type { Backend, ToolPlan } from "../../src/index.backend.js";
import { createSandbox, run } from "../../src/index.js";
import { thrown } from "../support/thrown.js";

/** Never asked to run anything: the faults are found before. */
const backend: Backend = {
  apiVersion: 1,
  name: "made-up",
  capabilities: new Set(["cwd", "tree.kill"]),
  probe: async () => ({ available: true }),
  plan: () =>
    ({
      kind: "tool",
      argv: ["/nowhere"],
      env: {},
      mechanisms: { cwd: "none", "tree.kill": "none" },
      interpret,
    }) satisfies ToolPlan,
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

  it("with options that are no plain object is CONFIG_INVALID", async () => {
    const error = await thrown(() => sandbox.run(["true"], new Map([["maxOutput", 1]]) as never));
    expect(error).toMatchObject({ code: "CONFIG_INVALID", path: "options" });
    expect(error.message).toBe("options: a Map is no plain object");
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

const WRONG: [call: string, run: () => unknown, message: string, hint?: string][] = [
  [
    "a shell line as command",
    () => sandbox.run("ls -l" as never),
    'command: "ls -l" is no list',
    'Give each word by itself: ["ls", "-l"]. A line for a shell is ["sh", "-c", "ls -l"].',
  ],
  [
    "a bigint as word",
    () => sandbox.run(["sleep", 1n as never]),
    "command[1]: 1n must be a string or bytes",
  ],
  [
    "cwd",
    () => sandbox.run(["true"], { cwd: "/" } as never),
    "cwd: unknown option",
    "`cwd` is a field of the config. A command of a session can have its own.",
  ],
  [
    "env",
    () => sandbox.spawn(["true"], { env: {} } as never),
    "env: unknown option",
    "`env` is a field of the config. A command of a session can have its own.",
  ],
  [
    "timeout",
    () => sandbox.run(["true"], { timeout: 5 } as never),
    "timeout: unknown option",
    "A time limit is `limits.wallTime` of the config, in seconds.",
  ],
  [
    "network",
    () => sandbox.run(["true"], { network: "host" } as never),
    "network: unknown option",
    "`network` is a field of the config, from which the sandbox is made.",
  ],
  [
    "a slip of the pen",
    () => sandbox.run(["true"], { sdtin: "discard" } as never),
    "sdtin: unknown option",
    "Did you mean `stdin`?",
  ],
  [
    "what nobody knows",
    () => sandbox.run(["true"], { "a b": 1 } as never),
    '["a b"]: unknown option',
    "The options are stdin, stdout, stderr, passFds, signal, maxOutput, tty.",
  ],
  ["null as options", () => sandbox.run(["true"], null as never), "options: null is no object"],
  ["a text as options", () => sandbox.run(["true"], "x" as never), 'options: "x" is no object'],
  [
    "what has millions of keys",
    () => sandbox.run(["true"], { stdin: unlisted(Buffer.from("secret")) as never }),
    "stdin: object is none of its values",
    "It is one of discard, inherit, pipe, { data }, { stream }, { file } or { fd }.",
  ],
  [
    "a Buffer as standard input",
    () => sandbox.run(["true"], { stdin: Buffer.from("secret") as never }),
    "stdin: bytes are none of its values",
    "Give it as `{ data }`.",
  ],
  [
    "a stream as standard input",
    () => sandbox.run(["true"], { stdin: Readable.from(["secret"]) as never }),
    "stdin: a stream is none of its values",
    "Give it as `{ stream }`.",
  ],
  [
    "an fd of a standard stream to pass on",
    () => sandbox.run(["true"], { passFds: [2] }),
    "passFds: [2] is no list of fds above 2",
  ],
  [
    "an unknown option of the sandbox and the run",
    () => run({ command: ["true"] }, { backend, timeout: 5 } as never),
    "timeout: unknown option",
    "A time limit is `limits.wallTime` of the config, in seconds.",
  ],
  [
    "an unknown option of a session",
    () => sandbox.openSession({ sginal: undefined } as never),
    "sginal: unknown option",
    "Did you mean `signal`?",
  ],
];

/** Fails the test when somebody lists its keys, of which bytes have one each. */
function unlisted(bytes: Uint8Array): unknown {
  const ownKeys = (): string[] => {
    throw new Error("the bytes were enumerated");
  };
  return new Proxy(bytes, { ownKeys });
}

describe("a wrong call", () => {
  it.each(WRONG)("%s: the message and the hint", async (_, call, message, hint) => {
    const error = await thrown(call);
    expect([error.code, error.message, error.hint]).toEqual(["CONFIG_INVALID", message, hint]);
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
