import { ABIS, type Abi, type Call } from "./syscall-numbers.js";

/**
 * The filter of system calls that every program in a sandbox gets, as bytes for seccomp(2): an array of `struct
 * sock_filter`. It denies with EPERM
 *
 * - typing into a terminal that the program was given;
 * - what reaches into pid 1 of the sandbox, which may be a process of the tool with the program's own uid;
 * - taking the fds of another process.
 *
 * An ABI that it does not know answers ENOSYS to everything. Everything else is allowed.
 *
 * The kernel compares only the low halves of these arguments, so the filter does, too. No argument is loaded before the
 * number is known to have a rule: the kernel then finds out once which numbers are always allowed, and runs nothing for
 * them any more.
 */
export function filter(): Uint8Array {
  made ??= filterFor(process.arch);
  return made;
}

let made: Uint8Array | undefined;

/** The same for another architecture. */
export function filterFor(arch: string): Uint8Array {
  return assemble(program(ABIS[arch] ?? []));
}

/** What is looked at when a call has that number. */
type Rule = "types" | "into first" | "into second" | "into either" | "denied";

const RULES: Readonly<Record<Call, Rule>> = {
  ioctl: "types",
  kcmp: "into either",
  // It could make a pidfd from a guessed number. A process without capabilities can open nothing else with it.
  open_by_handle_at: "denied",
  perf_event_open: "into second",
  // A socket tells of its peer by a pidfd (SO_PEERPIDFD), which may be a process of the host: where the program has no user
  // namespace of its own and that process's uid, it could take any fd of it.
  pidfd_getfd: "denied",
  pidfd_open: "into first",
  // Not memory, but limits: pid 1 of a session could start no further command.
  prlimit64: "into first",
  process_vm_readv: "into first",
  process_vm_writev: "into first",
  ptrace: "into second",
};

const TIOCSTI = 0x5412;
const TIOCLINUX = 0x541c;
const INIT = 1;
const ERRNO = 0x0005_0000;
const EPERM = ERRNO | 1;
const ENOSYS = ERRNO | 38;
const ALLOW = 0x7fff_0000;

/** An instruction, or a place in the program to jump to. */
type Line =
  | { readonly label: string }
  | { readonly code: number; readonly k: number; readonly to?: string };

function program(abis: readonly Abi[]): Line[] {
  return [
    load(4),
    ...abis.map(({ arch }) => jumpIf(arch, `${arch}`)),
    give(ENOSYS),
    ...abis.flatMap(numbersOf),
    { label: "types" },
    load(ARGUMENT(1)),
    jumpIf(TIOCSTI, "denied"),
    jumpIf(TIOCLINUX, "denied"),
    give(ALLOW),
    { label: "into first" },
    load(ARGUMENT(0)),
    jumpIf(INIT, "denied"),
    give(ALLOW),
    { label: "into either" },
    load(ARGUMENT(0)),
    jumpIf(INIT, "denied"),
    { label: "into second" },
    load(ARGUMENT(1)),
    jumpIf(INIT, "denied"),
    give(ALLOW),
    { label: "denied" },
    give(EPERM),
  ];
}

function numbersOf({ arch, ignored, numbers }: Abi): Line[] {
  const calls = Object.entries(numbers) as [Call, readonly number[]][];
  const ruled = calls.flatMap(([call, known]) => known.map((number) => [number, call] as const));
  return [
    { label: `${arch}` },
    load(0),
    ...(ignored === undefined ? [] : [{ code: BPF_AND, k: ~ignored >>> 0 }]),
    ...search(
      `${arch}`,
      ruled.sort(([a], [b]) => a - b),
    ),
  ];
}

/** A binary search: the kernel runs the filter for every number of a system call when it loads it. */
function search(name: string, ruled: readonly (readonly [number, Call])[]): Line[] {
  if (ruled.length < 8)
    return [...ruled.map(([number, call]) => jumpIf(number, RULES[call])), give(ALLOW)];
  const [lower, upper] = [ruled.slice(0, ruled.length / 2), ruled.slice(ruled.length / 2)];
  const [[first] = [0]] = upper;
  const label = `${name} from ${first}`;
  return [
    { code: BPF_JUMP_IF_NOT_LESS, k: first, to: label },
    ...search(name, lower),
    { label },
    ...search(name, upper),
  ];
}

/** Where `struct seccomp_data` has the low half of an argument. */
const ARGUMENT = (index: number): number => 16 + 8 * index;

const BPF_LOAD = 0x20;
const BPF_AND = 0x54;
const BPF_JUMP_IF_EQUAL = 0x15;
const BPF_JUMP_IF_NOT_LESS = 0x35;
const BPF_RETURN = 0x06;

function load(k: number): Line {
  return { code: BPF_LOAD, k };
}

function jumpIf(k: number, to: string): Line {
  return { code: BPF_JUMP_IF_EQUAL, k, to };
}

function give(k: number): Line {
  return { code: BPF_RETURN, k };
}

/** A jump leads forward only, and over 255 instructions at most. */
function assemble(lines: readonly Line[]): Uint8Array {
  const places = new Map<string, number>();
  let size = 0;
  for (const line of lines) {
    if ("label" in line) places.set(line.label, size);
    else size += 1;
  }
  const bytes = Buffer.alloc(8 * size);
  let at = 0;
  for (const line of lines) {
    if ("label" in line) continue;
    const jump = line.to === undefined ? 0 : (places.get(line.to) ?? -1) - at - 1;
    bytes.writeUInt16LE(line.code, 8 * at);
    bytes.writeUInt8(jump, 8 * at + 2);
    bytes.writeUInt32LE(line.k, 8 * at + 4);
    at += 1;
  }
  return bytes;
}
