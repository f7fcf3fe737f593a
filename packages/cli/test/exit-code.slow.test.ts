import { type Ending, ERROR_CODES } from "@sandboxlib/core";
import { describe, expect, test } from "vitest";
import { exitCodeOf, exitCodeOfError } from "../src/exit-code.js";
import { describeWith } from "./support/backend.js";
import { runSandbox } from "./support/cli.js";

const REST = { usage: { wallTime: 1 }, backend: "x", enforcement: { enforced: [], dropped: [] } };

test.each<[Ending, number]>([
  [{ outcome: "exited", exitCode: 0 }, 0],
  [{ outcome: "exited", exitCode: 255 }, 255],
  [{ outcome: "signaled", signal: "SIGKILL" }, 137],
  [{ outcome: "signaled", signal: "SIGSEGV" }, 139],
  [{ outcome: "signaled", signal: "SIGRTMIN+3" as NodeJS.Signals }, 165],
  [{ outcome: "timed-out" }, 124],
  [{ outcome: "timed-out", afterStop: { exitCode: 0 } }, 124],
  [{ outcome: "aborted" }, 125],
  [{ outcome: "limit-exceeded", exceeded: { limit: "stdout", bytes: 1 } }, 125],
  [{ outcome: "limit-exceeded", exceeded: { limit: "cpuTime", seconds: 1 } }, 152],
  [{ outcome: "limit-exceeded", exceeded: { limit: "fileSize", bytes: 1 } }, 153],
])("%o becomes the exit code %i", (result, exitCode) => {
  expect(exitCodeOf({ ...REST, ...result })).toBe(exitCode);
});

test("no error becomes the exit code of a program that succeeded", () => {
  const codes = Object.fromEntries(ERROR_CODES.map((code) => [code, exitCodeOfError(code)]));
  expect(codes).toEqual({
    ...Object.fromEntries(ERROR_CODES.map((code) => [code, 125])),
    CONFIG_INVALID: 2,
    COMMAND_NOT_EXECUTABLE: 126,
    COMMAND_NOT_FOUND: 127,
  });
});

for (const backend of ["namespaces", "bubblewrap", "chroot"]) {
  await describeWith(backend, "the exit code of a run", () => {
    describe.each([
      { what: "a program that succeeds", argv: ["--", "true"], exitCode: 0 },
      { what: "a program that fails", argv: ["--", "sh", "-c", "exit 77"], exitCode: 77 },
      {
        what: "a program that dies of SIGKILL",
        argv: ["--", "sh", "-c", "kill -9 $$"],
        exitCode: 137,
      },
      {
        what: "a program that dies of SIGTERM",
        argv: ["--", "sh", "-c", "kill $$"],
        exitCode: 143,
      },
      { what: "a time-out", argv: ["--timeout", "0.2", "--", "sleep", "60"], exitCode: 124 },
      {
        what: "a cpuTime that is used up",
        argv: ["--cpu-time", "0.2", "--", "sh", "-c", "while :; do :; done"],
        exitCode: 152,
      },
      {
        what: "a time-out with a grace period",
        argv: "--timeout 0.2 --stop-grace 20 --stop-signal INT -- sh -c"
          .split(" ")
          .concat("trap 'exit 0' INT; while :; do sleep 0.1; done"),
        exitCode: 124,
      },
      { what: "a command that is not executable", argv: ["--", "/etc/passwd"], exitCode: 126 },
      { what: "a command that does not exist", argv: ["--", "no-such-command"], exitCode: 127 },
      { what: "a root that does not exist", argv: ["/no/such/root", "true"], exitCode: 125 },
      { what: "a wrong option", argv: ["--frobnicate", "--", "true"], exitCode: 2 },
    ])("$what", ({ argv, exitCode }) => {
      test(`is ${exitCode}`, async () => {
        const ran = await runSandbox(["--backend", backend, "--degrade", "--quiet", ...argv]);
        expect(ran).toMatchObject({ exitCode, signal: null, stdout: "" });
      });
    });
  });
}
