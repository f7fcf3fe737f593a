import { constants } from "node:os";

/** The first real-time signal that glibc leaves to programs: signal(7). */
const SIGRTMIN = 34;
/** The first of them that the kernel has, and the last. */
const [LOWEST, HIGHEST] = [32, 64] as const;

/** The name of a signal by its number; `SIGRTMIN+3` for a real-time signal, for which Node has no name. */
export function signalName(number: number): NodeJS.Signals {
  const name = Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
  const above = number - SIGRTMIN;
  return (name ?? `SIGRTMIN${above < 0 ? "" : "+"}${above}`) as NodeJS.Signals;
}

/** The number of a signal by a name that {@link signalName} gives; undefined when there is no such signal. */
export function signalNumber(name: string): number | undefined {
  const [, above] = /^SIGRTMIN([+-]\d+)$/.exec(name) ?? [];
  if (above !== undefined) return inRange(SIGRTMIN + Number(above));
  return Object.hasOwn(constants.signals, name)
    ? constants.signals[name as NodeJS.Signals]
    : undefined;
}

/**
 * The same.
 *
 * @throws TypeError when there is no such signal.
 */
export function numberOf(name: string): number {
  const number = signalNumber(name);
  if (number === undefined) throw new TypeError(`unknown signal: ${name}`);
  return number;
}

function inRange(number: number): number | undefined {
  return number >= LOWEST && number <= HIGHEST ? number : undefined;
}
