import { Socket } from "node:net";
import type { Readable } from "node:stream";
import type { Streams } from "../backend/running.js";

/** The outputs of a run that its caller reads, and what becomes of them when the program has ended. */
export interface PipedOutputs {
  /**
   * Resolves when what listeners are called with has been delivered, as far as it comes: a reader that takes nothing for
   * two seconds is not waited for.
   */
  readonly delivered: () => Promise<void>;
  /** Sees to it that each of them ends, and drains those that nobody reads. */
  readonly close: () => void;
}

/** For those of the streams that there are. */
export function pipedOutputs({ stdout, stderr }: Pick<Streams, "stdout" | "stderr">): PipedOutputs {
  const outputs = [stdout, stderr].filter((stream) => stream !== null);
  return {
    async delivered() {
      await Promise.all(outputs.filter(isPushed).map((stream) => untilIdle(stream, true)));
    },
    close() {
      // In a later turn of the event loop, so that a caller who has awaited the result can still begin to read.
      setImmediate(() => {
        for (const stream of outputs) {
          if (!isRead(stream)) stream.resume();
          void endOf(stream);
        }
      });
    },
  };
}

/** Whether listeners get the data as it comes. Others take it when they like to, and are waited for by nobody. */
function isPushed(stream: Readable): boolean {
  return stream.listenerCount("data") > 0 && stream.listenerCount("readable") === 0;
}

/** Whether somebody reads a stream. One that is paused will be read again. */
function isRead(stream: Readable): boolean {
  return stream.readableFlowing !== null || stream.listenerCount("readable") > 0;
}

/**
 * Ends a stream that somebody else keeps open, such as a process outside that was sent the fd: when the program has ended
 * and nothing more comes, its reader would wait for ever.
 */
async function endOf(stream: Readable): Promise<void> {
  while (!stream.closed && bytesRead(stream) !== undefined) {
    await untilIdle(stream, false);
    // What is in the buffer is for its reader to take first, and one that has paused may find more.
    if (!stream.closed && !isPaused(stream) && stream.readableLength === 0) stream.push(null);
  }
}

/** Node calls what is not `data` paused, too. */
function isPaused(stream: Readable): boolean {
  return stream.isPaused() && stream.listenerCount("readable") === 0;
}

const STEP = 100;
const STEPS = 20;

/**
 * Resolves when a stream is closed, or when nothing has come from it and nothing was taken for two seconds. It looks in
 * short steps, because Node reads between them: if this process was busy, a single timer would fire before anything was
 * read.
 */
function untilIdle(stream: Readable, keepsAlive: boolean): Promise<void> {
  return new Promise((resolve) => {
    let [idle, seen] = [0, -1];
    const over = (): void => {
      clearInterval(timer);
      stream.off("close", over);
      resolve();
    };
    const timer = setInterval(() => {
      const taken = (bytesRead(stream) ?? 0) - stream.readableLength;
      idle = taken === seen ? idle + 1 : 0;
      seen = taken;
      if (idle === STEPS) over();
    }, STEP);
    if (!keepsAlive) timer.unref();
    stream.once("close", over);
    if (stream.closed) over();
  });
}

/** How much has come from the other end, which only a stream over an fd tells. */
function bytesRead(stream: Readable): number | undefined {
  return stream instanceof Socket ? stream.bytesRead : undefined;
}
