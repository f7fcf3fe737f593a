import type { Host, LauncherPlan, ResolvedConfig, ResolvedMount } from "@sandboxlib/core/backend";
import { describe, expect, it } from "vitest";
import { plan } from "../src/plan.js";

const host: Host = {
  platform: "linux",
  uid: 1000,
  gid: 1001,
  which: (program) => `/usr/bin/${program}`,
  run: () => Promise.reject(new Error("a plan runs nothing")),
};

const config: ResolvedConfig = {
  root: "/srv/root",
  rootReadOnly: true,
  mounts: [],
  mirrors: [],
  cwd: "/work",
  env: { PATH: "/bin", PWD: "/work", SECRET: "word" },
  network: "none",
  isolate: new Set(["mount", "pid", "ipc", "uts", "user", "cgroup"]),
  hostname: "sandbox",
  limits: {},
};

function planOf(change: Partial<ResolvedConfig> = {}, on: Host = host): LauncherPlan {
  return plan({ ...config, ...change }, on, { path: "/launcher", version: "1" }) as LauncherPlan;
}

describe("the plan", () => {
  it("has nothing of the config on the command line or in the environment", () => {
    expect(planOf()).toMatchObject({ argv: ["/launcher"], env: {} });
  });

  it("holds the set-up as data, and neither command, cwd nor environment, which core hands on", () => {
    expect(planOf().setup).toEqual({
      namespaces: ["user", "ipc", "uts", "cgroup", "network"],
      uid: 1000,
      gid: 1001,
      hostname: "sandbox",
      root: "/srv/root",
      rootReadOnly: true,
      mounts: [],
      mirrors: [],
    });
  });

  it.each(["ipc", "uts", "user", "cgroup"] as const)("unshares %s when it is asked to", (name) => {
    expect(planOf({ isolate: new Set([name]) }).setup.namespaces).toEqual([name, "network"]);
    expect(planOf({ isolate: new Set() }).setup.namespaces).not.toContain(name);
  });

  it("forbids further user namespaces unless the config allows them", () => {
    const plain = planOf();
    const allow = ["user-namespaces"] as const;
    const nesting = planOf({ allow, seccomp: "default+user-namespaces" });
    expect([plain.setup.nesting, nesting.setup.nesting]).toEqual([undefined, true]);
    expect(nesting.setup.seccomp).toBe("default+user-namespaces");
    expect(plain.mechanisms["isolate.user"]).toContain("max_user_namespaces 0");
    expect(nesting.mechanisms["isolate.user"]).not.toContain("max_user_namespaces");
  });

  it("refuses them to the uid 0, which could map no id", () => {
    const allow = ["user-namespaces"] as const;
    const refusal = { refusal: { path: "allow", capability: "allow.user-namespaces" } };
    expect(planOf({ allow, user: { uid: 0, gid: 0 } })).toMatchObject(refusal);
    expect(planOf({ allow }, { ...host, uid: 0 })).toMatchObject(refusal);
    expect(planOf({ allow, user: { uid: 5, gid: 0 } }, { ...host, uid: 0 }).kind).toBe("launcher");
  });

  it("keeps the network when it is asked to", () => {
    expect(planOf({ network: "host" }).setup.namespaces).not.toContain("network");
  });

  it("gives the program the ids of the config, else those of the caller", () => {
    expect(planOf({ user: { uid: 5, gid: 6 } }).setup).toMatchObject({ uid: 5, gid: 6 });
    expect(planOf({}, { ...host, uid: 0, gid: 0 }).setup).toMatchObject({ uid: 0, gid: 0 });
  });

  it("maps ranges of ids itself for root, and with the set-uid tools for others", () => {
    const extents = [{ inside: 0, outside: 0, count: 10 }];
    const idMap = { uids: extents, gids: extents };
    expect(planOf({ idMap }, { ...host, uid: 0 }).setup.idMap).toEqual(idMap);
    const tools = { uids: "/usr/bin/newuidmap", gids: "/usr/bin/newgidmap" };
    expect(planOf({ idMap }).setup.idMap).toEqual({ ...idMap, tools });
  });

  it("names no host name where the host's own is kept", () => {
    const { hostname: _, ...nameless } = config;
    const named = plan(nameless, host, { path: "/launcher", version: "1" });
    expect(named).not.toHaveProperty("setup.hostname");
  });

  it("leaves the mounts in the order in which core has put them", () => {
    const mounts: ResolvedMount[] = [
      { type: "tmpfs", target: "/b", path: "mounts[1]", create: false },
      { type: "proc", target: "/a", path: "mounts[0]", create: true },
    ];
    const mirrors = [{ target: "/", path: "mounts[0]" }];
    expect(planOf({ mounts, mirrors }).setup).toMatchObject({ mounts, mirrors });
  });

  it("is the same for the same config", () => {
    expect(planOf()).toEqual(planOf());
  });

  it("is refused where there is no launcher", () => {
    const none = { reason: "it is missing", remedy: "Build it." };
    expect(plan(config, host, none)).toMatchObject({
      refusal: { reason: "it is missing", hint: "Build it." },
    });
  });
});
