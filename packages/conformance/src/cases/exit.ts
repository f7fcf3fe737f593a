import assert from "node:assert/strict";
import { constants } from "node:os";
import { signalName } from "@sandboxlib/core";
import { type Backend, type ResolvedConfig, realHost } from "@sandboxlib/core/backend";
import type { Topic } from "../case.js";
import { succeeded } from "../check.js";
import type { Kit } from "../kit.js";

const STATUSES = [0, 1, 2, 3, 42, 64, 124, 125, 126, 127, 128, 129, 137, 143, 200, 254, 255];
/** Those that end a program which does not handle them, many with a core dump. SIGQUIT is left out: a shell may ignore it. */
const SIGNALS = (
  "HUP INT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM " +
  "STKFLT XCPU XFSZ VTALRM PROF IO PWR SYS"
)
  .split(" ")
  .map((name) => constants.signals[`SIG${name}` as NodeJS.Signals]);

export const exit: Topic = {
  title: "exit",
  isBare: true,
  cases: [
    {
      title: "an exit status from 0 to 255 arrives as it was",
      async run({ sandbox }) {
        const made = await sandbox();
        const exitWith = async (status: number): Promise<void> => {
          const { outcome, exitCode } = await made.run(["sh", "-c", `exit ${status}`]);
          assert.deepEqual({ outcome, exitCode }, { outcome: "exited", exitCode: status });
        };
        await Promise.all(STATUSES.map(exitWith));
      },
    },
    {
      title: "death by signal n is the exit status 128+n where it cannot be told apart",
      lacks: ["exit.signal"],
      async run({ sandbox }) {
        const made = await sandbox();
        const die = async (signal: number): Promise<void> => {
          const { outcome, exitCode } = await made.run(dieOf(signal));
          const expected = { outcome: "exited", exitCode: 128 + signal };
          assert.deepEqual({ outcome, exitCode }, expected, `signal ${signal}`);
        };
        await Promise.all(SIGNALS.map(die));
      },
    },
    {
      title: "death by a signal is reported as that signal",
      needs: ["exit.signal"],
      proves: ["exit.signal"],
      async run({ kit, sandbox }) {
        // A core that is dumped goes there.
        const tmp = { mounts: [{ type: "tmpfs", target: "/tmp" }], cwd: "/tmp" } as const;
        const made = await sandbox(kit.has.has("mount.tmpfs") ? tmp : {});
        const die = async (number: number): Promise<void> => {
          const { outcome, exitCode, signal } = await made.run(dieOf(number));
          assert.deepEqual([outcome, exitCode], ["signaled", undefined], `signal ${number}`);
          // One number may have several names.
          assert.equal(constants.signals[signal ?? "SIGCONT"], number);
        };
        await Promise.all(SIGNALS.map(die));
      },
    },
    {
      title: "death by a real-time signal is reported as that signal",
      needs: ["exit.signal"],
      skip: realTimeHidden,
      async run({ sandbox }) {
        const made = await sandbox();
        for (const number of [34, 64]) {
          const { outcome, exitCode, signal } = await made.run(dieOf(number));
          const expected = ["signaled", undefined, signalName(number)];
          assert.deepEqual([outcome, exitCode, signal], expected);
        }
      },
    },
    {
      title: "the exit status 128+n is not taken for a signal",
      needs: ["exit.signal"],
      async run({ sandbox }) {
        const made = await sandbox();
        const exitHigh = async (signal: number): Promise<void> => {
          const { outcome, exitCode } = await made.run(["sh", "-c", `exit ${128 + signal}`]);
          assert.deepEqual([outcome, exitCode], ["exited", 128 + signal]);
        };
        await Promise.all(SIGNALS.map(exitHigh));
      },
    },
    {
      title: "a program whose reader has gone dies of SIGPIPE, as on the host",
      async run({ sh }) {
        const writer = "sh -c 'while echo x; do :; done' 2>&-; echo $? >&2";
        const { err } = succeeded(await sh(`(${writer}) | head -n 1`));
        assert.equal(err, `${128 + constants.signals.SIGPIPE}\n`);
      },
    },
    {
      title: "a program that is quiet and content leaves nothing but exit status 0",
      async run({ run }) {
        const { outcome, exitCode, out, err, backend } = await run(["sh", "-c", ":"]);
        assert.deepEqual([outcome, exitCode, out, err], ["exited", 0, "", ""]);
        assert.notEqual(backend, "");
      },
    },
  ],
};

/** Node cannot tell a real-time signal from exit status 0 for a process that it has started itself. */
function realTimeHidden({ given }: Kit): string | undefined {
  return becomesProgram(given)
    ? "the tool becomes the program, and Node has no name for such a signal"
    : undefined;
}

function becomesProgram(backend: Backend): boolean {
  try {
    const plan = backend.plan(PLAIN, realHost());
    return !("refusal" in plan) && plan.kind === "tool" && plan.readReport === undefined;
  } catch {
    return false; // The cases say so.
  }
}

const PLAIN: ResolvedConfig = {
  root: "/",
  rootReadOnly: false,
  mounts: [],
  mirrors: [],
  cwd: "/",
  env: {},
  network: "host",
  isolate: new Set(),
  limits: {},
};

function dieOf(signal: number): string[] {
  return ["sh", "-c", `kill -${signal} $$`];
}
