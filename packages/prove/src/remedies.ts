import type { Capability } from "@sandboxlib/core";
import type { Attack } from "./attack.js";
import type { Field } from "./field.js";

/** The change of the config by which it asks for a word. */
const FIELDS: Partial<Record<Capability, string>> = {
  root: "set `root` to a directory of its own",
  "root.overlay": "set `overlay`",
  "writable.paths": "list what may be written in `writable`",
  hidden: "list the path in `hidden`",
  "mount.bind.readOnly": "set `readOnly` of the bind",
  "mount.tmpfs": "add a mount of the type tmpfs",
  "mount.proc": "add a mount of the type proc on /proc",
  "mount.dev": "add a mount of the type dev on /dev",
  "network.none": 'set `network` to "none"',
  "isolate.mount": 'add "mount" to `isolate`',
  "isolate.pid": 'add "pid" to `isolate`',
  "isolate.ipc": 'add "ipc" to `isolate`',
  "isolate.uts": 'add "uts" to `isolate`',
  "isolate.user": 'add "user" to `isolate`',
  "isolate.cgroup": 'add "cgroup" to `isolate`',
  seccomp: 'set `seccomp` to "default"',
  user: "set `user`",
  "tree.kill": "do not let `tree.kill` go",
};

/** What to change so that an attack that has succeeded fails. */
export function remedyFor(attack: Attack, field: Field): string {
  const { about, remedy } = attack;
  const { sandbox } = field;
  if (about === "always" || about.length === 0) return remedy;
  if (attack.isPromised?.(sandbox.config) === false && sandbox.config.allow.length > 0)
    return `Leave \`allow\` out. ${remedy}`.trim();
  const lacking = lackingIn(attack, field);
  const gone = lacking.filter((word) =>
    sandbox.dropped.some(({ capability }) => capability === word),
  );
  const changes = lacking.flatMap((word) => (gone.includes(word) ? [] : (FIELDS[word] ?? word)));
  const others = gone.length > 0 ? [`use a backend that has ${gone.join(", ")}`] : [];
  const text = [...changes, ...others].join(", and ");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}. ${remedy}`.trim();
}

/** The words of an attack that the config does not ask for, or not in the way that promises that it fails. */
export function lackingIn({ about, isPromised }: Attack, { met, sandbox }: Field): Capability[] {
  if (about === "always") return [];
  const isOther = isPromised?.(sandbox.config) === false;
  return about.filter((word) => isOther || !met.has(word));
}
