import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execaSync } from "execa";
import { loaderOf } from "./elf.js";

/**
 * Stands in for a dynamic loader. The kernel starts it in the place of whichever program asks for that loader: when the
 * program is a link to `/proc/self/exe`, that is the tool that should have become the program. It says `changed` when the
 * tool's file could be, without changing it: the mode is set to what it is. What is sealed in memory does not count.
 */
const SOURCE = `
#include <asm/unistd.h>
#include <linux/fcntl.h>
#include <linux/stat.h>
static long call(long number, long a, long b, long c, long d, long e)
{
#if defined(__x86_64__)
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    __asm__ volatile("syscall" : "+a"(number) : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
    return number;
#else
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
    return x0;
#endif
}
void _start(void)
{
    static struct statx info;
    long file = call(__NR_openat, AT_FDCWD, (long)"/proc/self/exe", O_RDONLY, 0, 0);
    long seals = call(__NR_fcntl, file, F_GET_SEALS, 0, 0, 0);
    call(__NR_statx, file, (long)"", AT_EMPTY_PATH, STATX_MODE, (long)&info);
    if ((seals < 0 || !(seals & F_SEAL_WRITE)) &&
        call(__NR_fchmod, file, info.stx_mode & 07777, 0, 0, 0) == 0)
        call(__NR_write, 1, (long)"changed\\n", 8, 0, 0);
    call(__NR_exit_group, 0, 0, 0, 0, 0);
}
`;

const FLAGS = ["-static", "-nostdlib", "-ffreestanding", "-fno-stack-protector", "-O1"];

/** The path at which this host's own programs ask for their dynamic loader. */
export function loader(): string {
  return loaderOf("/bin/sh") ?? loaderOf(process.execPath) ?? "/lib/ld.so";
}

/** Compiles it in a directory, and returns its path. Throws when it cannot be. */
export function compileInterpreter(directory: string): string {
  const [source, program] = [join(directory, "interpreter.c"), join(directory, "interpreter")];
  writeFileSync(source, SOURCE);
  execaSync(process.env["CC"] || "cc", [...FLAGS, source, "-o", program]);
  return program;
}

/** Why there is no compiler for it; undefined when there is one. */
export function whyNoCompiler(): string | undefined {
  tried ??= attempt();
  return tried;
}

let tried: string | undefined;

function attempt(): string | undefined {
  const directory = mkdtempSync(join(tmpdir(), "sandboxlib-kit-"));
  try {
    compileInterpreter(directory);
    return undefined;
  } catch {
    return "this host has no C compiler";
  } finally {
    rmSync(directory, { recursive: true });
  }
}
