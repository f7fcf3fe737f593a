import { type ConfigInput, isCapability } from "@sandboxlib/core";
import * as z from "zod/mini";
import type { Isolator } from "../manifest/app.js";
import { check, fieldError, show } from "../manifest/errors.js";
import { quantity } from "./quantity.js";

/** What the isolators of an app or a pod come to. */
export interface IsolatorEffects {
  /** The limits by their names in a config. */
  readonly limits: Readonly<Record<string, number>>;
  /** One line for each thing that is not done, or not in full. */
  readonly notes: readonly string[];
  /** The isolators that would restrict the app, and cannot be enforced. */
  readonly unmet: readonly Unmet[];
}

/** A restriction that an image or a pod asks for, and that cannot be enforced. */
export interface Unmet {
  /** The field, as errors call it. */
  readonly path: string;
  readonly reason: string;
}

/**
 * Turns isolators into limits, and lists those that cannot be enforced.
 *
 * @param at - The field, as errors call it: `app.isolators`.
 * @throws SandboxError `IMAGE_INVALID` for a value of the wrong form, and for isolators that exclude each other.
 */
export function effectsOf(isolators: readonly Isolator[], at: string): IsolatorEffects {
  refuseConflicts(isolators, at);
  const effects: Effects = { limits: {}, notes: [], unmet: [] };
  for (const [index, { name, value }] of isolators.entries()) {
    const path = `${at}[${index}]`;
    const known = Object.hasOwn(KNOWN, name) ? KNOWN[name] : undefined;
    if (known !== undefined) known({ name, value, path }, effects);
    else
      effects.notes.push(`${path}: the isolator ${show(name)} is not known here, and is ignored`);
  }
  return effects;
}

/** Writes limits as a field of a config, which is left out when there are none. */
export function limitsOf({ limits }: Pick<IsolatorEffects, "limits">): Pick<ConfigInput, "limits"> {
  return Object.keys(limits).length === 0 ? {} : { limits };
}

/** {@link IsolatorEffects} while they are collected. */
interface Effects {
  readonly limits: Record<string, number>;
  readonly notes: string[];
  readonly unmet: Unmet[];
}

/** An isolator and its field. */
interface FieldIsolator {
  readonly name: string;
  readonly value: unknown;
  readonly path: string;
}

const RETAIN = "os/linux/capabilities-retain-set";
const REMOVE = "os/linux/capabilities-remove-set";
const SECCOMP_RETAIN = "os/linux/seccomp-retain-set";
const SECCOMP_REMOVE = "os/linux/seccomp-remove-set";

const KNOWN: Readonly<Record<string, (isolator: FieldIsolator, effects: Effects) => void>> = {
  "resource/memory": (isolator, effects) => limit(isolator, effects, "memory", Math.floor),
  "resource/cpu": (isolator, effects) => limit(isolator, effects, "cpu", (cores) => cores),
  "resource/block-bandwidth": noLimit,
  "resource/block-iops": noLimit,
  "resource/network-bandwidth": noLimit,
  [RETAIN](isolator, { notes }) {
    const set = setOf(isolator);
    notes.push(
      `${isolator.path}: the app gets no capability at all, so it lacks ${set.join(", ")}`,
    );
  },
  // The app has no capability in any case.
  [REMOVE]: (isolator) => void setOf(isolator),
  [SECCOMP_RETAIN](isolator, effects) {
    if (setOf(isolator).includes("@appc.io/all")) return;
    refuse(isolator, effects, "there is no filter of system calls here");
  },
  [SECCOMP_REMOVE](isolator, effects) {
    if (setOf(isolator).includes("@appc.io/empty")) return;
    refuse(isolator, effects, "there is no filter of system calls here");
  },
  // A sandbox always sets this.
  "os/linux/no-new-privileges": ({ value, path }) => void check(z.boolean(), value, path),
  "os/linux/selinux-context": (isolator, effects) =>
    refuse(isolator, effects, "SELinux labels are not set here"),
  "os/linux/apparmor-profile": (isolator, effects) =>
    refuse(isolator, effects, "AppArmor profiles are not applied here"),
  "os/unix/sysctl": (isolator, effects) =>
    refuse(isolator, effects, "kernel parameters are not set here"),
};

const resource = z.object({ limit: z.optional(z.unknown()), request: z.optional(z.unknown()) });

function limit(
  { name, value, path }: FieldIsolator,
  { limits, notes, unmet }: Effects,
  field: string,
  round: (value: number) => number,
): void {
  const { limit: most, request } = check(resource, value, path);
  for (const [key, given] of Object.entries({ limit: most, request })) {
    if (given === undefined || quantity(given) !== undefined) continue;
    throw fieldError(
      `${path}.value.${key}`,
      `${show(given)} is no quantity such as 500m, 1G or 64Mi`,
    );
  }
  if (request !== undefined && request !== most)
    notes.push(`${path}: ${name} is not reserved, only limited: the request has no effect`);
  const number = quantity(most);
  if (number === undefined) return;
  const wanted = round(number);
  if (!(wanted > 0))
    throw fieldError(`${path}.value.limit`, `${show(most)} leaves the app nothing`);
  if (!isCapability(`limit.${field}`)) {
    unmet.push({ path, reason: `${name} cannot be limited here` });
    return;
  }
  limits[field] = Math.min(limits[field] ?? Number.POSITIVE_INFINITY, wanted);
}

function noLimit(isolator: FieldIsolator, effects: Effects): void {
  check(resource, isolator.value, isolator.path);
  refuse(isolator, effects, "there is no such limit here");
}

function refuse({ name, path }: FieldIsolator, { unmet }: Effects, reason: string): void {
  unmet.push({ path, reason: `${name} cannot be enforced: ${reason}` });
}

const nameSet = z.object({ set: z.array(z.string()).check(z.minLength(1), z.maxLength(1024)) });

function setOf({ value, path }: FieldIsolator): readonly string[] {
  const { set } = check(nameSet, value, path);
  const odd = set.find((word) => !/^[@\w./-]{1,128}$/.test(word));
  if (odd === undefined) return set;
  throw fieldError(`${path}.value.set`, `${show(odd)} is no name of a capability or system call`);
}

function refuseConflicts(isolators: readonly Isolator[], at: string): void {
  const names = isolators.map(({ name }) => name);
  const pairs = [
    [RETAIN, REMOVE],
    [SECCOMP_RETAIN, SECCOMP_REMOVE],
  ] as const;
  for (const [one, other] of pairs) {
    if (!names.includes(one) || !names.includes(other)) continue;
    throw fieldError(at, `${one} and ${other} exclude each other`);
  }
}
