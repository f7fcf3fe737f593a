import { execFileSync } from "node:child_process";
import { readlinkSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Capability } from "@sandboxlib/core";
import { realHost } from "@sandboxlib/core/backend";
import { type Attack, refused, succeeded, untried } from "../attack.js";
import { seenIn } from "../judge.js";
import { hostMounts, mountAt } from "../paths.js";
import { BY_WHOLE_PROFILE } from "./system-calls.js";

const WORDS: readonly (readonly [Capability, string])[] = [
  ["isolate.mount", "mnt"],
  ["isolate.pid", "pid"],
  ["isolate.ipc", "ipc"],
  ["isolate.uts", "uts"],
  ["isolate.user", "user"],
  ["isolate.cgroup", "cgroup"],
  ["network.none", "net"],
];

/** Being where the host is, and having power over it. */
export const namespaces: readonly Attack[] = [
  ...WORDS.map(
    ([word, file]): Attack => ({
      title: `the program is in the ${file} namespace of the host`,
      about: [word],
      remedy: "",
      async run({ inside }) {
        const { lines } = await inside(["namespaces", file]);
        const own = lines.find((line) => line.word === file)?.text;
        if (own === undefined) return untried("there is no /proc/self/ns inside");
        return own === readlinkSync(`/proc/self/ns/${file}`) ? succeeded(own) : refused(own);
      },
    }),
  ),
  {
    title: "the host's name is seen",
    about: ["isolate.uts"],
    remedy: "",
    async run({ config, inside }) {
      if ((config.hostname ?? "sandbox") === hostname()) return untried("the sandbox has the same");
      const name = nameIn((await inside(["hostname"])).lines);
      if (name === undefined) return untried("it said nothing");
      return name === hostname() ? succeeded(name) : refused(name);
    },
  },
  {
    title: "another host name than the given one is seen",
    about: ["hostname"],
    remedy: "",
    async run({ config, inside }) {
      if (config.hostname === undefined) return untried("the config gives none");
      const name = nameIn((await inside(["hostname"])).lines);
      if (name === undefined) return untried("it said nothing");
      return name === config.hostname ? refused(name) : succeeded(name);
    },
  },
  {
    title: "what is mounted inside is mounted on the host",
    about: ["isolate.mount"],
    remedy: "",
    async run({ inside, met, place, token }) {
      if (!met.has("isolate.mount"))
        return untried("it would lie over what the backend has mounted");
      const marker = `sandboxlib-prove-${token}`;
      const ran = await inside(["mount", place, marker]);
      const left = hostMounts().filter(({ from }) => from === marker);
      const umount = realHost().which("umount");
      for (const { at } of left)
        if (umount !== undefined) execFileSync(umount, ["-l", "--", at], { stdio: "ignore" });
      if (left.length > 0) return succeeded(left.map(({ at }) => at).join(", "));
      const seen = seenIn(ran);
      return seen.outcome === "succeeded" ? refused("it was mounted inside only") : seen;
    },
  },
  {
    title: "settings of the kernel are written",
    // The caller may own them, which takes no capability: a procfs of the sandbox's own has them read-only.
    about: ["mount.proc", "isolate.user"],
    remedy: "",
    run: ({ both }) =>
      both([
        "write",
        "/proc/sys/kernel/core_pattern",
        "/proc/sysrq-trigger",
        "/sys/kernel/uevent_helper",
      ]),
  },
  {
    title: "a node for a device is made and opened",
    about: ["isolate.user"],
    remedy: "",
    run: ({ both, place, directory, config }) =>
      both(
        ["node", join(mountAt(config, "/tmp")?.type === "tmpfs" ? "/tmp" : place, "node")],
        ["node", join(directory, "node")],
      ),
  },
  {
    title: "a set-id program could give more rights",
    about: ["isolate.mount", "isolate.user"],
    remedy: "",
    run: ({ both }) => both(["privileges"]),
  },
  {
    title: "a cgroup of the host is entered",
    about: ["isolate.mount", "isolate.user"],
    remedy: "",
    run({ both, place, directory }) {
      const groups = hostMounts().flatMap(({ at, type }) => (type.startsWith("cgroup") ? at : []));
      return both(["cgroup", place, ...groups], ["cgroup", directory, ...groups]);
    },
  },
  {
    title: "a user namespace is made, in which the program has every capability",
    ...BY_WHOLE_PROFILE,
    run: ({ both }) => both(["user-namespace"]),
  },
];

function nameIn(
  lines: readonly { readonly word: string; readonly text: string }[],
): string | undefined {
  return lines.find(({ word }) => word === "hostname")?.text;
}

/** Devices. */
export const devices: readonly Attack[] = [
  {
    title: "a device beyond the minimal ones is opened",
    about: ["mount.dev"],
    remedy: "",
    async run({ both, config }) {
      const target = config.mounts.find(({ type }) => type === "dev")?.target ?? "/dev";
      return both(["devices", target], ["devices", "/dev"]);
    },
  },
  {
    title: "the mode of a device of the host is changed",
    about: ["mount.dev"],
    remedy: "",
    async run({ outside, inside, config }) {
      const target = config.mounts.find(({ type }) => type === "dev")?.target ?? "/dev";
      const names = ["null", "zero", "full", "random", "urandom", "tty"];
      const before = await outside(["change", ...names.map((name) => `/dev/${name}`)]);
      if (!before.some(({ word }) => word === "got"))
        return untried("this user may not change it outside either");
      await new Promise((resolve) => setTimeout(resolve, 20)); // the kernel's clock for files has steps
      const times = (): number[] => names.map((name) => statSync(`/dev/${name}`).ctimeMs);
      const then = times();
      const ran = await inside(["change", ...names.map((name) => join(target, name))]);
      const now = times();
      const changed = names.filter((_, index) => then[index] !== now[index]);
      if (changed.length > 0) return succeeded(changed.map((name) => `/dev/${name}`).join(", "));
      const seen = seenIn(ran);
      return seen.outcome === "succeeded" ? refused("it was a device of the sandbox's own") : seen;
    },
  },
];
