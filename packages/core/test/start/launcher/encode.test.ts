import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { missing, replay, skip } from "../../../../launcher/test/parser-replay.js";
import type { KeepableCapability, LauncherSetup } from "../../../src/backend/plan.js";
import type {
  IdExtent,
  Mirror,
  ResolvedMount,
  SeccompFilter,
} from "../../../src/backend/resolved-config.js";
import { filter } from "../../../src/host/seccomp-filter.js";
import { type Command, encodeCommand, encodeSignal } from "../../../src/start/launcher/command.js";
import { encodeSetup } from "../../../src/start/launcher/setup.js";

const SAMPLE = { numRuns: 500, seed: 20_261_124 };
const why = missing === undefined ? "" : ` (${missing})`;

const text = fc.string({ unit: "binary" }).map((value) => value.replaceAll("\0", ""));
const name = text
  .map((value) => value.replaceAll("/", ""))
  .filter((value) => !/^\.{0,2}$/.test(value));
const below = fc.array(name, { minLength: 1, maxLength: 5 }).map((names) => `/${names.join("/")}`);
const path = fc.oneof(below, fc.constantFrom("/", "/dev", "/dev/fuse", "/devices"));
const id = fc.integer({ min: 0, max: 0xffff_fffe });
const kind = fc.constantFrom("file", "directory");
const common = { target: below, path: text, create: fc.boolean() };

const mount: fc.Arbitrary<ResolvedMount> = fc.oneof(
  fc.record({ ...common, type: fc.constant("bind"), source: path, readOnly: fc.boolean(), kind }),
  fc.record(
    { ...common, type: fc.constant("tmpfs"), size: fc.maxSafeNat() },
    { requiredKeys: ["target", "path", "create", "type"] },
  ),
  fc.record({ ...common, type: fc.constantFrom("proc", "dev") }),
  fc.record({ ...common, type: fc.constant("mask"), kind, create: fc.constant(false) }),
);
const mirror: fc.Arbitrary<Mirror> = fc.record({ target: path, path: text });
const optional = fc.subarray(["user", "ipc", "cgroup", "network"] as const);
const base = {
  uid: id,
  gid: id,
  root: path,
  rootReadOnly: fc.boolean(),
  mounts: fc.array(mount),
  mirrors: fc.array(mirror, { maxLength: 3 }),
};
const number = fc.integer({ min: 0, max: 0x7fff_ffff });
const extents = fc.array(
  fc.record({ inside: number, outside: number, count: number.map((count) => count + 1) }),
  { minLength: 1, maxLength: 340 },
);
const idMap: fc.Arbitrary<NonNullable<LauncherSetup["idMap"]>> = fc.record(
  { uids: extents, gids: extents, tools: fc.record({ uids: path, gids: path }) },
  { requiredKeys: ["uids", "gids"] },
);
const files = fc.array(below, { minLength: 1, maxLength: 4 });
const cgroup = fc.record({ procs: files, tasks: files });
/** As in linux/capability.h. */
const CAPABILITIES: Readonly<Record<KeepableCapability, number>> = {
  chown: 1 << 0,
  dac_override: 1 << 1,
  fowner: 1 << 3,
  fsetid: 1 << 4,
  kill: 1 << 5,
  setgid: 1 << 6,
  setuid: 1 << 7,
  setpcap: 1 << 8,
  net_bind_service: 1 << 10,
  sys_chroot: 1 << 18,
  setfcap: 2 ** 31,
};
const setup: fc.Arbitrary<LauncherSetup> = fc.oneof(
  fc.record({ ...base, namespaces: optional }),
  fc.record({
    ...base,
    namespaces: optional,
    seccomp: fc.constantFrom<SeccompFilter>(
      "default",
      "build",
      "strict",
      new Uint8Array(8).fill(6),
    ),
  }),
  fc.record({
    ...base,
    namespaces: optional.map(
      (names) => ["user", ...names.filter((each) => each !== "user")] as const,
    ),
    nesting: fc.constant(true as const),
    seccomp: fc.constantFrom<SeccompFilter>("default+user-namespaces", "build+user-namespaces"),
  }),
  fc.record({ ...base, namespaces: optional, cgroup }),
  fc.record({ ...base, namespaces: fc.constant(["user"] as const), idMap }),
  fc.record({
    ...base,
    namespaces: optional.map((names) => ["uts", ...names] as const),
    hostname: fc.string({ maxLength: 64 }),
  }),
  fc.record({
    ...base,
    uid: fc.constant(0),
    namespaces: optional.map((names) => names.filter((each) => each !== "user")),
    capabilities: fc.subarray(Object.keys(CAPABILITIES) as KeepableCapability[], { minLength: 1 }),
  }),
  fc.record({
    ...base,
    namespaces: optional,
    overlay: fc.record({ upper: below, work: below }),
  }),
);
const variable = text.map((value) => value.replaceAll("=", "")).filter((value) => value !== "");
const command: fc.Arbitrary<Command> = fc.record({
  id: fc.integer({ min: 1, max: 0xffff_ffff }),
  streams: fc.tuple(
    fc.constantFrom("own", "discard", "pipe", "sent"),
    fc.constantFrom("own", "discard", "pipe", "sent"),
    fc.constantFrom("own", "discard", "pipe", "merged", "sent"),
  ),
  isOutputRead: fc.boolean(),
  cwd: path,
  argv: fc.array(text, { minLength: 1 }),
  env: fc.dictionary(variable, text),
  limits: fc.record(
    {
      wallTime: fc.nat(),
      cpuTime: fc.double({ min: 0.1, max: 1e6, noNaN: true }),
      addressSpace: fc.maxSafeNat(),
      fileSize: fc.maxSafeNat(),
      openFiles: fc.nat(),
      stack: fc.maxSafeNat(),
      coreSize: fc.maxSafeNat(),
    },
    { requiredKeys: [] },
  ),
  window: fc.constant(undefined),
});
const terminal: fc.Arbitrary<Command> = fc
  .tuple(command, fc.record({ columns: fc.nat(65_535), rows: fc.nat(65_535) }))
  .map(([one, window]) => ({ ...one, streams: ["own", "discard", "merged"], window }));

describe.skipIf(skip)(`the launcher reads what core writes${why}`, () => {
  it.each(["run", "session"] as const)("of the set-up of a %s", async (mode) => {
    const setups = fc.sample(setup, SAMPLE);
    const parsed = await replay(mode, ...setups.map((each) => encodeSetup(each, mode)));
    expect(parsed).toEqual(setups.map((each) => asParsed(each, mode)));
  });

  it.each([
    ["session", command],
    ["run", terminal],
  ] as const)("of the commands of a %s", async (mode, arbitrary) => {
    const commands = fc.sample(arbitrary, SAMPLE);
    expect(await replay(mode, ...commands.map(encodeCommand))).toEqual(
      commands.map(({ id, streams, isOutputRead, cwd, argv, env, limits, window }) => ({
        id,
        streams: streams.map((stream, fd) =>
          fd === 1 && isOutputRead ? LARGE : STREAMS.indexOf(stream),
        ),
        cwd: hex(cwd),
        argv: argv.map((word) => hex(String(word))),
        env: Object.entries(env).map((entry) => hex(entry.join("="))),
        limits: [
          limit(0, limits.cpuTime, 1),
          limit(1, limits.fileSize),
          limit(3, limits.stack),
          limit(4, limits.coreSize),
          limit(7, limits.openFiles),
          limit(9, limits.addressSpace),
        ].flat(),
        ...(window !== undefined && { terminal: [window.columns, window.rows] }),
      })),
    );
  });
});

describe("encodeSignal", () => {
  it("writes the number that the kernel knows the signal by", () => {
    expect(encodeSignal(7, "SIGTERM")).toEqual(
      Buffer.from([9, 0, 0, 0, 0x4b, 7, 0, 0, 0, 15, 0, 0, 0]),
    );
  });
});

function limit(resource: number, value: number | undefined, more = 0): unknown[] {
  if (value === undefined) return [];
  const soft = Math.ceil(value);
  return [[resource, String(soft), String(soft + more)]];
}

const STREAMS = ["own", "discard", "pipe", "merged", "sent"];
const LARGE = 5;

function asParsed(setup: LauncherSetup, mode: "run" | "session"): unknown {
  const bits = { user: 1, ipc: 2, uts: 4, cgroup: 8, network: 16 };
  const mounts = [
    ...setup.mounts.map(asMount),
    ...setup.mirrors.map(({ target, path }) => row("r", 4, 0, path, "", target)),
  ];
  return {
    mode: mode === "run" ? 0 : 1,
    namespaces: setup.namespaces.reduce(
      (sum, each) => sum + bits[each],
      setup.nesting === true ? 32 : 0,
    ),
    uid: setup.uid,
    gid: setup.gid,
    rootFlags: setup.rootReadOnly ? 1 : 0,
    root: hex(setup.root),
    ...(setup.idMap !== undefined && {
      uids: asMap(setup.idMap.tools?.uids, setup.idMap.uids),
      gids: asMap(setup.idMap.tools?.gids, setup.idMap.gids),
    }),
    ...(setup.capabilities !== undefined && {
      capabilities: setup.capabilities.reduce((sum, each) => sum + CAPABILITIES[each], 0),
    }),
    ...(setup.hostname !== undefined && { hostname: hex(setup.hostname) }),
    ...(setup.cgroup !== undefined && {
      cgroup: {
        procs: setup.cgroup.procs.map(hex),
        tasks: setup.cgroup.tasks.map(hex),
      },
    }),
    ...(setup.overlay !== undefined && {
      upper: hex(setup.overlay.upper),
      work: hex(setup.overlay.work),
    }),
    ...asFilters(setup.seccomp),
    mounts: mounts.toSorted((a, b) => depth(a.target) - depth(b.target)),
  };
}

/** Pid 1 takes what it can live with, and the programs take the rest. */
function asFilters(seccomp: LauncherSetup["seccomp"]): Record<string, string> {
  const asText = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
  if (seccomp === undefined) return { filter: asText(filter()) };
  if (typeof seccomp === "string" && seccomp !== "strict")
    return { filter: asText(filter(seccomp)) };
  const own = seccomp === "strict" ? filter(seccomp) : seccomp;
  return { filter: asText(filter()), programFilter: asText(own) };
}

function asMap(tool = "", map: readonly IdExtent[]): unknown[] {
  return [hex(tool), ...map.map(({ inside, outside, count }) => [inside, outside, count])];
}

function asMount(mount: ResolvedMount): ReturnType<typeof row> {
  const { path, target } = mount;
  const create = mount.create ? 2 : 0;
  const directory = !("kind" in mount) || mount.kind === "directory" ? 4 : 0;
  const flags = create + directory;
  if (mount.type !== "bind")
    return row(
      mount.type === "mask" ? "h" : mount.type.charAt(0),
      flags,
      "size" in mount ? (mount.size ?? 0) : 0,
      path,
      "",
      target,
    );
  const devices = `${mount.source}/`.startsWith("/dev/") ? 8 : 0;
  const all = flags + devices + (mount.readOnly ? 1 : 0);
  return row("b", all, 0, path, mount.source, target);
}

function row(
  type: string,
  flags: number,
  size: number,
  field: string,
  source: string,
  target: string,
) {
  const strings = { field: hex(field), source: hex(source), target: hex(target) };
  return { type, flags, size: String(size), ...strings };
}

/** Of a path in hexadecimal. */
function depth(target: string): number {
  const path = Buffer.from(target, "hex").toString();
  return path.split("/").filter(Boolean).length;
}

function hex(value: string): string {
  return Buffer.from(value).toString("hex");
}
