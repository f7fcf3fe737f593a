import { CliError } from "./cli-error.js";

/**
 * Reads a number that is written in a certain way.
 *
 * @throws CliError
 */
export function number(what: string, text: string, pattern: RegExp): number {
  if (pattern.test(text)) return Number(text);
  throw new CliError(`${what}: ${JSON.stringify(text)} is not a number`);
}

/**
 * Reads a number of seconds, which may have a fraction.
 *
 * @throws CliError
 */
export function seconds(what: string, text: string): number {
  return number(what, text, /^\d+(\.\d+)?$/);
}

/**
 * Reads a number of bytes.
 *
 * @throws CliError
 */
export function bytes(what: string, size: string): number {
  const [, digits, unit = ""] = /^(\d{1,15})([kmg]?)$/i.exec(size) ?? [];
  const factor = UNITS[unit.toLowerCase()];
  if (digits !== undefined && factor !== undefined) return Number(digits) * factor;
  throw new CliError(`${what} ${JSON.stringify(size)} is not a number of bytes`, {
    hint: "Write digits, and k, m or g after them for KiB, MiB or GiB.",
  });
}

const UNITS: Readonly<Record<string, number>> = { "": 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };
