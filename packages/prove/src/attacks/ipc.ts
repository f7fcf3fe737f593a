import { randomInt } from "node:crypto";
import { type Attack, refused, succeeded, untried } from "../attack.js";
import type { Field } from "../field.js";
import { few, wayOf } from "../lines.js";
import { BY_PROFILE } from "./system-calls.js";

/** Queues, shared memory and keys. */
export const ipc: readonly Attack[] = [
  {
    title: "queues and shared memory of the host are opened",
    about: ["isolate.ipc"],
    remedy: "",
    async run({ outside, both, token }) {
      const queue = unusedQueue(token);
      try {
        await outside(["queue-make", ...queue]);
        return await both(["queue-find", ...queue]);
      } finally {
        await outside(["queue-remove", ...queue]);
      }
    },
  },
  {
    title: "queues and shared memory are left on the host",
    about: ["isolate.ipc"],
    remedy: "",
    async run({ outside, inside, token }) {
      const queue = unusedQueue(token);
      try {
        const { lines } = await inside(["queue-make", ...queue]);
        const made = lines.filter(({ word }) => word === "got");
        if (made.length === 0) return untried("none could be made inside");
        const left = (await outside(["queue-find", ...queue])).filter(({ word }) => word === "got");
        return left.length > 0 ? succeeded(few(left.map(wayOf))) : refused("none was there");
      } finally {
        await outside(["queue-remove", ...queue]);
      }
    },
  },
  {
    title: "a key of the caller's keyrings is found",
    ...BY_PROFILE,
    remedy:
      "Keep no secret in a keyring, or start the caller in a new session of its own (keyctl session).",
    async run({ outside, both, token }: Field) {
      const name = `sandboxlib-prove-${token}`;
      try {
        await outside(["key-make", name]);
        return await both(["key-find", name]);
      } finally {
        await outside(["key-remove", name]);
      }
    },
  },
  {
    title: "a lock that the host holds on a file is met, and so could one be held",
    about: [],
    remedy:
      "Let the program see no file whose lock others wait for: a `root` of its own, or `hidden`.",
    async run({ helper, both, directory, program }) {
      const own = `${directory}/sandboxlib-attacks`;
      await using outside = helper(["lock", "hold", own]);
      if ((await outside.said("ready")) === undefined) return untried("outside there is no lock");
      return await both(["lock", program], ["lock", own]); // it is held until then
    },
  },
];

function unusedQueue(token: string): [string, string] {
  return [String(randomInt(1, 2 ** 31)), `sandboxlib-prove-${token}`];
}
