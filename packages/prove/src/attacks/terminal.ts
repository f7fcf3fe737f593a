import { closeSync, constants, openSync, readFileSync, readSync, writeSync } from "node:fs";
import { isSandboxError } from "@sandboxlib/core";
import { type Attack, refused, type Seen, succeeded, untried } from "../attack.js";
import type { Field } from "../field.js";
import { judge } from "../judge.js";

const { O_NOCTTY, O_RDWR } = constants;
const END = "the end of the attempt";

/** Typing into the terminal of the caller. */
export const terminal: readonly Attack[] = [
  {
    title: "something is typed into a terminal that the program was handed",
    about: "always",
    remedy: "",
    async run(field) {
      const before = await withTerminal(field, (fd) => field.outside(["type"], fd));
      if (before === undefined) return untried("there is no pseudo-terminal outside");
      if (before.shown === "")
        return untried("the kernel lets nobody type, as its setting dev.tty.legacy_tiocsti says");
      const after = await withTerminal(field, (fd) =>
        judge(before.value, () => field.inside(["type"], { stdin: { fd } })).catch(withoutTerminal),
      );
      if (after === undefined) return untried("there is no pseudo-terminal outside");
      return after.shown === "" ? after.value : succeeded("the terminal got it");
    },
  },
];

/** A backend may refuse a terminal into which it cannot keep a program from typing. */
function withoutTerminal(error: unknown): Seen {
  if (isSandboxError(error) && error.code === "LAUNCH_FAILED") return refused(error.message);
  throw error;
}

/** Opens one that is nobody's; returns what it has shown in the end. */
async function withTerminal<Value>(
  { outside }: Field,
  run: (fd: number) => Promise<Value>,
): Promise<{ readonly value: Value; readonly shown: string } | undefined> {
  const opened: number[] = [];
  try {
    const master = openSync("/dev/ptmx", O_RDWR | O_NOCTTY);
    opened.push(master);
    const info = readFileSync(`/proc/self/fdinfo/${master}`, "latin1");
    const index = /^tty-index:\s*(\d+)$/m.exec(info)?.[1];
    const unlocked = await outside(["unlock"], master);
    if (index === undefined || !unlocked.some(({ word }) => word === "got")) return undefined;
    const open = (): number => {
      const fd = openSync(`/dev/pts/${index}`, O_RDWR | O_NOCTTY);
      opened.push(fd);
      return fd;
    };
    const value = await run(open());
    // Opened once more, since the end of a session whose terminal it was has hung it up.
    writeSync(open(), END);
    return { value, shown: readUntilEnd(master) };
  } catch (error) {
    if (error instanceof Error && "syscall" in error) return undefined;
    throw error;
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}

function readUntilEnd(fd: number): string {
  const bytes = Buffer.alloc(4096);
  let text = "";
  while (!text.endsWith(END)) text += bytes.toString("latin1", 0, readSync(fd, bytes));
  return text.slice(0, -END.length);
}
