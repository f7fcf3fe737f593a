import assert from "node:assert/strict";
import { constants } from "node:os";
import type { Capability } from "@sandboxlib/core";
import type { Case, Topic } from "../case.js";
import { succeeded } from "../check.js";
import { caller, DATA, type KernelCall, noCaller } from "../root/caller.js";

const { EACCES, EBADF, ENOSYS, EPERM, ESRCH } = constants.errno;
const REFUSED = [EPERM, ESRCH, EACCES, ENOSYS, EBADF];
const { SIGSEGV, SIGSYS } = constants.signals;
const PTRACE_SEIZE = 0x4206;
/** A bit above the low 32, which the kernel ignores in an argument of 32 bits. */
const JUNK = 0xdead_beef_0000_0000n;

/** Without a user namespace of its own, a program of root's may have the power to reach everything. */
const NEEDS: readonly Capability[] = ["root", "isolate.pid", "isolate.user"];

/** Two `struct iovec` of eight bytes each, ours and the other process's. */
const VECTORS = Buffer.alloc(32);
for (const at of [0, 16]) {
  VECTORS.writeBigUInt64LE(BigInt(DATA), at);
  VECTORS.writeBigUInt64LE(8n, at + 8);
}

export const init: Topic = {
  title: "pid 1",
  isBare: true,
  cases: [
    cannot(
      "be traced",
      ...[1n, 1n | JUNK].map((pid) => [trace(pid)]),
      ...(process.arch === "x64" ? [[{ ...trace(1n), abi: "i386" } as const]] : []),
    ),
    cannot("be read", ...[1n, 1n | JUNK].map((pid) => [copy("process_vm_readv", pid)])),
    cannot("be written to", ...[1n, 1n | JUNK].map((pid) => [copy("process_vm_writev", pid)])),
    cannot("be robbed of its fds", [
      { name: "pidfd_open", args: [1, 0] },
      // The lowest one that is free.
      { name: "pidfd_getfd", args: [3, 0, 0] },
    ]),
    {
      title: "of a sandbox has no memory that its program can open for reading or writing",
      needs: [...NEEDS, "mount.proc"],
      async run({ sh }) {
        const mounts = [{ type: "proc", target: "/proc" }] as const;
        const script = `[ $$ = 1 ] && exit
          for f in mem task/1/mem; do
            (: </proc/1/$f) 2>&- && echo reads $f; (: >>/proc/1/$f) 2>&- && echo writes $f
          done; exit 0`;
        assert.equal(succeeded(await sh(script, { mounts })).out, "");
      },
    },
  ],
};

function trace(pid: bigint): KernelCall {
  return { name: "ptrace", args: [PTRACE_SEIZE, pid, 0, 0] };
}

function copy(name: "process_vm_readv" | "process_vm_writev", pid: bigint): KernelCall {
  return { name, args: [pid, DATA, 1, DATA + 16, 1, 0] };
}

/** A case for what a program does to pid 1 of its sandbox, unless it is that itself. */
function cannot(title: string, ...ways: readonly (readonly KernelCall[])[]): Case {
  return {
    title: `of a sandbox cannot ${title} from inside`,
    needs: NEEDS,
    skip: noCaller,
    async run({ put, run, sh }) {
      if (succeeded(await sh("echo $$")).out === "1\n") return;
      for (const [index, calls] of ways.entries()) {
        const { outcome, exitCode } = await run([
          put(`/work/caller-${index}`, caller(calls, VECTORS)),
        ]);
        // A kernel without 32-bit calls ends the program with SIGSEGV, and a profile that does not know them with SIGSYS.
        const isEnded = [SIGSEGV, SIGSYS].some((signal) => exitCode === 128 + signal);
        if (outcome === "exited" && !isEnded)
          assert(REFUSED.includes(exitCode ?? 0), `errno ${exitCode}`);
      }
    },
  };
}
