// Writes packages/seccomp/src/table.ts from the kernel's own headers: the numbers of every system call on each ABI, and how
// many bits of each argument the kernel looks at. On Debian the headers are in linux-libc-dev, linux-libc-dev-arm64-cross,
// linux-libc-dev-armhf-cross, linux-libc-dev-riscv64-cross and linux-headers-VERSION-common, whose directory is the argument.
import { readFileSync, writeFileSync } from "node:fs";
import { execaSync } from "execa";

const ABIS = {
  x86_64: ["/usr/include/x86_64-linux-gnu", "-m64"],
  x32: ["/usr/include/x86_64-linux-gnu", "-mx32"],
  i386: ["/usr/include/x86_64-linux-gnu", "-m32"],
  aarch64: ["/usr/aarch64-linux-gnu/include"],
  arm: ["/usr/arm-linux-gnueabihf/include", "-m32", "-U__i386__", "-D__ARM_EABI__"],
  riscv64: ["/usr/riscv64-linux-gnu/include", "-D__riscv_xlen=64"],
};

/** Calls that are newer than the headers. Since 424 a new one has the same number on every ABI. */
const NEWER = [
  "cachestat fchmodat2 map_shadow_stack futex_wake futex_wait futex_requeue statmount listmount",
  "lsm_get_self_attr lsm_set_self_attr lsm_list_modules mseal setxattrat getxattrat listxattrat",
  "removexattrat open_tree_attr file_getattr file_setattr",
].flatMap((line) => line.split(" "));
const FIRST_NEWER = 451;
const X32_BIT = 0x4000_0000;

/** What `linux/syscalls.h` declares otherwise than the kernel reads it, and calls that it does not have. */
const WIDTHS = {
  arch_prctl: "il",
  // Of the flags only the low half counts.
  clone: "ilill",
  fchmodat2: "ilhi",
  // The size of a mode that is handed over as a whole register.
  ioctl: "iil",
  personality: "i",
  // It is declared as a long, and looked up as a pid.
  ptrace: "lill",
};
const TYPES = [
  [/\*|\bcap_user_(header|data)_t\b|__sighandler_t/, "l"],
  [/\bumode_t\b/, "h"],
  [/\b(size_t|ssize_t|u?long|old_sigset_t|loff_t|off_t|aio_context_t|__s64|__u64|u64)\b/, "l"],
  [/\bunsigned long\b/, "l"],
  [/\b(u16|__u16|old_[ug]id_t)\b/, "i"],
  [
    /\b(u?int|unsigned|enum \w+|u?int32_t|u32|__u32|__s32|[pugqi]id_t|clockid_t|timer_t|mqd_t|key_t|key_serial_t|rwf_t)\b/,
    "i",
  ],
];

/** What looks like a call in the headers and is a bound or a base. */
const NOT_CALLS =
  /^(syscalls|arch_specific_syscall|SYSCALL_BASE|OABI_SYSCALL_BASE|BASE|Linux|SYSCALL_MASK)$/;

const [headers] = process.argv.slice(2);
if (headers === undefined)
  throw new Error("usage: generate-syscalls.mjs /usr/src/linux-headers-VERSION-common");
const numbers = Object.fromEntries(
  Object.entries(ABIS).map(([abi, options]) => [abi, numbersOf(...options)]),
);
for (const [index, name] of NEWER.entries()) {
  for (const abi of Object.keys(ABIS))
    numbers[abi].set(name, FIRST_NEWER + index + (abi === "x32" ? X32_BIT : 0));
}
const widths = widthsOf(readFileSync(`${headers}/include/linux/syscalls.h`, "utf8"));
const names = new Set(Object.values(numbers).flatMap((known) => [...known.keys()]));
const rows = [...names]
  .sort((one, other) => (one < other ? -1 : 1))
  .map((name) =>
    [
      name,
      ...Object.values(numbers).map((known) => numberText(known.get(name))),
      WIDTHS[name] ?? widths.get(name) ?? "",
    ]
      .join(" ")
      .trimEnd(),
  );
const page = `// Written by scripts/generate-syscalls.mjs from the kernel's headers. Do not edit.

/**
 * A line for each system call: its name, its number on ${Object.keys(ABIS).join(", ")}, or a dot, and for each argument how
 * many bits of it the kernel looks at: i is 32, h is 16, l is all.
 */
export const TABLE = \`
${rows.join("\n")}
\`;
`;
writeFileSync(new URL("../packages/seccomp/src/table.ts", import.meta.url), page);

function numbersOf(directory, ...options) {
  const cc = ["-E", "-nostdinc", "-isystem", directory, "-include", "asm/unistd.h", ...options];
  const { stdout: macros } = execaSync("cc", [...cc, "-dM", "-"], { input: "" });
  const names = [...macros.matchAll(/^#define __(?:ARM_)?NR_(\w+) /gm)].map(([, name]) => name);
  const asked = names.map((name) => {
    const macro = macros.includes(`#define __NR_${name} `) ? `__NR_${name}` : `__ARM_NR_${name}`;
    return `"${name}" ${macro}`;
  });
  const { stdout } = execaSync("cc", [...cc, "-P", "-"], { input: asked.join("\n") });
  const found = [...stdout.matchAll(/^"(\w+)" (.+)$/gm)].map(([, name, sum]) => [name, added(sum)]);
  return new Map(found.filter(([name, number]) => number !== undefined && !NOT_CALLS.test(name)));
}

function added(sum) {
  if (!/^[\s()+\w]+$/.test(sum)) return undefined;
  const terms = sum
    .replaceAll(/[()\s]/g, "")
    .split("+")
    .map(Number);
  return terms.some(Number.isNaN) ? undefined : terms.reduce((one, other) => one + other, 0);
}

function numberText(number) {
  return number === undefined ? "." : String(number);
}

function widthsOf(header) {
  const found = new Map();
  for (const [, name, list] of header.matchAll(/asmlinkage long sys_(\w+)\(([^;]*?)\);/g)) {
    if (list.trim() === "void") continue;
    found.set(
      name,
      list
        .split(",")
        .map((type) => widthOf(type))
        .join(""),
    );
  }
  return found;
}

function widthOf(type) {
  const found = TYPES.find(([pattern]) => pattern.test(type));
  if (found === undefined) throw new Error(`the type of an argument is not known: ${type}`);
  return found[1];
}
