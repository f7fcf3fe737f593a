import {
  type Host,
  OWN_BASE,
  OWN_DIRECTORY,
  OWN_NAME,
  type ResolvedConfig,
  type ResolvedMount,
  type ToolPlan,
} from "@sandboxlib/core/backend";
import { describe, expect, it } from "vitest";
import oci from "../src/index.js";
import { interpret } from "../src/report.js";
import type { Runtime } from "../src/runtime.js";

const host: Host = {
  platform: "linux",
  uid: 1000,
  gid: 1001,
  which: (program) => `/usr/bin/${program}`,
  run: () => Promise.reject(new Error("a plan runs nothing")),
};
const root: Host = { ...host, uid: 0, gid: 0 };

const config: ResolvedConfig = {
  root: "/srv/root",
  rootReadOnly: true,
  mounts: [],
  mirrors: [],
  cwd: "/work",
  env: { PATH: "/bin", PWD: "/work" },
  network: "none",
  isolate: new Set(["mount", "pid", "ipc", "uts", "user", "cgroup"]),
  hostname: "sandbox",
  limits: {},
};

const crun: Runtime = { program: "/usr/bin/crun", options: ["--fast"], isRootless: true };

function planOf(change: Partial<ResolvedConfig> = {}, on: Host = host): ToolPlan {
  const findings = { ...crun, isRootless: on.uid !== 0 };
  return oci.plan({ ...config, ...change }, on, { available: true, findings }) as ToolPlan;
}

interface Container {
  readonly process: {
    readonly args: readonly string[];
    readonly user: object;
    readonly capabilities: object;
  };
  readonly mounts: readonly {
    readonly destination: string;
    readonly source: string;
    readonly type: string;
    readonly options: readonly string[];
  }[];
  readonly hooks?: unknown;
  readonly linux: { readonly namespaces: readonly { readonly type: string }[] };
}

function container(change: Partial<ResolvedConfig> = {}, on: Host = host): Container {
  const file = planOf(change, on).ownDirectory?.find(({ path }) => path === "config.json");
  return JSON.parse(file?.type === "file" ? String(file.data) : "{}") as Container;
}

function mount(part: object): ResolvedMount {
  return { path: "mounts[0]", create: false, ...part } as ResolvedMount;
}

/** The mounts that a config has beside the root and those of the container, as words. */
function mounted(...mounts: ResolvedMount[]): string[] {
  return container({ mounts })
    .mounts.slice(1, -3)
    .map(({ type, source, destination, options }) =>
      [type, source, destination, options.join()].join(" "),
    );
}

describe("the plan", () => {
  it("runs a bundle in the run's own directory, under the run's own name", () => {
    expect(planOf().argv.slice(1)).toEqual(
      `runtime user 10 /usr/bin/crun --fast --root ${OWN_DIRECTORY}/state run --preserve-fds 8 --bundle ${OWN_DIRECTORY} ${OWN_NAME}`.split(
        " ",
      ),
    );
  });

  it("ends and removes the container, where there is one", () => {
    expect(planOf().end?.join(" ")).toContain(
      `/usr/bin/crun --fast --root ${OWN_DIRECTORY}/state delete --force ${OWN_NAME}`,
    );
  });

  it("has nothing of the program's environment but on an fd, and no hooks", () => {
    expect(planOf().env).toEqual({});
    expect(planOf().fds?.[5]).toEqual({ data: "PATH=/bin\0PWD=/work\0", isForProgram: true });
    expect(container().hooks).toBeUndefined();
  });

  it.each([
    ["ipc", "ipc"],
    ["uts", "uts"],
    ["cgroup", "cgroup"],
  ] as const)("has a namespace for %s when it is asked to", (name, type) => {
    const types = (change: Partial<ResolvedConfig>): string[] =>
      container(change).linux.namespaces.map((each) => each.type);
    expect(types({})).toContain(type);
    expect(types({ isolate: new Set(), network: "host" })).toEqual(["pid", "mount"]);
    expect(types({ isolate: new Set([name]), network: "host" })).toContain(type);
  });

  it("gives the program the caller's ids, or those that are asked for", () => {
    expect(container().process.args).toContain("user=1000:1001");
    expect(container({ user: { uid: 7, gid: 8 } }).process.args).toContain("user=7:8");
    const asRoot = container({ user: { uid: 7, gid: 8 } }, root).process;
    expect(asRoot.user).toEqual({ uid: 7, gid: 8 });
    expect(asRoot.args.join(" ")).not.toContain("user=");
  });

  it.each([
    [{}, "user:0:0"],
    [{ user: { uid: 7, gid: 8 } }, "user:7:8"],
    [{ isolate: new Set([]) }, "own"],
  ] as const)("of root's with %j has the user namespace %s", (change, mode) => {
    expect(planOf(change, root).argv[2]).toBe(mode);
  });

  it.each([
    [
      { type: "bind", source: "/a", target: "/b", readOnly: false, kind: "directory" },
      ["bind /a /root/b rbind,rnosuid,rprivate,rnodev"],
    ],
    [
      { type: "bind", source: "/a", target: "/b", readOnly: true, kind: "directory" },
      ["bind /a /root/b rbind,rnosuid,rprivate,rnodev,rro"],
    ],
    [
      { type: "bind", source: "/a", target: "/b", readOnly: true, kind: "file" },
      ["bind /a /root/b bind,nosuid,rprivate,nodev,ro"],
    ],
    [
      { type: "bind", source: "/dev/null", target: "/dev/null", readOnly: false, kind: "file" },
      ["bind /dev/null /root/dev/null bind,nosuid,rprivate,ro"],
    ],
    [
      { type: "tmpfs", target: "/t" },
      ["bind open /root/t bind,ro,nosuid,nodev", "tmpfs tmpfs /root/t nosuid,nodev,mode=1777"],
    ],
    [
      { type: "tmpfs", target: "/t", size: 4096 },
      [
        "bind open /root/t bind,ro,nosuid,nodev",
        "tmpfs tmpfs /root/t nosuid,nodev,mode=1777,size=4096,nr_inodes=128",
      ],
    ],
    [{ type: "proc", target: "/proc" }, ["proc proc /root/proc nosuid,nodev,noexec"]],
    [
      { type: "mask", target: "/h", kind: "file" },
      ["bind /dev/null /root/h bind,ro,nosuid,noexec,nodev"],
    ],
    [
      { type: "mask", target: "/h", kind: "directory" },
      [
        "bind sealed /root/h bind,ro,nosuid,nodev",
        "tmpfs tmpfs /root/h nosuid,nodev,ro,mode=0111,noexec",
      ],
    ],
  ])("mounts %j", (part, expected) => {
    expect(mounted(mount(part))).toEqual(expected);
  });

  it("hides the bundles of this user wherever a bind of the host would show them", () => {
    const hidden = (change: Partial<ResolvedConfig>): string[] =>
      container(change)
        .mounts.map(({ destination }) => destination)
        .filter((path) => path.endsWith(OWN_BASE.slice("/var/tmp".length)))
        .filter((path, index, all) => all.indexOf(path) === index);
    const bind = mount({ type: "bind", source: "/var", target: "/v", readOnly: true });
    expect(hidden({})).toEqual([]);
    expect(hidden({ root: "/" })).toEqual([`/root${OWN_BASE}`]);
    expect(hidden({ mounts: [bind] })).toEqual([`/root/v${OWN_BASE.slice("/var".length)}`]);
    const over = mount({ type: "tmpfs", target: "/var/tmp" });
    expect(hidden({ root: "/", mounts: [over] })).toEqual([]);
  });
});

describe("what a runtime says", () => {
  const end = { exitCode: 1, signal: null, stderr: "" };

  it.each([
    ["crun: mkdir `/x`: No space left\n", "crun: mkdir `/x`: No space left"],
    ['time="x" level=error msg="runc run failed: \\"x\\""\n', 'runc run failed: "x"'],
    ["", "it said nothing"],
  ])("is the reason where the program was not started: %j", (report, reason) => {
    expect(interpret({ ...end, report })).toEqual({
      kind: "failed",
      code: "LAUNCH_FAILED",
      message: `the OCI runtime ended with status 1 before the program started: ${reason}`,
    });
  });

  it("tells its own end by a signal, and that of the init inside", () => {
    expect(interpret({ ...end, exitCode: null, signal: "SIGKILL", report: "" })).toMatchObject({
      message: "the OCI runtime was killed by SIGKILL, and the program with it",
    });
    expect(interpret({ ...end, report: "up 1\nstarted\n" })).toMatchObject({
      message: "the init inside was killed, and the program with it",
    });
  });
});
