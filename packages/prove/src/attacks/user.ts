import { type Attack, refused, succeeded, untried } from "../attack.js";

/** Having other ids than the given ones. */
export const user: readonly Attack[] = [
  {
    title: "the program has another uid or gid, or a group of the caller's, or takes root's",
    about: ["user"],
    remedy: "",
    async run({ config: { user: given }, inside }) {
      if (given === undefined) return untried("the config gives none");
      const { lines } = await inside(["ids"]);
      const facts = (name: string): string[] =>
        lines.flatMap(({ word, text }) => (word === name ? text : []));
      const { uid, gid } = given;
      const wrong = [
        ...(facts("uid").includes(String(uid)) ? [] : [`uid ${facts("uid").join()}`]),
        ...(facts("gid").includes(String(gid)) ? [] : [`gid ${facts("gid").join()}`]),
        // An unprivileged caller's stay; a root caller's do not.
        ...(process.getuid?.() === 0
          ? facts("group").filter((group) => group !== String(gid))
          : []
        ).map((group) => `group ${group}`),
        ...lines.flatMap(({ word, text }) =>
          word === "got" && (text === "setresuid" ? uid : gid) !== 0 ? [`root's by ${text}`] : [],
        ),
      ];
      if (lines.length === 0) return untried("it said nothing");
      return wrong.length > 0 ? succeeded(wrong.join(", ")) : refused(`uid ${uid}, gid ${gid}`);
    },
  },
];
