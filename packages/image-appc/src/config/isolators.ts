import { type ConfigInput, isCapability } from "@sandboxlib/core";
import * as z from "zod/mini";
import type { Isolator } from "../manifest/app.js";
import { check } from "../manifest/check.js";
import { fault, show } from "../manifest/fault.js";
import { quantity } from "./quantity.js";

/** What is left to do for the isolators of an app or a pod. */
export interface Isolated {
  readonly limits: Readonly<Record<string, number>>;
  /** One line each: what is not done, or not in full. */
  readonly notes: readonly string[];
  /** The isolators that would restrict the app, and cannot be enforced. */
  readonly unmet: readonly Unmet[];
}

/** An isolator that cannot be enforced. */
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
export function isolated(isolators: readonly Isolator[], at: string): Isolated {
  refuseConflicts(isolators, at);
  const done: Done = { limits: {}, notes: [], unmet: [] };
  for (const [index, { name, value }] of isolators.entries()) {
    const path = `${at}[${index}]`;
    const known = Object.hasOwn(KNOWN, name) ? KNOWN[name] : undefined;
    if (known !== undefined) known({ name, value, path }, done);
    else done.notes.push(`${path}: the isolator ${show(name)} is not known here, and is ignored`);
  }
  return done;
}

/** The limits as a part of a config. */
export function limitsOf({ limits }: Pick<Isolated, "limits">): Pick<ConfigInput, "limits"> {
  return Object.keys(limits).length === 0 ? {} : { limits };
}

interface Done {
  readonly limits: Record<string, number>;
  readonly notes: string[];
  readonly unmet: Unmet[];
}

interface Found {
  readonly name: string;
  readonly value: unknown;
  readonly path: string;
}

const RETAIN = "os/linux/capabilities-retain-set";
const REMOVE = "os/linux/capabilities-remove-set";
const SECCOMP_RETAIN = "os/linux/seccomp-retain-set";
const SECCOMP_REMOVE = "os/linux/seccomp-remove-set";

const KNOWN: Readonly<Record<string, (found: Found, done: Done) => void>> = {
  "resource/memory": (found, done) => limit(found, done, "memory", Math.floor),
  "resource/cpu": (found, done) => limit(found, done, "cpu", (cores) => cores),
  "resource/block-bandwidth": noLimit,
  "resource/block-iops": noLimit,
  "resource/network-bandwidth": noLimit,
  [RETAIN](found, { notes }) {
    const set = setOf(found);
    notes.push(`${found.path}: the app gets no capability at all, so it lacks ${set.join(", ")}`);
  },
  // Every capability is removed anyway.
  [REMOVE]: (found) => void setOf(found),
  [SECCOMP_RETAIN](found, done) {
    if (setOf(found).includes("@appc.io/all")) return;
    refuse(found, done, "there is no filter of system calls here");
  },
  [SECCOMP_REMOVE](found, done) {
    if (setOf(found).includes("@appc.io/empty")) return;
    refuse(found, done, "there is no filter of system calls here");
  },
  // It is always set.
  "os/linux/no-new-privileges": ({ value, path }) => void check(z.boolean(), value, path),
  "os/linux/selinux-context": (found, done) =>
    refuse(found, done, "SELinux labels are not set here"),
  "os/linux/apparmor-profile": (found, done) =>
    refuse(found, done, "AppArmor profiles are not applied here"),
  "os/unix/sysctl": (found, done) => refuse(found, done, "kernel parameters are not set here"),
};

const resource = z.object({ limit: z.optional(z.unknown()), request: z.optional(z.unknown()) });

function limit(
  { name, value, path }: Found,
  { limits, notes, unmet }: Done,
  field: string,
  round: (value: number) => number,
): void {
  const { limit: most, request } = check(resource, value, path);
  for (const [key, given] of Object.entries({ limit: most, request })) {
    if (given === undefined || quantity(given) !== undefined) continue;
    throw fault(`${path}.value.${key}`, `${show(given)} is no quantity such as 500m, 1G or 64Mi`);
  }
  if (request !== undefined && request !== most)
    notes.push(`${path}: ${name} is not reserved, only limited: the request has no effect`);
  const number = quantity(most);
  if (number === undefined) return;
  const wanted = round(number);
  if (!(wanted > 0)) throw fault(`${path}.value.limit`, `${show(most)} leaves the app nothing`);
  if (!isCapability(`limit.${field}`)) {
    unmet.push({ path, reason: `${name} cannot be limited here` });
    return;
  }
  limits[field] = Math.min(limits[field] ?? Number.POSITIVE_INFINITY, wanted);
}

function noLimit(found: Found, done: Done): void {
  check(resource, found.value, found.path);
  refuse(found, done, "there is no such limit here");
}

function refuse({ name, path }: Found, { unmet }: Done, reason: string): void {
  unmet.push({ path, reason: `${name} cannot be enforced: ${reason}` });
}

const nameSet = z.object({ set: z.array(z.string()).check(z.minLength(1), z.maxLength(1024)) });

function setOf({ value, path }: Found): readonly string[] {
  const { set } = check(nameSet, value, path);
  const odd = set.find((word) => !/^[@\w./-]{1,128}$/.test(word));
  if (odd === undefined) return set;
  throw fault(`${path}.value.set`, `${show(odd)} is no name of a capability or system call`);
}

function refuseConflicts(isolators: readonly Isolator[], at: string): void {
  const names = isolators.map(({ name }) => name);
  const pairs = [
    [RETAIN, REMOVE],
    [SECCOMP_RETAIN, SECCOMP_REMOVE],
  ] as const;
  for (const [one, other] of pairs) {
    if (!names.includes(one) || !names.includes(other)) continue;
    throw fault(at, `${one} and ${other} exclude each other`);
  }
}
