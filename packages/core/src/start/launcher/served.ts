import { type Failed, failed } from "./message.js";
import { type Decoders, frameReader } from "./reader.js";

/** What a fork server says of the launchers that it starts. */
export type Served = Began | Said | Gone | Failed;

/** There is about to be one. */
export interface Began {
  readonly type: "began";
  readonly id: number;
  /** The fds in the server's table that lead to the standard streams; -1 for none. */
  readonly fds: readonly [number, number, number];
}

/** One has written to core. */
export interface Said {
  readonly type: "said";
  readonly id: number;
  readonly bytes: Buffer;
}

/** One has ended. */
export interface Gone {
  readonly type: "gone";
  readonly id: number;
  /** As wait(2) gives it. */
  readonly status: number;
}

/**
 * Takes the bytes of a fork server as they come and calls back for each message.
 *
 * @throws RangeError when they do not follow the protocol.
 */
export function servedReader(onMessage: (message: Served) => void): (chunk: Buffer) => void {
  return frameReader(DECODERS, onMessage);
}

const DECODERS: Decoders<Served> = {
  B: (cursor) => ({
    type: "began",
    id: cursor.u32(),
    fds: [cursor.i32(), cursor.i32(), cursor.i32()],
  }),
  U: (cursor) => ({ type: "said", id: cursor.u32(), bytes: cursor.rest() }),
  G: (cursor) => ({ type: "gone", id: cursor.u32(), status: cursor.u32() }),
  F: failed,
};
