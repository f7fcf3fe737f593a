import { statSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "@sandboxlib/core";
import { type Attack, type Seen, untried } from "../attack.js";
import type { Field, Place } from "../field.js";
import { seenIn } from "../judge.js";
import { above, hostPathOf, isHidden, isWritable, mountAt } from "../paths.js";

/** Getting at what a mount covers: hidden paths, and read-only binds. */
export const covered: readonly Attack[] = [
  {
    title: "what is hidden is read, by its own name or by another",
    about: ["hidden"],
    remedy: "",
    run({ config, paths }) {
      const places = hiddenPlaces(config).flatMap(({ inside, host }) =>
        [inside, `/proc/self/root${inside}`, `/proc/1/root${inside}`, `/./${inside}/.`].map(
          (each) => ({ inside: each, host }),
        ),
      );
      return places.length === 0 ? none() : paths(["read"], places);
    },
  },
  {
    title: "what covers a hidden path is taken away, in namespaces of the program's own",
    about: ["hidden"],
    remedy: "",
    run: (field) => bared(field, ["hidden", ...field.config.hidden], field.config.hidden.length),
  },
  {
    title: "a directory above a hidden path is moved away, and another put in its place",
    about: ["hidden"],
    remedy: "",
    run: (field) => movedAway(field, field.config.hidden),
  },
  {
    title: "a socket that is hidden is connected to",
    about: ["hidden"],
    remedy: "",
    run({ config, paths }) {
      const sockets = hiddenPlaces(config).filter(({ host }) => statSync(host).isSocket());
      return sockets.length === 0 ? none() : paths(["socket"], sockets);
    },
  },
  {
    title: "a read-only bind is made writable, in namespaces of the program's own",
    about: ["mount.bind.readOnly"],
    remedy: "",
    run: (field) => bared(field, ["read-only", ...targetsOf(field)], targetsOf(field).length),
  },
  {
    title: "a directory above a read-only bind is moved away, and another put in its place",
    about: ["mount.bind.readOnly"],
    remedy: "",
    run: (field) => movedAway(field, targetsOf(field)),
  },
  {
    title: "a file of the host below a tmpfs is read",
    about: ["mount.tmpfs"],
    remedy: "",
    async run({ config, trap, token, both }) {
      if (config.root !== "/" || mountAt(config, trap)?.type !== "tmpfs")
        return untried("the file of ours does not lie below one");
      const names = [trap, `/proc/self/root${trap}`, `/proc/1/root${trap}`];
      return both(["reach", token, ...names]);
    },
  },
];

function none(): Promise<Seen> {
  return Promise.resolve(untried("nothing of the kind is hidden"));
}

function hiddenPlaces(config: Config): Place[] {
  return config.hidden.flatMap((inside) => {
    const host = hostPathOf(config, inside);
    return host === undefined ? [] : [{ inside, host }];
  });
}

function targetsOf({ config, program }: Field): string[] {
  return config.mounts.flatMap((mount) =>
    mount.type === "bind" && mount.readOnly && mount.target !== program ? [mount.target] : [],
  );
}

/** Outside nothing covers them, so what tells is with which error the kernel refuses to touch the mounts. */
async function bared({ inside }: Field, words: readonly string[], count: number): Promise<Seen> {
  if (count === 0) return untried("nothing of the kind is in the config");
  return seenIn(await inside(["bare", ...words]));
}

/** Only those in which the program may write otherwise. */
async function movedAway({ config, paths }: Field, targets: readonly string[]): Promise<Seen> {
  const places = targets
    .flatMap(above)
    .filter((path) => isWritable(config, path) && isWritable(config, join(path, "..")))
    .flatMap((inside) => {
      const host = isHidden(config, inside) ? undefined : hostPathOf(config, inside);
      return host === undefined ? [] : [{ inside, host }];
    });
  return places.length === 0 ? untried("none of them may be written to") : paths(["above"], places);
}
