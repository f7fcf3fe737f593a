/** What the command line and the process that holds a session say to each other. Each message is one frame. */
export type FrameKind =
  /** To the daemon: a command as JSON, standard input, its end, a signal's name, and the end of the session. */
  | "command"
  | "stdin"
  | "stdin-end"
  | "signal"
  | "stop"
  /**
   * From the daemon: that it is there, that it takes more standard input, both outputs, and how the command ended, as
   * JSON.
   */
  | "ready"
  | "more"
  | "stdout"
  | "stderr"
  | "result"
  | "error";

/** One message. */
export interface Frame {
  readonly kind: FrameKind;
  readonly data: Buffer;
}

const KINDS: readonly FrameKind[] = [
  "command",
  "stdin",
  "stdin-end",
  "signal",
  "stop",
  "ready",
  "more",
  "stdout",
  "stderr",
  "result",
  "error",
];

/** The kind, and the length of what follows. */
const HEAD = 5;
/** The most bytes of a frame. A command is the longest, and the kernel takes 2 MiB of it. */
const LONGEST = 16 * 1024 * 1024;

/** Writes a frame. */
export function frame(kind: FrameKind, data: Uint8Array | string = ""): Buffer {
  const body = Buffer.from(data);
  const head = Buffer.alloc(HEAD);
  head[0] = KINDS.indexOf(kind);
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}

/** Puts frames together from the chunks in which they arrive. */
export class FrameReader {
  #held: Buffer = Buffer.alloc(0);

  /** The frames that are complete with this chunk. @throws Error for what is no frame */
  push(chunk: Buffer): Frame[] {
    this.#held = Buffer.concat([this.#held, chunk]);
    const frames: Frame[] = [];
    while (this.#held.length >= HEAD) {
      const kind = KINDS[this.#held[0] ?? KINDS.length];
      const length = this.#held.readUInt32BE(1);
      if (kind === undefined || length > LONGEST) throw new Error("this is no frame");
      if (this.#held.length < HEAD + length) break;
      frames.push({ kind, data: this.#held.subarray(HEAD, HEAD + length) });
      this.#held = this.#held.subarray(HEAD + length);
    }
    return frames;
  }
}
