import { PassThrough, Readable } from "node:stream";
import type { EnginePlan, Running } from "@sandboxlib/core/backend";
import { declares, everything, type Lie, plans, says, twoFaced } from "../lies.js";
import type { Liar } from "./liar.js";

let probes = 0;
let calls = 0;

/** Liars about themselves. */
export const SAYS: readonly Liar[] = [
  {
    does: "bears a name that no SANDBOXLIB_BACKEND can hold",
    lie: () => says({ name: "Bubble Wrap" }),
    caughtBy: ["contract: the name"],
  },
  {
    does: "declares a capability that does not exist",
    lie: () => declares((own) => [...own, "teleport" as never]),
    caughtBy: ["contract: what is declared"],
  },
  {
    does: "tells of a part of what it does not declare",
    lie: () => says({ partly: { "mount.create": "below /tmp" } }),
    caughtBy: ["contract: what holds in part"],
  },
  {
    does: "declares read-only binds and no binds",
    lie: () => declares((own) => own.filter((word) => word !== "mount.bind")),
    caughtBy: ["contract: a capability that builds"],
  },
  {
    does: "declares no working directory",
    lie: () => declares((own) => own.filter((word) => word !== "cwd")),
    caughtBy: ["contract: the working directory"],
  },
  {
    does: "declares less than it has",
    lie: () => declares((own) => own.filter((word) => word !== "hidden")),
    caughtBy: ["plan: a plan names"],
  },
  {
    does: "declares to tell signals apart, and does not",
    lie: () => declares((own) => [...own, "exit.signal"]),
    caughtBy: ["exit: death by a signal is reported"],
  },
  {
    does: "declares to bound the number of files, and does not",
    lie: () => declares((own) => [...own, "mount.tmpfs.inodes"]),
    caughtBy: ["tmpfs: a tmpfs of a given size"],
  },
  {
    does: "probes another result each time",
    lie: () => says({ probe: async () => ({ available: true, version: String((probes += 1)) }) }),
    caughtBy: ["contract: a probe"],
  },
  {
    does: "plans something else each time",
    lie: () => plans((plan) => ({ ...plan, env: { CALL: String((calls += 1)) } })),
    caughtBy: ["plan: a plan is data"],
  },
  {
    does: "starts whatever the PATH of the caller says",
    lie: () => plans((plan) => ({ ...plan, argv: ["bwrap", ...plan.argv.slice(1)] })),
    caughtBy: ["plan: a plan starts"],
  },
  {
    does: "does not say how it enforces",
    lie: () => plans((plan) => ({ ...plan, mechanisms: { ...plan.mechanisms, cwd: "" } })),
    caughtBy: ["contract: every need"],
  },
  {
    does: "declares nothing but the working directory, and says yes to everything",
    lie: () => twoFaced(["cwd"]),
    caughtBy: [
      "root is",
      "writable.paths",
      "hidden",
      "mount.bind is",
      "mount.tmpfs is",
      "mount.tmpfs can",
      "mount.proc",
      "mount.dev",
      "env.loader",
      "network.none",
      "isolate",
      "seccomp",
      "user is",
      "limit.cpuTime",
      "limit.addressSpace",
      "limit.fileSize",
      "limit.openFiles",
      "limit.stack",
      "limit.coreSize",
      "tree.kill",
    ].map((title) => `refusals: ${title}`),
  },
  {
    does: "is an engine, and says yes to limits on the whole of a sandbox",
    lie: () => sayingYes(),
    caughtBy: [
      "limit.memory",
      "limit.processes",
      "limit.cpu is",
      "limit.cpu can",
      "limit.ioWeight",
    ].map((title) => `refusals: ${title}`),
  },
  {
    does: "declares no more than the ground of some capabilities, and says yes to everything",
    mayEndIn: /it declares (?:root\.overlay|user\.range), and its plan names no mechanism for it$/,
    lie: () =>
      twoFaced([
        "cwd",
        "root",
        "mount.bind",
        "mount.tmpfs",
        "isolate.uts",
        "isolate.user",
        "seccomp",
        "user",
      ]),
    caughtBy: [
      "root.overlay",
      "mount.bind.readOnly",
      "mount.tmpfs.size",
      "hostname",
      "allow.user-namespaces",
      "user.range",
    ].map((title) => `refusals: ${title}`),
  },
];

/** An engine for which every run ends well, whatever was asked. */
function sayingYes(): Lie {
  const { backend } = twoFaced(["cwd"]);
  const running: Running = {
    startedAt: 0,
    streams: {
      stdin: new PassThrough().resume(),
      stdout: Readable.from([]),
      stderr: Readable.from([]),
    },
    ended: Promise.resolve({ verdict: () => ({ kind: "exited", exitCode: 0 }) }),
    signal: () => false,
    kill: () => false,
  };
  const plan = (): EnginePlan => ({
    kind: "engine",
    request: {},
    mechanisms: everything,
    start: () => running,
  });
  return { backend: { ...backend, isEngine: true, plan } };
}
