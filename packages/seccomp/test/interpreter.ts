/** What a filter is asked about a call: `struct seccomp_data` of seccomp(2), without the instruction pointer. */
export interface AskedCall {
  readonly number: number;
  /** `AUDIT_ARCH_*`. */
  readonly audit: number;
  readonly args?: readonly bigint[];
}

/** Runs a filter as the kernel does, and counts the instructions. */
export function interpret(
  filter: Uint8Array,
  { number, audit, args = [] }: AskedCall,
): { verdict: number; steps: number } {
  const program = Buffer.from(filter.buffer, filter.byteOffset, filter.byteLength);
  const data = Buffer.alloc(64);
  data.writeUInt32LE(number, 0);
  data.writeUInt32LE(audit, 4);
  for (const [index, arg] of args.entries()) data.writeBigUInt64LE(arg, 16 + 8 * index);
  let accumulator = 0;
  let at = 0;
  for (let steps = 1; ; steps += 1) {
    const code = program.readUInt16LE(8 * at);
    const [yes, no] = [program.readUInt8(8 * at + 2), program.readUInt8(8 * at + 3)];
    const k = program.readUInt32LE(8 * at + 4);
    at += 1;
    const jump = (holds: boolean): void => {
      at += holds ? yes : no;
    };
    if (code === 0x06) return { verdict: k, steps };
    if (code === 0x20) accumulator = data.readUInt32LE(k);
    else if (code === 0x54) accumulator = (accumulator & k) >>> 0;
    else if (code === 0x05) at += k;
    else if (code === 0x15) jump(accumulator === k);
    else if (code === 0x25) jump(accumulator > k);
    else if (code === 0x35) jump(accumulator >= k);
    else if (code === 0x45) jump((accumulator & k) !== 0);
    else throw new Error(`an instruction that the interpreter does not know: ${code}`);
  }
}
