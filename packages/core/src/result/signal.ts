import { constants } from "node:os";
import { SandboxError } from "./error.js";

/** The first real-time signal that glibc leaves to programs: signal(7). */
const SIGRTMIN = 34;
/** The first of them that the kernel has, and the last. */
const [LOWEST, HIGHEST] = [32, 64] as const;

/**
 * The name of a signal by its number; `SIGRTMIN+3` for a real-time signal, for which Node has no name.
 *
 * @throws SandboxError `CONFIG_INVALID` for what is no whole number from 1 on.
 */
export function signalName(number: number): NodeJS.Signals {
  if (!Number.isSafeInteger(number) || number < 1)
    throw new SandboxError("CONFIG_INVALID", `number: ${String(number)} is not that of a signal`, {
      path: "number",
      hint: "They are whole numbers from 1 on. `signalNumber` gives that of a name.",
    });
  const name = Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
  const above = number - SIGRTMIN;
  return (name ?? `SIGRTMIN${above < 0 ? "" : "+"}${above}`) as NodeJS.Signals;
}

/** The number of a signal by a name that {@link signalName} gives; undefined when there is no such signal. */
export function signalNumber(name: string): number | undefined {
  if (typeof name !== "string") return undefined;
  const [, above] = /^SIGRTMIN([+-]\d+)$/.exec(name) ?? [];
  if (above !== undefined) return inRange(SIGRTMIN + Number(above));
  return Object.hasOwn(constants.signals, name)
    ? constants.signals[name as NodeJS.Signals]
    : undefined;
}

/**
 * The same.
 *
 * @throws TypeError when there is no such signal, as with `kill` of Node.
 */
export function numberOf(name: string): number {
  const number = signalNumber(name);
  if (number !== undefined) return number;
  const whole = `SIG${String(name).toUpperCase().replace(/^SIG/, "")}`;
  const hint =
    signalNumber(whole) === undefined
      ? 'Signals have the names of signal(7), such as "SIGTERM" or "SIGRTMIN+3".'
      : `Did you mean "${whole}"?`;
  throw new TypeError(`unknown signal: ${JSON.stringify(String(name).slice(0, 100))}. ${hint}`);
}

function inRange(number: number): number | undefined {
  return number >= LOWEST && number <= HIGHEST ? number : undefined;
}
