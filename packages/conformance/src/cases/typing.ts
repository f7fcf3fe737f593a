import assert from "node:assert/strict";
import { isSandboxError } from "@sandboxlib/core";
import type { Topic } from "../case.js";
import { noPty, withPty } from "../host/pty.js";
import { caller, DATA, has32BitCalls, type KernelCall } from "../root/caller.js";
import { inEveryWay } from "../ways.js";

const TIOCSCTTY = 0x540e;
const TIOCSTI = 0x5412n;
/** The kernel takes no notice of it. */
const JUNK = 0xdead_beef_0000_0000n;

/** Types what lies in its memory, also after it has made the terminal its controlling one. */
const attacks = (): KernelCall[][] => [
  types({ name: "ioctl", args: [0, TIOCSTI, DATA] }),
  types({ name: "ioctl", args: [0, TIOCSTI | JUNK, DATA] }),
  ...(has32BitCalls() ? [types({ name: "ioctl", args: [0, TIOCSTI, DATA], abi: "i386" })] : []),
];

const NO_REFUSAL = /^(?:COMMAND_|VERIFY_FAILED$)/;

function types(call: KernelCall): KernelCall[] {
  return [call, { name: "setsid", args: [] }, { name: "ioctl", args: [0, TIOCSCTTY, 0] }, call];
}

export const typing: Topic = {
  title: "typing",
  isBare: true,
  cases: inEveryWay(
    "nothing can be typed into a terminal that is standard input",
    async (spawn, { put, scratch }) => {
      for (const [index, calls] of attacks().entries()) {
        const program = put(`/work/caller-${index}`, caller(calls, Buffer.from("t")));
        await withPty(scratch, async ({ fd, shown }) => {
          try {
            const options = { stdin: { fd }, stdout: "capture" } as const;
            const child = await spawn(`${program}; echo $?`, {}, options);
            const { stdout } = await child.result;
            assert.match(Buffer.from(stdout ?? []).toString(), /^\d+\n$/, "it was not tried");
          } catch (error) {
            // A backend may refuse a terminal into which it cannot keep a program from typing.
            if (!isSandboxError(error) || NO_REFUSAL.test(error.code)) throw error;
          }
          assert.equal(await shown(), "", "something was typed into the terminal");
        });
      }
    },
    { needs: ["root"], skip: noPty },
  ),
};
