import { closeSync, openSync, readSync } from "node:fs";
import { parseMountinfo } from "../host/mountinfo.js";

/** The mounts of a sandbox. Once it is open, it can be read also when every process of the sandbox is gone. */
export class MountTable {
  readonly #fd: number;

  /** @throws the error of open(2). */
  constructor(initPid: number) {
    this.#fd = openSync(`/proc/${initPid}/mountinfo`, "r");
  }

  /** The paths inside on which something is mounted now. */
  targets(): ReadonlySet<string> {
    const chunks: Buffer[] = [];
    for (let at = 0; ; ) {
      const chunk = Buffer.allocUnsafe(CHUNK);
      const size = readSync(this.#fd, chunk, 0, CHUNK, at);
      if (size === 0) break;
      chunks.push(chunk.subarray(0, size));
      at += size;
    }
    const { entries } = parseMountinfo(Buffer.concat(chunks).toString());
    return new Set(entries.map(({ at }) => at));
  }

  close(): void {
    closeSync(this.#fd);
  }
}

const CHUNK = 16_384;
