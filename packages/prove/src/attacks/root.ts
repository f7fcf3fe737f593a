import { dirname } from "node:path";
import { type Attack, untried } from "../attack.js";
import type { Field } from "../field.js";
import { isIn } from "../paths.js";

const UP = "../".repeat(40);

/** Leaving the root. */
export const root: readonly Attack[] = [
  {
    title: "a file of the host outside the root is read",
    about: ["root"],
    remedy: "",
    async run(field) {
      const { trap, token, both } = field;
      if (isShown(field)) return untried("the file of ours lies in the root");
      const names = [
        trap,
        `/${UP}${trap}`,
        `${UP}${trap}`,
        `/proc/self/root/${UP}${trap}`,
        `/proc/self/cwd/${UP}${trap}`,
        `/proc/1/root${trap}`,
        `/proc/1/cwd/${UP}${trap}`,
        ...[0, 1, 2, 3, 4, 5].flatMap((fd) => [
          `/proc/self/fd/${fd}/${UP}${trap}`,
          `/proc/1/fd/${fd}/${UP}${trap}`,
        ]),
      ];
      return both(["reach", token, ...names]);
    },
  },
  {
    title: "the root is left by way of another root below it",
    about: ["root", "isolate.user"],
    remedy: "",
    async run(field) {
      const { trap, token, place, both } = field;
      if (isShown(field)) return untried("the file of ours lies in the root");
      return both(["leave-root", token, trap, place], ["leave-root", token, trap, dirname(trap)]);
    },
  },
  {
    title: "a file of the host is opened by its handle, whatever covers it",
    about: ["isolate.user"],
    remedy: "",
    async run({ trap, token, program, place, outside, both }) {
      const facts = await outside(["handle", trap]);
      const [type, handle] = ["type", "handle"].map(
        (word) => facts.find((line) => line.word === word)?.text,
      );
      if (type === undefined || handle === undefined)
        return untried("its file system has no handles");
      const words = ["by-handle", type, handle, token];
      return both([...words, program, place, "/"], [...words, trap]);
    },
  },
];

function isShown({ config, trap }: Field): boolean {
  return isIn(trap, config.root);
}
