// The schema from which `schema.generated.ts` is made: see `scripts/generate-schema.mjs`. It is no part of what is
// published, so that nobody who uses the library has to load zod. A test holds the two equal.

import type { SeccompProfile } from "@sandboxlib/seccomp";
import * as z from "zod/mini";
import { TEXT_RULES, type TextRuleName } from "./text.js";
import {
  ALLOWANCES,
  type ConfigInput,
  NAMESPACES,
  type ParsedConfig,
  SECCOMP_NAMES,
  STOP_SIGNALS,
} from "./types.js";

const MAX_ID = 4_294_967_294;
const MAX_SECONDS = 2_000_000;
const MAX_FDS = 2_147_483_647;
const MAX_PROCESSES = 4_194_304;
const MAX_PROCESSORS = 10_000;

/** The rules of texts, which zod does not tell of a check. */
const ruleOf = new WeakMap<z.core.$ZodCheck<never>, TextRuleName>();

/** Config version 1 as a strict zod schema. Use `parseConfig`, which names the field at fault. */
export const configSchema: z.ZodMiniType<ParsedConfig, ConfigInput> = z.strictObject({
  command: field(
    z.optional(z.array(text("exactText")).check(z.minLength(1))),
    "The argument vector, never a shell string. `run(argv)` overrides it.",
  ),
  root: field(z._default(path(), "/"), "The host directory that becomes `/` inside."),
  overlay: field(
    z.optional(
      z.strictObject({
        upper: field(path(), "The directory of the host that keeps what the program writes."),
        work: field(path(), "An empty directory beside it, for the kernel."),
      }),
    ),
    'Keeps writes away from `root`, which shows through where nothing was written; needs `writable: "all"` and another root than `/`.',
  ),
  writable: field(
    z._default(z.union([z.literal("all"), z.array(path())]), []),
    'The paths inside that can be written, or `"all"`; everything else is read-only, submounts included. A directory in them that lies above a hidden path or a read-only bind cannot be renamed.',
  ),
  hidden: field(
    z._default(z.array(path()), []),
    "Existing paths inside that cannot be read at all. When somebody on the host replaces one, or a directory above it, the program can read what is there now: it is ended within a fraction of a second, and the run fails. For files that are replaced often, hide their directory. With the host's network, the file to which `/etc/resolv.conf` leads stays readable unless it is hidden itself, so that names resolve.",
  ),
  mounts: field(
    z.optional(
      z.array(
        z.discriminatedUnion("type", [
          z.strictObject({
            type: z.literal("bind"),
            source: field(path(), "The file or directory of the host."),
            target: field(path(), "Where it appears inside."),
            readOnly: field(
              z._default(z.boolean(), false),
              "Whether it cannot be written through.",
            ),
          }),
          z.strictObject({
            type: z.literal("tmpfs"),
            target: field(path(), "The directory inside."),
            size: field(
              z.optional(integer(1, Number.MAX_SAFE_INTEGER)),
              "The most that it can hold, in bytes.",
            ),
          }),
          z.strictObject({
            type: z.literal("proc"),
            target: field(path(), "Where it appears inside."),
          }),
          z.strictObject({
            type: z.literal("dev"),
            target: field(path(), "Where it appears inside."),
          }),
        ]),
      ),
    ),
    "What is mounted inside, beside the default mounts. A mount is writable unless it says `readOnly`. One on the target of a default mount takes its place. An empty list means no mount at all.",
  ),
  defaultMounts: field(
    z.optional(z.boolean()),
    "Whether there are the default mounts, on `/proc`, `/dev` and `/tmp`, beside those in `mounts`. Default: `true`; with an empty list in `mounts`, `false`.",
  ),
  cwd: field(
    z.optional(path()),
    "The directory inside in which the program starts. Default: `/`; with the root `/`, the caller's.",
  ),
  env: field(
    z._default(z.record(text("variableName"), text("exactText")), {
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    }),
    "The exact environment. Beside it there is only `PWD`, which is `cwd`; `HOME`, which git and others need, only where it is set: `/tmp` is an empty one. An object replaces the default one.",
  ),
  inheritEnv: field(
    z._default(z.array(text("variableName")), []),
    "Variables that are taken from the caller's environment where they are set there and `env` does not set them.",
  ),
  network: field(
    z._default(z.enum(["none", "host"]), "none"),
    "`none`: nothing but a loopback of its own. `host`: the host's network.",
  ),
  isolate: field(
    z._default(z.array(z.enum(NAMESPACES)), [...NAMESPACES]),
    "The namespaces that are not shared with the host. It names the least: a backend may isolate more where a rule needs it.",
  ),
  seccomp: field(
    z.optional(
      z.union([
        z.enum(SECCOMP_NAMES),
        z.strictObject({
          profile: field(
            z.record(z.string(), z.unknown()) as unknown as z.ZodMiniType<
              SeccompProfile,
              SeccompProfile
            >,
            "In the form of Docker and the OCI runtime specification.",
          ),
        }),
      ]),
    ),
    "The system calls that the program may make: a profile by name, or one in the form of Docker. `default` is for programs that nobody has read, and that build, test and serve; `build` also lets debuggers work; `strict` leaves read, write and exit; `none` is no profile. Default: `default` where the backend enforces it.",
  ),
  allow: field(
    z._default(z.array(z.enum(ALLOWANCES)), []),
    "What the program may do that weakens the sandbox. `user-namespaces`: make user namespaces, and mounts and sandboxes in them, as browsers, Nix, Podman and bwrap do; this opens much of the kernel to it. Takes a uid other than 0 inside and the profile `default` or `build`, and neither a hidden path nor a read-only bind in a directory that it may write.",
  ),
  user: field(
    z.optional(
      z.strictObject({
        uid: field(integer(0, MAX_ID), "The user id inside."),
        gid: field(integer(0, MAX_ID), "The group id inside."),
        range: field(
          z.optional(integer(1, MAX_ID)),
          "How many ids there are inside, from 0 on: files of others are then seen with their owners. For an unprivileged caller they are its subordinate ids, see subuid(5). Default: `uid` and `gid` alone, and every other id is the overflow id.",
        ),
      }),
    ),
    "The uid and gid inside. Default: the caller's.",
  ),
  hostname: field(
    z.optional(text("hostName")),
    "The host name inside; needs `uts` in `isolate`. Default there: `sandbox`, which no `/etc/hosts` knows, as it does `localhost`.",
  ),
  limits: field(
    z._default(
      z.strictObject({
        wallTime: field(
          z.optional(z.number().check(z.positive(), z.lte(MAX_SECONDS))),
          "Seconds after which the run is ended with the outcome `timed-out`.",
        ),
        cpuTime: field(
          z.optional(z.number().check(z.positive(), z.lte(MAX_SECONDS))),
          "Seconds of processor time of each process, rounded up to whole ones: then it gets SIGXCPU, and SIGKILL a second later. Where that ends the program, the outcome is `limit-exceeded`.",
        ),
        addressSpace: field(
          z.optional(integer(1, Number.MAX_SAFE_INTEGER)),
          "Bytes of virtual memory of each process, beyond which it gets no more.",
        ),
        fileSize: field(
          z.optional(integer(0, Number.MAX_SAFE_INTEGER)),
          "Bytes beyond which no file can be made to grow: the process gets SIGXFSZ. Where that ends the program, the outcome is `limit-exceeded`.",
        ),
        openFiles: field(
          z.optional(integer(3, MAX_FDS)),
          "How many fds each process may have, the standard streams included.",
        ),
        stack: field(
          z.optional(integer(1, Number.MAX_SAFE_INTEGER)),
          "Bytes of the stack of each process, its arguments and environment included.",
        ),
        coreSize: field(
          z.optional(integer(0, Number.MAX_SAFE_INTEGER)),
          "Bytes of the core file of each process; with 0 there is none.",
        ),
        memory: field(
          z.optional(integer(1, Number.MAX_SAFE_INTEGER)),
          "Bytes of memory of the whole sandbox, what it writes to a tmpfs included. Where want of it ends the program, the outcome is `limit-exceeded`.",
        ),
        swap: field(
          z.optional(integer(0, Number.MAX_SAFE_INTEGER)),
          "Bytes of swap beside `memory`. Default: 0.",
        ),
        processes: field(
          z.optional(integer(1, MAX_PROCESSES)),
          "How many processes and threads the whole sandbox may have at a time, those of the backend in it included, such as its pid 1; beyond that fork fails with EAGAIN.",
        ),
        cpu: field(
          z.optional(z.number().check(z.gte(0.01), z.lte(MAX_PROCESSORS))),
          "How many processors the whole sandbox may keep busy: 0.5 is half of one. Beyond that it waits.",
        ),
        ioWeight: field(
          z.optional(integer(1, 10_000)),
          "The share of the disks beside others who want them, who have 100.",
        ),
      }),
      {},
    ),
    "What a run may use at most.",
  ),
  stop: field(
    z.optional(
      z.strictObject({
        signal: field(
          z._default(z.enum(STOP_SIGNALS), "SIGTERM"),
          "The signal that the program gets first when the run times out or is aborted.",
        ),
        grace: field(
          z.number().check(z.positive(), z.lte(MAX_SECONDS)),
          "Seconds after which everything that is still there is ended. Required with `stop`.",
        ),
      }),
    ),
    "How a run is ended that times out or is aborted; without it, everything at once.",
  ),
});

function path(): z.ZodMiniType<string, string> {
  const { tidy } = TEXT_RULES.absolutePath;
  return z.string().check(rule("absolutePath"), z.overwrite(tidy));
}

function text(name: TextRuleName): z.ZodMiniType<string, string> & z.core.$ZodRecordKey {
  return z.string().check(rule(name));
}

function rule(name: TextRuleName): z.core.$ZodCheck<string> {
  const check = z.check<string>(({ value, issues }) => {
    const broken = TEXT_RULES[name].broken(value);
    if (broken !== undefined) issues.push({ code: "custom", input: value, message: broken });
  });
  ruleOf.set(check, name);
  return check;
}

function integer(least: number, most: number): z.ZodMiniType<number, number> {
  return z.int().check(z.gte(least), z.lte(most));
}

function field<Schema extends z.ZodMiniType>(schema: Schema, description: string): Schema {
  return schema.check(z.describe(description));
}

/** Config version 1 as JSON Schema, draft 2020-12, in which texts have the name of their rule. */
export function annotatedJsonSchema(): Record<string, unknown> {
  return {
    ...z.toJSONSchema(configSchema, {
      io: "input",
      override({ zodSchema, jsonSchema }) {
        const names = (zodSchema._zod.def.checks ?? []).flatMap((check) => ruleOf.get(check) ?? []);
        if (names[0] !== undefined) jsonSchema["rule"] = names[0];
      },
    }),
    $id: "https://github.com/sandboxlib/sandboxlib/config-1.json",
    title: "sandboxlib config, version 1",
  };
}
