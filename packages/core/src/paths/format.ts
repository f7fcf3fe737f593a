import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
} from "node:fs";

/** What execve(2) will make of a file. */
export interface Format {
  readonly isScript: boolean;
  /** The program that is started in its place, or loads it. */
  readonly interpreter?: string | undefined;
  /** Why the kernel will refuse it, where that is certain. */
  readonly fault?: string;
}

/** The format of an executable file; undefined when only the kernel can tell. */
export function formatOf(file: string): Format | undefined {
  const head = headOf(file);
  if (head === undefined) return undefined;
  if (head.toString("latin1", 0, 2) === "#!") return scriptFormat(head);
  if (head.length >= ELF_HEADER && head.readUInt32BE(0) === ELF)
    return { isScript: false, interpreter: elfInterpreter(head) };
  if (process.platform !== "linux" || hasOtherFormats()) return undefined;
  // execvp(3) would run it with a shell, whose errors would look like output of the program.
  const what = head.length === 0 ? "is empty" : "has neither `#!` nor a known binary format";
  return { isScript: false, fault: what };
}

const ELF = 0x7f454c46;
/** In bytes: the size of the shorter header, that of 32 bits. */
const ELF_HEADER = 52;

function headOf(file: string): Buffer | undefined {
  const head = Buffer.alloc(4096);
  try {
    // A hostile root may have put a FIFO or a symlink there since it was looked at.
    const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    const length = readSync(fd, head);
    closeSync(fd);
    return head.subarray(0, length);
  } catch {
    return undefined; // Executable, but not readable.
  }
}

/** The kernel reads the first 256 bytes. */
function scriptFormat(head: Buffer): Format {
  const line = head.toString("latin1", 0, Math.min(head.length, 256));
  const interpreter = /^#![ \t]*([^ \t\n\0]+)/.exec(line)?.[1];
  return {
    isScript: true,
    interpreter,
    ...(interpreter === undefined && { fault: "has no interpreter behind its `#!`" }),
  };
}

/** The PT_INTERP of elf(5), for 64 bits and little-endian. */
function elfInterpreter(head: Buffer): string | undefined {
  if (head.length < 64 || head[4] !== 2 || head[5] !== 1) return undefined;
  const [offset, size, count] = [
    Number(head.readBigUInt64LE(32)),
    head.readUInt16LE(54),
    head.readUInt16LE(56),
  ];
  for (let index = 0; index < count; index += 1) {
    const header = offset + index * size;
    if (header + 56 > head.length) return undefined;
    if (head.readUInt32LE(header) !== 3) continue;
    const [from, bytes] = [
      Number(head.readBigUInt64LE(header + 8)),
      Number(head.readBigUInt64LE(header + 32)),
    ];
    return from + bytes <= head.length
      ? head.toString("latin1", from, from + bytes - 1)
      : undefined;
  }
  return undefined;
}

/** Formats that somebody has registered: binfmt_misc of the kernel. */
function hasOtherFormats(): boolean {
  const directory = "/proc/sys/fs/binfmt_misc";
  if (!existsSync(`${directory}/status`)) return false;
  return readdirSync(directory).some(
    (name) =>
      name !== "register" &&
      name !== "status" &&
      readFileSync(`${directory}/${name}`, "latin1").startsWith("enabled"),
  );
}
