import { PassThrough } from "node:stream";
import type { CommandOptions, RunOptions } from "@sandboxlib/core";
import { busy, edited, falsified, NOTHING, sessions } from "../lasting-lies.js";
import type { Liar } from "./liar.js";

/** Liars about sessions. */
export const SESSIONS: readonly Liar[] = [
  {
    does: "runs each command of a session in a sandbox of its own",
    lie: () =>
      sessions(async (sandbox) => ({
        backend: sandbox.backend,
        run: (argv, options) => sandbox.run(argv, ofRuns(options)),
        spawn: async (argv, options) => sandbox.spawn(argv, ofRuns(options)),
        close: async () => undefined,
        [Symbol.asyncDispose]: async () => undefined,
      })),
    caughtBy: [
      "sessions: a command finds",
      "sessions: a process that",
      "sessions: a command has its own",
      "sessions: options with a fault",
      "the end of a session: a session can be closed",
      "the end of a session: close ends what",
      "the end of a session: close ends running",
    ],
  },
  {
    does: "has one session for all",
    lie: () => {
      let only: ReturnType<Parameters<Parameters<typeof sessions>[0]>[1]> | undefined;
      return sessions(async (_, honest) => ({
        ...(await (only ??= honest())),
        close: async () => undefined,
      }));
    },
    caughtBy: ["sessions: two sessions", "sessions: what a session had"],
  },
  {
    does: "leaves a session open that is disposed of",
    lie: () => edited(() => ({ [Symbol.asyncDispose]: async () => undefined })),
    caughtBy: ["the end of a session: disposing"],
  },
  {
    does: "does one thing at a time",
    lie: () => edited(busy),
    caughtBy: [
      "commands of a session: ten",
      "commands of a session: a hundred",
      "commands of a session: kill",
      "streams of a session: files",
    ],
  },
  {
    does: "ends the session with the first command that fails",
    lie: () =>
      edited(({ run, close }) => ({
        run: (argv, options) =>
          run(argv, options).catch(async (error: unknown) => {
            await close();
            throw error;
          }),
      })),
    caughtBy: ["sessions: a command that cannot", "streams of a session: a stream that cannot"],
  },
  {
    does: "does not know why a command has ended",
    lie: () =>
      edited(({ run }) => ({ run: (argv, options) => run(argv, options).catch(() => NOTHING) })),
    caughtBy: ["the end of a session: a session can be closed", "the end of a session: SIGKILL"],
  },
  {
    does: "says that everything went well",
    lie: () =>
      edited(({ run }) => ({
        run: async (argv, options) => falsified(await run(argv, options), NOTHING),
      })),
    caughtBy: [
      "sessions: a result tells",
      "commands of a session: exit statuses",
      "commands of a session: a command that writes",
      "commands of a session: a process that holds",
    ],
  },
  {
    does: "does not listen to an AbortSignal in a session",
    lie: () =>
      edited(({ spawn }) => ({
        spawn: (argv, options) =>
          spawn(argv, { ...options, signal: undefined, limits: { wallTime: 1 } }),
      })),
    caughtBy: ["commands of a session: an AbortSignal"],
  },
  {
    does: "aborts a command that should time out",
    lie: () =>
      edited(({ run }) => ({
        run: (argv, options) =>
          run(argv, { ...options, limits: undefined, signal: AbortSignal.timeout(300) }),
      })),
    caughtBy: ["commands of a session: a command that runs longer"],
  },
  {
    does: "hands an fd on to the commands of a session",
    lie: () =>
      edited(({ run }) => ({
        run: (argv = [], options) =>
          run(["sh", "-c", 'exec "$@" 9</etc/motd', "sh", ...argv], options),
      })),
    caughtBy: ["streams of a session: a command has the fds"],
  },
  {
    does: "gives the commands of a session neither input nor standard error",
    lie: () =>
      edited(({ run, spawn }) => ({
        run: (argv, options) => run(argv, { ...options, stdin: "discard", stderr: "discard" }),
        spawn: (argv, options) => spawn(argv, { ...options, stderr: "discard" }),
      })),
    caughtBy: [
      "streams of a session: standard input",
      "streams of a session: the outputs",
      "streams of a session: the streams of",
      "streams of a session: files",
    ],
  },
  {
    does: "leaves a pipe open that nobody reads",
    lie: () =>
      edited(({ spawn }) => ({
        spawn: async (argv, options) => ({
          ...(await spawn(argv, options)),
          stdout: new PassThrough(),
        }),
      })),
    caughtBy: ["streams of a session: a pipe"],
  },
  {
    does: "finds a stream that does not exist",
    lie: () =>
      edited(({ run }) => ({
        run: (argv, options) => run(argv, { ...options, stdin: "discard" }),
      })),
    caughtBy: ["streams of a session: a stream that cannot"],
  },
];

/** The options that a run in a sandbox of its own has, too. */
function ofRuns(options: CommandOptions = {}): RunOptions {
  const { env: _, cwd: __, ...others } = options;
  return others;
}
