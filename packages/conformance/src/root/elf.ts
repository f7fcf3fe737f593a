import { closeSync, openSync, readSync } from "node:fs";

const PT_INTERP = 3;

/** The loader that a 64-bit little-endian ELF file asks for (elf(5)), or undefined when it is static. */
export function loaderOf(file: string): string | undefined {
  const head = Buffer.alloc(4096);
  const fd = openSync(file, "r");
  const length = readSync(fd, head);
  closeSync(fd);
  if (length < 64 || head.readUInt32BE(0) !== 0x7f454c46) throw new Error(`${file}: not ELF`);
  if (head[4] !== 2 || head[5] !== 1) throw new Error(`${file}: not 64-bit little-endian`);
  const table = Number(head.readBigUInt64LE(32));
  const [entrySize, entries] = [head.readUInt16LE(54), head.readUInt16LE(56)];
  for (let index = 0; index < entries; index += 1) {
    const entry = table + index * entrySize;
    if (head.readUInt32LE(entry) !== PT_INTERP) continue;
    const from = Number(head.readBigUInt64LE(entry + 8));
    const size = Number(head.readBigUInt64LE(entry + 32));
    return head.toString("latin1", from, from + size - 1);
  }
  return undefined;
}
