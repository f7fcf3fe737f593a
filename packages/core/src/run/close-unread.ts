import type { Readable, Writable } from "node:stream";

/**
 * Lets go of the streams of a program that has ended, as Node does with those of its own children. What somebody reads
 * stays until it has been read; a pipe that nobody reads would never be closed.
 */
export function closeUnread(
  stdin: Writable | null,
  { stdout, stderr }: { readonly stdout: Readable | null; readonly stderr: Readable | null },
): void {
  stdin?.destroy();
  // In a turn of its own: who has waited for the end may begin to read what is there.
  setImmediate(() => {
    for (const stream of [stdout, stderr]) if (stream !== null && !isRead(stream)) stream.resume();
  });
}

/** One that was paused will be read again. */
function isRead(stream: Readable): boolean {
  return stream.readableFlowing !== null || stream.listenerCount("readable") > 0;
}
