import { fstatSync, write as writeTo } from "node:fs";
import type { Readable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import type { Streams } from "../backend/running.js";
import type { Limits } from "../config/types.js";
import { contentOf, errnoOf } from "../host/host.js";
import { SandboxError } from "../result/error.js";
import { orLater } from "./capture.js";
import type { StdioOptions } from "./options.js";
import type { Stop } from "./outcome.js";
import type { Sinks } from "./stdio.js";

/** Starts to copy each output that leads to a file or device, and to drain each that is discarded. */
export function startRelays(
  streams: Streams,
  { stdout, stderr }: StdioOptions,
  sinks: Sinks,
  { fileSize }: Limits,
  onStop: (reason: Stop) => void,
): Relay {
  const relays = (["stdout", "stderr"] as const).flatMap((name) => {
    const [stream, fd] = [streams[name], sinks[name]];
    return stream === null || fd === undefined ? [] : [relay(name, stream, fd, fileSize, onStop)];
  });
  const discarded = [
    isDiscarded(stdout, sinks.stdout) ? streams.stdout : null,
    isDiscarded(stderr, sinks.stderr) ? streams.stderr : null,
  ];
  for (const stream of discarded) stream?.on("error", () => undefined).resume();
  return {
    async drained() {
      const reasons = await Promise.all(relays.map((each) => each.drained()));
      return reasons.find((reason) => reason !== undefined);
    },
    async cut() {
      for (const stream of discarded) stream?.destroy();
      await Promise.all(relays.map((each) => each.cut()));
    },
  };
}

/** Whether nobody reads an output. */
function isDiscarded(
  option: StdioOptions["stderr"] = "capture",
  sink: number | undefined,
): boolean {
  return sink === undefined && option !== "capture" && option !== "pipe";
}

/** An output of the program that is copied to an fd. */
interface Relay {
  /** Resolves when everything is written, with the reason if it could not be. */
  readonly drained: () => Promise<Stop | undefined>;
  /** Closes the program's output; resolves when nothing is being written any more. */
  readonly cut: () => Promise<void>;
}

/**
 * Copies an output to an fd, no faster than that takes it.
 *
 * @param fileSize - The bytes beyond which a file may not grow, as for what the program writes to by itself.
 * @param onStop - Called when it cannot go on.
 */
function relay(
  name: "stdout" | "stderr",
  from: Readable,
  fd: number,
  fileSize: number | undefined,
  onStop: (reason: Stop) => void,
): Relay {
  let reason: Stop | undefined;
  let moved = 0;
  let isBusy = false;
  let room = fileSize === undefined ? Infinity : roomIn(fd, fileSize);
  const copy = async (): Promise<void> => {
    for await (const chunk of from) {
      const bytes = chunk as Buffer;
      isBusy = true;
      await writeAll(fd, bytes.subarray(0, room));
      isBusy = false;
      moved += bytes.length;
      if (fileSize !== undefined && bytes.length > room) {
        reason = { limit: "fileSize", bytes: fileSize };
        return;
      }
      room -= bytes.length;
    }
  };
  let isOver = false;
  const over = copy()
    .catch((cause: unknown) => {
      // EPIPE: the reader has had enough. An error while nothing is being written comes from a program that was killed.
      if (isBusy && errnoOf(cause) !== "EPIPE") reason = failure(name, cause);
      isBusy = false;
    })
    .then(() => {
      isOver = true;
      from.destroy();
      if (reason !== undefined) onStop(reason);
    });
  const cut = async (): Promise<void> => {
    from.destroy();
    await over;
  };
  return {
    async drained() {
      // A process that was not killed may keep the pipe open for ever. This waits as long as something comes, and then for
      // two seconds.
      for (let idle = 0, seen = moved; !isOver && idle < MOST_IDLE; seen = moved) {
        await orLater(over, STEP);
        idle = isBusy || moved > seen ? 0 : idle + 1;
      }
      await cut();
      return reason;
    },
    cut,
  };
}

/** In milliseconds, and how many such steps without data end the wait. */
const STEP = 100;
const MOST_IDLE = 20;
const RETRY = 5;

const write = promisify(writeTo);

async function writeAll(fd: number, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    try {
      const { bytesWritten } = await write(fd, bytes, at, bytes.length - at, null);
      at += bytesWritten;
    } catch (error) {
      // Somebody else may have made a pipe or a terminal non-blocking, for all who have it open.
      if (errnoOf(error) !== "EAGAIN") throw error;
      await setTimeout(RETRY);
    }
  }
}

/** How many bytes may still be written: a file opened for appending is written at its end, another at its position. */
function roomIn(fd: number, most: number): number {
  const stat = fstatSync(fd);
  if (!stat.isFile()) return Infinity;
  // proc(5): only Linux tells.
  const info = contentOf(`/proc/self/fdinfo/${fd}`) ?? "";
  const [, flags = "0"] = /^flags:\s+([0-7]+)$/m.exec(info) ?? [];
  const [, position = "0"] = /^pos:\s+(\d+)$/m.exec(info) ?? [];
  const isAppended = (Number.parseInt(flags, 8) & O_APPEND) !== 0;
  return Math.max(0, most - (isAppended ? stat.size : Number(position)));
}

const O_APPEND = 0o2000;

function failure(path: string, cause: unknown): SandboxError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const message = `${path}: what the program wrote cannot be handed on: ${reason}`;
  return new SandboxError("STREAM_FAILED", message, {
    path,
    hint: "The program has been ended: nobody would have had the rest.",
    cause,
  });
}
