import { spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { highestFd, REPORT_FD, SUPERVISOR } from "../src/supervisor.js";

const SHELLS = ["/usr/bin/dash", "/usr/bin/bash", "/usr/bin/busybox"];

for (const program of SHELLS) {
  describe.skipIf(!existsSync(program))(`the supervisor, in ${program}`, () => {
    /** Starts it the way the tool does, with some fds left open. */
    const supervise = (
      command: readonly string[],
      { variables = ["PATH=/bin", "PWD=/"], open = 0 } = {},
    ) => {
      const highest = highestFd(open);
      const fds: number[] = [];
      const stdio = Array.from({ length: Math.max(highest, REPORT_FD) + 1 }, (_, fd) => {
        if (fd <= 2 || fd === REPORT_FD) return "pipe" as const;
        if (fd > highest) return "ignore" as const;
        return fds[fds.push(openSync("/", "r")) - 1] ?? "ignore";
      });
      const words = [SUPERVISOR, SUPERVISOR, String(highest), String(variables.length)];
      try {
        const args = ["-c", ...words, ...variables, ...command];
        const { status, output } = spawnSync(program, args, {
          env: {},
          argv0: "sh",
          stdio,
          encoding: "utf8",
        });
        return { status, out: output[1], err: output[2], report: output[REPORT_FD] };
      } finally {
        for (const fd of fds) closeSync(fd);
      }
    };

    it("an exit status is reported and handed on", () => {
      const { status, report } = supervise(["sh", "-c", "exit 42"]);
      expect(status).toBe(42);
      expect(report).toMatch(/^up \d+\nexit 42\n$/);
    });

    it("death by signal n is reported as 128+n, and the shell's remark stays off standard error", () => {
      const { report, err } = supervise(["sh", "-c", "echo own >&2; kill -TERM $$"]);
      expect(report).toMatch(/^exit 143$/m);
      expect(err).toBe("own\n");
    });

    it("the program has the fds 0, 1 and 2, however many were left open", () => {
      for (const open of [0, 1, 5, 6, 7, 40]) {
        // Not the fd by which the shell reads the directory, and no high one that these tests were started with.
        const list =
          'for fd in /proc/$$/fd/*; do [ -L "$fd" ] && [ ${fd##*/} -lt 60 ] && echo ${fd##*/}; done; :';
        expect(supervise(["sh", "-c", list], { open }).out).toBe("0\n1\n2\n");
      }
    });

    it("the environment is exact, whatever its names are", () => {
      const variables = [
        "PATH=/bin",
        "a.b=1",
        "--setenv=2",
        "with space=3",
        "EMPTY=",
        "L=x\ny",
        "PWD=/",
      ];
      expect(supervise(["env", "-0"], { variables }).out).toBe(
        variables.map((each) => `${each}\0`).join(""),
      );
    });

    it("a command that begins with a dash is a command", () => {
      expect(supervise(["--help"]).status).toBe(127);
    });

    it("a command that cannot be started is told apart from a program that exits alike", () => {
      expect(supervise(["/no/such"]).report).toMatch(/^failed COMMAND_NOT_FOUND /m);
      expect(supervise(["/proc/version"]).report).toMatch(/^failed COMMAND_NOT_EXECUTABLE /m);
      expect(supervise(["/etc"]).report).toMatch(/^failed COMMAND_NOT_EXECUTABLE /m);
      expect(supervise(["/bin/a=b"]).report).toMatch(/^failed COMMAND_NOT_EXECUTABLE .*"="/m);
      expect(supervise(["sh", "-c", "exit 127"]).report).toMatch(/^exit 127$/m);
    });
  });
}
