import { now } from "../../host/lazily.js";
import { gone, initOf, stuck } from "../../host/processes.js";
import { SandboxError } from "../../result/error.js";
import { type Message, messageReader } from "./message.js";

/** A launcher that has been started, and the way to speak with it. */
export interface Channel {
  readonly startedAt: number;
  readonly send: (frame: Buffer) => void;
  /** Whether the launcher is there, as far as this process knows. */
  readonly isOpen: () => boolean;
  /** Ends everything in the sandbox; false when it has ended already. */
  readonly hangUp: () => boolean;
  /**
   * Resolves when the launcher and everything in the sandbox are gone, with what makes an error of that: most runs need
   * none, and its stack takes long to collect. Rejects with `CLEANUP_FAILED` when they would not go.
   */
  readonly closed: Promise<() => SandboxError>;
}

/**
 * Starts a launcher and sends it its first frames, which may be made while it starts.
 *
 * @throws SandboxError `LAUNCH_FAILED`
 */
export type Open<AnyChannel extends Channel> = (
  initialBytes: () => Buffer,
  onMessage: (message: Message) => void,
) => AnyChannel;

/** What a channel goes over. */
export interface Line {
  readonly write: (frame: Buffer) => void;
  /** Closes our side, at which the launcher ends; one that does not is killed. */
  readonly end: () => void;
  readonly isOpen: () => boolean;
  /** Resolves when the launcher is gone, and what it said has been read. Rejects when something of it is stuck. */
  readonly ended: Promise<LauncherEnd>;
}

/** How a launcher ended: in words, and whether something may be left of its sandbox. */
export interface LauncherEnd {
  readonly how: string;
  readonly wasKilled: boolean;
}

/**
 * Speaks with a launcher over a line.
 *
 * @returns the channel, and what takes what the launcher writes.
 */
export function channelOver(
  line: Line,
  launcher: string,
  onMessage: (message: Message) => void,
): { readonly channel: Channel; readonly take: (chunk: Buffer) => void } {
  const startedAt = now();
  let initPid: number | undefined;
  let broken: Error | undefined;
  const read = messageReader((message) => {
    if (message.type === "ready") initPid = message.initPid;
    onMessage(message);
  });
  const hangUp = (): boolean => {
    if (!line.isOpen()) return false;
    // What the launcher has still to say is read meanwhile.
    line.end();
    return true;
  };
  const take = (chunk: Buffer): void => {
    if (broken !== undefined) return;
    try {
      read(chunk);
    } catch (error) {
      broken ??= error instanceof Error ? error : new Error(String(error));
      hangUp();
    }
  };
  const closed = line.ended.then(async ({ how, wasKilled }) => {
    // A launcher that ends by itself has waited for pid 1, and the kernel ends everything else before that.
    const orphan = wasKilled ? initPid : undefined;
    if (orphan !== undefined && !(await gone(initOf(orphan)))) throw stuck();
    const why = broken === undefined ? how : `broke the protocol: ${broken.message}`;
    const message = `${launcher} ${why}, and the sandbox with it`;
    return () => new SandboxError("LAUNCH_FAILED", message);
  });
  closed.catch(() => undefined);
  const { write: send, isOpen } = line;
  return { channel: { startedAt, send, isOpen, hangUp, closed }, take };
}
