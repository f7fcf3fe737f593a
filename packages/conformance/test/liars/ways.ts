import { PassThrough, Transform } from "node:stream";
import type { ConfigInput, RunOptions, SandboxChild } from "@sandboxlib/core";
import { falsified } from "../lasting-lies.js";
import { inEveryWay } from "../way-lies.js";
import type { Liar } from "./liar.js";

/** Liars about what is the same for a run, a session and a pool. */
export const WAYS: readonly Liar[] = [
  {
    does: "takes no input from a stream",
    lie: () => inEveryWay({ options: withoutStream }),
    caughtBy: ["feeding"],
  },
  {
    does: "takes pieces for lines",
    lie: () => inEveryWay({ child: (own) => ({ lines: (output) => firstPiece(own[output]) }) }),
    caughtBy: ["lines"],
  },
  {
    does: "does not know that a program may be given time to end",
    lie: () => inEveryWay({ config: (config) => ({ ...config, stop: undefined }) }),
    caughtBy: [
      "stop: a program that times out",
      "stop: what does not end",
      "stop: a stopped program",
    ],
  },
  {
    does: "knows no profiles",
    lie: () => inEveryWay({ config: (config) => ({ ...config, seccomp: "none" }) }),
    caughtBy: [
      "system calls: the profile `default` holds where",
      "system calls: the profile `build`",
      "system calls: the profile `strict`",
      "system calls: a profile of the user's own",
    ],
  },
  {
    does: "has one profile for all",
    lie: () => inEveryWay({ config: (config) => ({ ...config, seccomp: "default" }) }),
    caughtBy: [
      "system calls: the profile `none`",
      "system calls: the profile `build`",
      "system calls: a profile of the user's own",
    ],
  },
  {
    does: "starts what was aborted, and says that it did not",
    lie: () =>
      inEveryWay({
        options: (given) => ({ ...given, signal: undefined }),
        child: ({ result }) => ({
          result: result.then((own) => falsified(own, { outcome: "aborted" })),
        }),
      }),
    caughtBy: ["stop: a command whose signal was aborted before"],
  },
  {
    does: "is late to abort",
    lie: () => inEveryWay({ options: abortedLate }),
    caughtBy: ["stop: no command begins"],
  },
  {
    does: "sends no signals",
    lie: () => inEveryWay({ child: () => ({ kill: () => false }) }),
    caughtBy: ["stopped programs: a program that stops itself goes on"],
  },
  {
    does: "ends everything, whatever the signal",
    lie: () => inEveryWay({ child: (own) => ({ kill: () => own.kill("SIGKILL") }) }),
    caughtBy: [
      "ending a run: what a terminal sends",
      "ending a run: a signal that does not exist",
      "ending a run: signals that come",
    ],
  },
  {
    does: "takes a time-out for an end",
    lie: () =>
      inEveryWay({
        child: ({ result }) => ({
          result: result.then((own) => falsified(own, { outcome: "exited" })),
        }),
      }),
    caughtBy: [
      "stopped programs: a program that stops itself does not",
      "stop: a program that times",
    ],
  },
  {
    does: "takes a command that could not be started for one that went well",
    lie: () => inEveryWay({ isObliging: true }),
    caughtBy: [
      "commands: a command that is too long",
      "commands: a spawned command that cannot",
      "feeding: a stream that fails",
    ],
  },
  {
    does: "has a result before the output",
    lie: () =>
      inEveryWay({
        child: ({ stdout, stderr }) => ({ stdout: late(stdout), stderr: late(stderr) }),
      }),
    caughtBy: ["streams: a listener has had"],
  },
  {
    does: "gives the program the null device as standard input",
    lie: () => inEveryWay({ options: (given) => ({ ...given, stdin: "discard" }) }),
    caughtBy: ["streams: standard streams are pipes"],
  },
  {
    does: "kills a program whose reader has gone",
    lie: () => inEveryWay({ child: killedWithItsReader }),
    caughtBy: ["streams: a program whose reader"],
  },
  {
    does: "mounts nothing in /dev/shm",
    lie: () => inEveryWay({ config: withoutShm }),
    caughtBy: ["dev: mounts can lie in its shm"],
  },
];

function late(stream: SandboxChild["stdout"]): SandboxChild["stdout"] {
  return (
    stream?.pipe(
      new Transform({
        transform: (chunk, _encoding, done) => void setTimeout(done, 500, null, chunk),
      }),
    ) ?? null
  );
}

function killedWithItsReader(own: SandboxChild): Partial<SandboxChild> {
  const shown = new PassThrough();
  own.stdout?.on("data", (chunk) => shown.destroyed || shown.write(chunk));
  own.stdout?.once("end", () => shown.end());
  shown.once("close", () => own.kill("SIGKILL"));
  return { stdout: shown };
}

function withoutShm({ mounts, ...others }: ConfigInput): ConfigInput {
  return { ...others, mounts: mounts?.filter(({ target }) => !target.startsWith("/dev/shm/")) };
}

function abortedLate({ signal, ...others }: RunOptions): RunOptions {
  const controller = new AbortController();
  const abort = (): void => void setTimeout(() => controller.abort(), 1500);
  if (signal?.aborted === true) abort();
  else signal?.addEventListener("abort", abort);
  return { ...others, signal: controller.signal };
}

function withoutStream(options: RunOptions): RunOptions {
  const { stdin } = options;
  return typeof stdin === "object" && "stream" in stdin
    ? { ...options, stdin: "discard" }
    : options;
}

async function* firstPiece(stream: SandboxChild["stdout"]) {
  for await (const piece of stream ?? []) {
    yield String(piece);
    return;
  }
}
