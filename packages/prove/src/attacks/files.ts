import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Config } from "@sandboxlib/core";
import { type Attack, refused, type Seen, succeeded, untried } from "../attack.js";
import type { Field, Place } from "../field.js";
import { seenIn } from "../judge.js";
import { few } from "../lines.js";
import { hostMounts, hostPathOf, isHidden, isWritable, mountAt } from "../paths.js";

/** How many paths one attempt takes: they are words of a command. */
const MOST = 400;

/** Writing where nothing may be written. */
export const files: readonly Attack[] = [
  {
    title: "what is read-only is written to",
    about: ["writable.paths"],
    remedy: "",
    run: ({ config, paths }) =>
      ofSome(paths, ["write"], readOnly(config), "nothing of the host is read-only"),
  },
  {
    title: "what is mounted below the root is written to, where the root is read-only",
    about: ["writable.paths"],
    remedy: "",
    run: ({ config, paths }) =>
      ofSome(paths, ["write"], submounts(config), "nothing is mounted below the root"),
  },
  {
    title: "what a read-only bind shows is written to",
    about: ["mount.bind.readOnly"],
    remedy: "",
    run({ config, paths, program }) {
      const binds = config.mounts.flatMap((mount) =>
        mount.type === "bind" && mount.readOnly && mount.target !== program
          ? [{ inside: mount.target, host: mount.source }, ...entries(mount.source, mount.target)]
          : [],
      );
      return ofSome(paths, ["write"], binds, "there is no read-only bind");
    },
  },
  {
    title: "what is read-only gets another name, by which it is written to",
    about: ["writable.paths"],
    remedy: "",
    async run({ config, outside, inside }) {
      const target = writableDirectory(config);
      const all = readOnly(config)
        .filter(({ host }) => statSync(host).isFile())
        .slice(0, 50);
      if (target === undefined || all.length === 0)
        return untried("nothing of the host can be written, or nothing is read-only");
      const before = await outside(["link", target.host, ...all.map(({ host }) => host)]);
      const works = new Set(before.flatMap(({ word, where }) => (word === "got" ? where : [])));
      const left = all.filter(({ host }) => works.has(host));
      if (left.length === 0)
        return untried("they lie on another file system than what can be written");
      return seenIn(await inside(["link", target.inside, ...left.map((each) => each.inside)]));
    },
  },
  {
    title: "a file that is left shows up on the host, where nothing may be written",
    about: ["writable.paths"],
    remedy: "",
    run: (field) => leaves(field, (path) => !isWritable(field.config, path)),
  },
  {
    title: "what is written to a tmpfs is on the host",
    about: ["mount.tmpfs"],
    remedy: "",
    run: (field) => leaves(field, (path) => mountAt(field.config, path)?.type === "tmpfs"),
  },
  {
    title: "what is written to the root is there afterwards, beside its overlay",
    about: ["root.overlay"],
    remedy: "",
    async run({ config, inside }) {
      if (config.overlay === undefined) return untried("there is no overlay");
      const name = unusedName();
      const { lines } = await inside(["make", `/${name}`]);
      const isThere = existsSync(join(config.root, name));
      rmSync(join(config.overlay.upper, name), { force: true });
      rmSync(join(config.root, name), { force: true });
      if (isThere) return succeeded(`${join(config.root, name)} was there`);
      const isMade = lines.some(({ word }) => word === "got");
      return isMade ? refused("it was in the overlay only") : untried("nothing could be made in /");
    },
  },
  {
    title: "a file that runs with its owner's rights is left where it may be written",
    about: [],
    remedy:
      "Mount what may be written nosuid on the host, run as a user of its own (`user`), or bind a directory that nobody else can enter.",
    async run({ config, inside }) {
      const directory = writableDirectory(config);
      if (directory === undefined) return untried("nothing of the host can be written");
      const name = unusedName();
      try {
        await inside(["set-id", join(directory.inside, name)]);
        const made = readdirSync(directory.host).filter((each) => each.startsWith(name));
        if (made.length === 0) return untried("nothing could be made there");
        const bad = made.filter(
          (each) => (statSync(join(directory.host, each)).mode & 0o4000) !== 0,
        );
        if (bad.length === 0) return refused("the files had no such mode");
        return succeeded(`by ${bad.map((each) => each.slice(name.length + 1)).join(", ")}`);
      } finally {
        for (const each of readdirSync(directory.host))
          if (each.startsWith(name)) rmSync(join(directory.host, each), { force: true });
      }
    },
  },
];

type TryPaths = Field["paths"];

async function ofSome(
  paths: TryPaths,
  words: readonly string[],
  places: readonly Place[],
  none: string,
): Promise<Seen> {
  return places.length === 0 ? untried(none) : paths(words, places.slice(0, MOST));
}

/** Places of the root that nothing covers and nothing lets the program write to: two levels, and what this process uses. */
function readOnly(config: Config): Place[] {
  const tops = entries(config.root, "/");
  const deeper = [...tops.map(({ inside }) => inside), ...usual()].flatMap((path) => {
    const host = hostPathOf(config, path);
    return host === undefined ? [] : [{ inside: path, host }, ...entries(host, path).slice(0, 12)];
  });
  return protectedPlaces(config, [{ inside: "/", host: config.root }, ...tops, ...deeper]);
}

function submounts(config: Config): Place[] {
  const all = hostMounts();
  // Core covers them with something of the sandbox's own, which may be written to.
  const groups = all.flatMap(({ at, type }) =>
    type.startsWith("cgroup") ? [at, dirname(at)] : [],
  );
  const found = all.flatMap(({ at, type }) => {
    if (groups.includes(at)) return [];
    const isBelow = config.root === "/" ? at !== "/" : at.startsWith(`${config.root}/`);
    const inside = config.root === "/" ? at : at.slice(config.root.length);
    return isBelow && type !== "proc"
      ? [{ inside, host: at }, ...entries(at, inside).slice(0, 3)]
      : [];
  });
  return protectedPlaces(config, found);
}

function protectedPlaces(config: Config, places: readonly Place[]): Place[] {
  const known = new Map(places.map((place) => [place.inside, place]));
  return [...known.values()].filter(
    ({ inside, host }) =>
      mountAt(config, inside) === undefined &&
      !isWritable(config, inside) &&
      !isHidden(config, inside) &&
      hostPathOf(config, inside) === host,
  );
}

/** The directories in which this process is and is at home, with the one above each. */
function usual(): string[] {
  const own = [process.cwd(), process.env["HOME"] ?? "/"];
  return own.flatMap((path) => [path, dirname(path)]);
}

/** Regular files and directories. */
function entries(host: string, inside: string): Place[] {
  try {
    return readdirSync(host, { withFileTypes: true })
      .filter((entry) => entry.isFile() || entry.isDirectory())
      .map(({ name }) => ({ inside: join(inside, name), host: join(host, name) }));
  } catch {
    return []; // A file, or not for this user.
  }
}

/** A directory of the host that the config lets the program write to. */
function writableDirectory(config: Config): Place | undefined {
  const listed = config.writable === "all" ? ["/"] : config.writable;
  const binds = config.mounts.flatMap((mount) =>
    mount.type === "bind" && !mount.readOnly ? [mount.target] : [],
  );
  for (const inside of [...listed, ...binds]) {
    const host = isHidden(config, inside) ? undefined : hostPathOf(config, inside);
    if (host !== undefined && statSync(host).isDirectory()) return { inside, host };
  }
  return undefined;
}

/** Makes files in the usual directories that may be named, and looks for them on the host. */
async function leaves(
  { config, inside }: Field,
  isMeant: (path: string) => boolean,
): Promise<Seen> {
  const name = unusedName();
  const usualOnes = ["/", "/tmp", "/var/tmp", "/dev/shm", "/run", "/etc", "/home", config.cwd];
  const tmpfs = config.mounts.flatMap(({ type, target }) => (type === "tmpfs" ? [target] : []));
  // Where a symlink is on the way, what is made may be in a place of another kind.
  const places = [...new Set([...usualOnes, ...tmpfs])].filter(isMeant).flatMap((path) => {
    const isOwn = mountAt(config, path)?.type === "tmpfs";
    const host = isOwn ? join(config.root, path) : hostPathOf(config, path);
    return host === undefined ? [] : [{ path, host }];
  });
  if (places.length === 0) return untried("there is no such place");
  const ran = await inside(["make", ...places.map(({ path }) => join(path, name))]);
  const left = places.map(({ host }) => join(host, name)).filter((path) => existsSync(path));
  for (const path of left) if (basename(path) === name) rmSync(path, { force: true });
  if (left.length > 0) return succeeded(few(left));
  const made = ran.lines.filter(({ word }) => word === "got").map(({ where }) => dirname(where));
  return made.length > 0
    ? refused(`nothing was on the host of what was made in ${few(made)}`)
    : seenIn(ran);
}

function unusedName(): string {
  return `.sandboxlib-prove-${randomBytes(6).toString("hex")}`;
}
