import type { AbiName } from "./abi.js";

/** What the kernel does with a call: a return value of a filter, as in seccomp(2). */
export type Verdict = number;

export const ALLOW: Verdict = 0x7fff_0000;
export const LOG: Verdict = 0x7ffc_0000;
export const TRAP: Verdict = 0x0003_0000;
export const KILL_THREAD: Verdict = 0;
export const KILL_PROCESS: Verdict = 0x8000_0000;

/** The call fails with that number of errno(3). */
export function errno(number: number): Verdict {
  return 0x0005_0000 | number;
}

/** The calling thread's tracer decides, and is told that number. */
export function trace(number: number): Verdict {
  return 0x7ff0_0000 | number;
}

/** Whether the kernel executes the call. */
export function isPassing(verdict: Verdict): boolean {
  return verdict === ALLOW || verdict === LOG;
}

export const EPERM = 1;
export const ENOSYS = 38;
export const EAFNOSUPPORT = 97;

export type Operator = "EQ" | "NE" | "LT" | "LE" | "GT" | "GE" | "MASKED_EQ";

/** What has to hold for an argument, which counts as an unsigned number. */
export interface Condition {
  /** From 0 on. */
  readonly argument: number;
  readonly operator: Operator;
  readonly value: bigint;
  /** With `MASKED_EQ`: the bits that are compared. */
  readonly mask?: bigint;
}

/** A verdict for the calls for which all conditions hold. */
export interface Rule {
  readonly conditions: readonly Condition[];
  readonly verdict: Verdict;
}

/** A policy before it is compiled for the ABIs. */
export interface Policy {
  readonly abis: readonly AbiName[];
  /** By the name of the call. The first rule whose conditions hold decides. */
  readonly rules: ReadonlyMap<string, readonly Rule[]>;
  /** For a call that no rule decides. */
  readonly otherwise: Verdict;
  /** For a number that the table of calls does not have. */
  readonly unknown: Verdict;
  /** For every call by another ABI. */
  readonly foreign: Verdict;
}
