import assert from "node:assert/strict";
import { constants } from "node:os";
import type { Topic } from "../case.js";
import { succeeded } from "../check.js";

const STATUSES = [0, 1, 2, 3, 42, 64, 124, 125, 126, 127, 128, 129, 137, 143, 200, 254, 255];
const SIGNALS = [
  "SIGHUP",
  "SIGINT",
  "SIGABRT",
  "SIGKILL",
  "SIGSEGV",
  "SIGPIPE",
  "SIGTERM",
  "SIGUSR1",
] as const;

export const exit: Topic = {
  title: "exit",
  cases: [
    {
      title: "an exit status from 0 to 255 arrives as it was",
      async run({ sandbox }) {
        const made = await sandbox();
        for (const status of STATUSES) {
          const { outcome, exitCode } = await made.run(["sh", "-c", `exit ${status}`]);
          assert.deepEqual({ outcome, exitCode }, { outcome: "exited", exitCode: status });
        }
      },
    },
    {
      title: "death by signal n is the exit status 128+n where it cannot be told apart",
      lacks: ["exit.signal"],
      async run({ sandbox }) {
        const made = await sandbox();
        for (const signal of SIGNALS) {
          const { outcome, exitCode } = await made.run(["sh", "-c", `kill -${signal.slice(3)} $$`]);
          const expected = { outcome: "exited", exitCode: 128 + constants.signals[signal] };
          assert.deepEqual({ outcome, exitCode }, expected, signal);
        }
      },
    },
    {
      title: "death by a signal is reported as that signal",
      needs: ["exit.signal"],
      async run({ sandbox }) {
        const made = await sandbox();
        for (const signal of SIGNALS) {
          const result = await made.run(["sh", "-c", `kill -${signal.slice(3)} $$`]);
          assert.deepEqual([result.outcome, result.signal], ["signaled", signal]);
          assert.equal(result.exitCode, undefined);
        }
      },
    },
    {
      title: "the exit status 128+n is not taken for a signal",
      needs: ["exit.signal"],
      async run({ sandbox }) {
        const made = await sandbox();
        for (const signal of SIGNALS) {
          const exitCode = 128 + constants.signals[signal];
          const result = await made.run(["sh", "-c", `exit ${exitCode}`]);
          assert.deepEqual([result.outcome, result.exitCode], ["exited", exitCode]);
        }
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
