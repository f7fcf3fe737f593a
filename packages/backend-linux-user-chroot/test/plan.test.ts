import type { Host, ResolvedConfig, ToolPlan } from "@sandboxlib/core/backend";
import { expect, it } from "vitest";
import { linuxUserChrootAt } from "../src/index.js";
import { dropIn } from "./fixture.js";

const host: Host = {
  platform: "linux",
  uid: process.getuid?.() ?? 0,
  gid: 1000,
  which: (program) => `/usr/bin/${program}`,
  run: () => Promise.reject(new Error("a plan runs nothing")),
};

const bind = { type: "bind", readOnly: false, path: "mounts[0]", create: false } as const;

const config: ResolvedConfig = {
  root: "/nowhere",
  rootReadOnly: false,
  mounts: [
    { ...bind, source: "/dev/zero", target: "/zero", kind: "file" },
    { ...bind, source: "/etc", target: "/etc", kind: "directory" },
  ],
  mirrors: [],
  cwd: "/",
  env: {},
  network: "host",
  isolate: new Set(["mount", "pid"]),
  limits: {},
};

it.each([
  ["is read-only", "/bin/sh", ["--mount-readonly", "/zero"]],
  ["is left to the drop-in", dropIn, ["--mount-bind", "/etc"]],
])("a device that is bound %s", (_, program, next) => {
  const { argv } = linuxUserChrootAt(program).plan(config, host) as ToolPlan;
  const at = argv.indexOf("/dev/zero");
  expect(argv.slice(at - 1, at + 4)).toEqual(["--mount-bind", "/dev/zero", "/zero", ...next]);
});
