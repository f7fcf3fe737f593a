import assert from "node:assert/strict";
import { constants } from "node:os";
import { join } from "node:path";
import type { Capability, ConfigInput } from "@sandboxlib/core";
import type { Topic } from "../case.js";
import { succeeded } from "../check.js";
import type { Context } from "../context.js";
import { caller, DATA, type KernelCall, noCaller } from "../root/caller.js";

const { EINVAL, ENOSYS, EPERM } = constants.errno;
const isRoot = process.getuid?.() === 0;
/** The kernel lets a program that has the uid 0, and no capability, map no id. */
const OTHER: ConfigInput = isRoot ? { user: { uid: 12345, gid: 12345 } } : {};
const ALLOWED: ConfigInput = { ...OTHER, allow: ["user-namespaces"] };
const NEEDS: readonly Capability[] = [
  "root",
  "allow.user-namespaces",
  ...(isRoot ? ["user" as const] : []),
];

const NEW = { user: 0x1000_0000, mount: 0x2_0000, cgroup: 0x200_0000, time: 0x80 } as const;
const MS_BIND = 4096;
/** `MS_BIND | MS_REMOUNT`, and what the kernel lets nobody take away either. */
const WRITABLE = MS_BIND | 32 | 2 | 4;
const [MNT_DETACH, O_WRONLY, TIOCSTI] = [2, 1, 0x5412] as const;
const AT_FDCWD = 0xffff_ff9c;

const unshare = (...names: readonly (keyof typeof NEW)[]): KernelCall => ({
  name: "unshare",
  args: [names.reduce((flags, each) => flags | NEW[each], 0)],
});
const INTO = unshare("user", "mount");

/** A program that makes some calls; the texts are their data, one behind the other. */
interface Program {
  readonly title: string;
  readonly texts?: readonly string[];
  /** @param at - The addresses of the texts. */
  readonly calls: (...at: number[]) => readonly KernelCall[];
  /** The errno of the last one; `refused` where that depends on the kernel. */
  readonly expected: number | "refused";
}

/** An empty tmpfs, in which the program is root. */
const TMPFS: Program = {
  title: "a tmpfs is mounted",
  texts: ["/mnt", "tmpfs"],
  calls: (at = 0, type = 0) => [INTO, { name: "mount", args: [type, at, type, 0, 0] }],
  expected: 0,
};

const MAP = "/proc/self/uid_map";
const map = `0 ${isRoot ? 12345 : process.getuid?.()} 1`;

const MADE: readonly Program[] = [
  { title: "a user namespace is made", calls: () => [unshare("user")], expected: 0 },
  TMPFS,
  {
    title: "the program becomes root in it",
    texts: [MAP, map],
    calls: (file = 0, text = 0) => [
      INTO,
      { name: "openat", args: [AT_FDCWD, file, O_WRONLY] },
      { name: "write", args: [3, text, map.length] },
      { name: "setuid", args: [0] },
    ],
    expected: 0,
  },
];

/** The kernel locks mounts that come from outside of a user namespace. */
const COVERED: readonly Program[] = [
  TMPFS,
  {
    title: "what hides a path is taken away",
    texts: ["/secret"],
    calls: (path = 0) => [INTO, { name: "umount2", args: [path, MNT_DETACH] }],
    expected: EINVAL,
  },
  {
    title: "what lies below is bound elsewhere",
    texts: ["/", "/mnt"],
    calls: (from = 0, to = 0) => [INTO, { name: "mount", args: [from, to, 0, MS_BIND, 0] }],
    expected: EINVAL,
  },
  {
    // Kernels before 5.14 took the mounts off a layer of an overlay.
    title: "an overlay shows what lies below",
    texts: ["overlay", "/mnt", "lowerdir=/:/work,userxattr"],
    calls: (type = 0, at = 0, layers = 0) => [
      INTO,
      { name: "mount", args: [type, at, type, 0, layers] },
    ],
    expected: "refused",
  },
  ...["/", "/data"].map(
    (path): Program => ({
      title: `${path} is made writable`,
      texts: [path],
      calls: (at = 0) => [INTO, { name: "mount", args: [0, at, 0, WRITABLE, 0] }],
      expected: EPERM,
    }),
  ),
];

const denied = (title: string, call: KernelCall, expected: number = EPERM): Program => ({
  title,
  calls: () => [unshare("user"), call],
  expected,
});

const KEPT: readonly Program[] = [
  denied("a cgroup namespace", unshare("cgroup")),
  { ...denied("one at once", INTO), calls: () => [unshare("user", "cgroup")] },
  denied("a time namespace", unshare("time")),
  denied("clone3", { name: "clone3", args: [0, 0] }, ENOSYS),
  denied("io_uring", { name: "io_uring_setup", args: [1, 0] }, ENOSYS),
  denied("the caller's keys", { name: "keyctl", args: [0, 0xffff_fffd, 0] }, ENOSYS),
  denied("bpf", { name: "bpf", args: [0xffff, 0, 0] }),
  denied("userfaultfd", { name: "userfaultfd", args: [1] }),
  denied("TIOCSTI", { name: "ioctl", args: [0, TIOCSTI, DATA] }),
  denied("ptrace", { name: "ptrace", args: [0, 0, 0, 0] }),
  denied("set-user-ID", { name: "fchmodat", args: [AT_FDCWD, DATA, 0o4755] }),
];

export const nesting: Topic = {
  title: "user namespaces inside",
  isBare: true,
  cases: [
    {
      title: "a program makes user namespaces, and mounts in them, where the config allows it",
      needs: [...NEEDS, "mount.proc"],
      proves: ["allow.user-namespaces"],
      skip: noCaller,
      run: (context) =>
        expectEnds(context, MADE, { mounts: [{ type: "proc", target: "/proc" }], ...ALLOWED }),
    },
    {
      title:
        "in a user namespace inside, nothing hidden is shown, and nothing read-only made writable",
      needs: [...NEEDS, "hidden", "mount.bind.readOnly", "writable.paths"],
      skip: noCaller,
      run: (context) =>
        expectEnds(context, COVERED, {
          ...ALLOWED,
          hidden: ["/secret"],
          mounts: [
            { type: "bind", source: join(context.root, "data"), target: "/data", readOnly: true },
          ],
        }),
    },
    {
      title:
        "user namespaces inside open nothing of the profile beside, and no namespace of cgroups",
      needs: NEEDS,
      proves: ["allow.user-namespaces"],
      skip: noCaller,
      run: (context) => expectEnds(context, KEPT, ALLOWED),
    },
    {
      title:
        "no user namespace can be made where the config says nothing, without a profile either",
      needs: NEEDS,
      proves: ["allow.user-namespaces"],
      skip: noCaller,
      async run(context) {
        const [made] = await endsOf(context, MADE.slice(0, 1), { ...OTHER, seccomp: "none" });
        assert.notEqual(made, 0, "a user namespace was made");
      },
    },
  ],
};

async function expectEnds(
  context: Context,
  programs: readonly Program[],
  config: ConfigInput,
): Promise<void> {
  const ends = await endsOf(context, programs, config);
  assert.deepEqual(
    programs.map(({ title, expected }, index) =>
      expected === "refused" && ends[index] !== 0
        ? `${title}: ${expected}`
        : `${title}: ${ends[index]}`,
    ),
    programs.map(({ title, expected }) => `${title}: ${expected}`),
  );
}

/** The errno of the last call of each program, all of them started by one shell. */
async function endsOf(
  { put, sh }: Context,
  programs: readonly Program[],
  config: ConfigInput,
): Promise<number[]> {
  const paths = programs.map(({ texts = [], calls }, index) => {
    const data = Buffer.from(texts.map((text) => `${text}\0`).join(""));
    const at = texts.map(
      (_, number) => DATA + texts.slice(0, number).reduce((sum, text) => sum + text.length + 1, 0),
    );
    return put(`/work/nesting-${index}`, caller(calls(...at), data));
  });
  const script = ['for program in "$@"; do "$program"; echo $?; done', ...paths] as const;
  const { out } = succeeded(await sh(script, config));
  return out.trim().split("\n").map(Number);
}
