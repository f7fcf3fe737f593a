import { posix } from "node:path";
import { type Config, type ConfigInput, type MountInput, parseConfig } from "@sandboxlib/core";
import { type CommandLine, valueOf, valuesOf } from "./command-line.js";
import { CliError } from "./errors.js";
import { isOptionName, OPTIONS, type ValuedOption } from "./options.js";
import type { Origins } from "./origins.js";
import { hostPath } from "./readers.js";

/** A config, and the option that set each of its fields. */
export interface WrittenConfig {
  readonly config: ConfigInput;
  readonly origins: Origins;
}

/**
 * Makes a config of a command line: single values replace those of the config file, and lists are added to its lists.
 *
 * @param own - The config of the file.
 * @param withImage - Adds what an image asks for to it.
 * @throws CliError for an option that cannot be read.
 */
export function configFromOptions(
  line: CommandLine,
  own: ConfigInput,
  withImage: (own: ConfigInput) => ConfigInput = (config) => config,
): WrittenConfig {
  const file = withImage(own);
  const path = valueOf(line, "config");
  const fromFile = Object.keys(own).map((field) => [field, `--config ${path}`] as const);
  const parts = [
    { config: file, origins: fromFile },
    mounts(line, file),
    lists(line, file),
    env(line, file),
    rootAndCommand(line, file),
    singles(line, file),
  ];
  return {
    config: Object.assign({}, ...parts.map(({ config }) => config)) as ConfigInput,
    origins: new Map(parts.flatMap(({ origins }) => origins)),
  };
}

/**
 * The config file of a command line; an empty config if there is none. What reads it is loaded for a file only.
 *
 * @throws SandboxError `CONFIG_INVALID`, naming the file.
 */
export async function configFileOf(line: CommandLine): Promise<ConfigInput> {
  const path = valueOf(line, "config");
  if (path === undefined) return {};
  return (await import("./config-file.js")).readConfigFile(path);
}

/** The user whose ids are both given, by options or the config file; an image then need not look up its own. */
export function chosenUser(line: CommandLine, { user }: ConfigInput): ConfigInput["user"] {
  const [uid, gid] = [valueOf(line, "uid") ?? user?.uid, valueOf(line, "gid") ?? user?.gid];
  return typeof uid === "number" && typeof gid === "number" ? { uid, gid } : undefined;
}

/**
 * The same config with ids in place of the names that --uid and --gid give.
 *
 * @param root - The directory of the host that becomes /.
 * @throws CliError for a name that the root does not know.
 */
export async function withUserIds(
  line: CommandLine,
  { config, origins }: WrittenConfig,
  root: string,
): Promise<WrittenConfig> {
  const ids = [valueOf(line, "uid"), valueOf(line, "gid")];
  if (!ids.some((id) => typeof id === "string")) return { config, origins };
  const { withIds } = await import("./user-names.js");
  return { config: withIds(config, root), origins };
}

/** Fields that options set, and for each the option behind it. */
interface Part {
  readonly config: ConfigInput;
  readonly origins: readonly (readonly [field: string, option: string])[];
}

/** The order of the options does not matter: core sorts mounts by depth. */
function mounts(line: CommandLine, file: ConfigInput): Part {
  const added = usesOf(line).flatMap(({ name, option, texts }) =>
    option.field === "mounts"
      ? texts.map((text) => ({
          origin: `--${name} ${text}`,
          mount: option.read(text, `--${name}`) as MountInput,
        }))
      : [],
  );
  const noDefaults = line.options.has("no-default-mounts");
  if (added.length === 0 && !noDefaults) return { config: {}, origins: [] };
  const listed = file.mounts ?? [];
  // An empty list says that there is none; what is added to it does not change that.
  const hasNone = noDefaults || (file.mounts?.length === 0 && file.defaultMounts === undefined);
  const mounts = [...listed];
  const origins = added.map(({ mount, origin }) => {
    const same = listed.findIndex(({ target }) => tidy(target) === tidy(mount.target));
    // Only the first takes the place of a listed one. A second one contradicts it, and core refuses that.
    const place = same !== -1 && mounts[same] === listed[same] ? same : mounts.length;
    mounts[place] = mount;
    return [`mounts[${place}]`, origin] as const;
  });
  return {
    config: { mounts, ...(hasNone && mounts.length > 0 && { defaultMounts: false }) },
    origins,
  };
}

/** `/tmp/` and `/tmp` are the same target. */
function tidy(target: string): string {
  return posix.normalize(`${target}/`);
}

const LIST_FIELDS = ["writable", "hidden", "inheritEnv", "allow"] as const;

/** Appends to the lists of the config file. A relative path inside starts where the program does. */
function lists(line: CommandLine, file: ConfigInput): Part {
  const config: { -readonly [Field in (typeof LIST_FIELDS)[number]]?: ConfigInput[Field] } = {};
  const origins = usesOf(line).flatMap(({ name, option, texts }) => {
    const field = LIST_FIELDS.find((one) => one === option.field);
    if (field === undefined) return [];
    const listed = file[field] === "all" ? [] : (file[field] ?? []);
    const isAll = field === "writable" && (file.writable === "all" || texts.includes("all"));
    const isPaths = field === "writable" || field === "hidden";
    const added = isPaths ? texts.map((text) => inside(text, line, file)) : texts;
    Object.assign(config, { [field]: isAll ? "all" : [...listed, ...added] });
    return [
      ...texts.map(
        (text, index) => [`${field}[${listed.length + index}]`, `--${name} ${text}`] as const,
      ),
      [field, `--${name} ${texts.at(-1)}`] as const,
    ];
  });
  if (line.options.has("tty"))
    config.inheritEnv = [...(config.inheritEnv ?? file.inheritEnv ?? []), "TERM"];
  return { config, origins };
}

/** The absolute form of a path inside. Core refuses `..`, which could lead elsewhere behind a symlink. */
function inside(path: string, line: CommandLine, file: ConfigInput): string {
  if (path.startsWith("/") || path.split("/").includes("..")) return path;
  const root = line.root ?? valueOf(line, "root") ?? file.root ?? "/";
  const start = valueOf(line, "cwd") ?? file.cwd ?? (root === "/" ? process.cwd() : "/");
  return posix.resolve("/", start, path);
}

/** Adds variables to those of the config file or to the default ones. Origins do not show their values. */
function env(line: CommandLine, file: ConfigInput): Part {
  const files = line.options.get("env-file") ?? [];
  const fromFiles = valuesOf(line, "env-file").map((pairs, index) => ({
    pairs,
    origin: `--env-file ${files[index]}`,
  }));
  const own = valuesOf(line, "env").map((pair) => ({ pairs: [pair], origin: `--env ${pair[0]}` }));
  const added = [...fromFiles, ...own];
  if (added.length === 0) return { config: {}, origins: [] };
  const variables = added.flatMap(({ pairs }) => pairs);
  return {
    config: { env: { ...(file.env ?? defaults().env), ...Object.fromEntries(variables) } },
    origins: added.flatMap(({ pairs, origin }) =>
      pairs.map(([name]) => [`env.${name}`, origin] as const),
    ),
  };
}

/** What core fills in for an empty config. */
function defaults(): Config {
  return parseConfig({});
}

function rootAndCommand(line: CommandLine, file: ConfigInput): Part {
  const { root } = line;
  const program = line.program.length > 0 ? line.program : shellOf(line, file);
  return {
    config: {
      ...(root !== undefined && { root: hostPath(root) }),
      ...(program.length > 0 && { command: program }),
    },
    origins: [
      ...(root === undefined ? [] : [["root", `ROOT ${root}`] as const]),
      ...(program.length === 0 ? [] : [["command", "COMMAND"] as const]),
    ],
  };
}

/** The shell that a terminal is for when there is no command at all. */
function shellOf(line: CommandLine, file: ConfigInput): readonly string[] {
  if (!line.options.has("tty") || file.command !== undefined) return [];
  const isOwnRoot = (line.root ?? valueOf(line, "root") ?? file.root ?? "/") === "/";
  return [(isOwnRoot ? process.env["SHELL"] : undefined) || "/bin/sh"];
}

/** Sets the fields that have one value. The rest of an object that holds such a field is taken from the config file. */
function singles(line: CommandLine, file: ConfigInput): Part {
  const config: Record<string, unknown> = {};
  const objects: Readonly<Record<string, unknown>> = file;
  const origins = usesOf(line).flatMap(({ name, option, texts }) => {
    const { field, repeat, read } = option;
    const text = texts.at(-1);
    if (field === undefined || repeat === true || text === undefined) return [];
    const [top = "", below] = field.split(".");
    const value = read(text, `--${name}`);
    config[top] =
      below === undefined
        ? value
        : Object.assign({}, config[top] ?? objects[top], { [below]: value });
    return [[field, `--${name} ${text}`] as const];
  });
  const { stop } = config as { stop?: object };
  if (stop !== undefined && !("grace" in stop))
    throw new CliError("--stop-signal: is for --stop-grace, which is missing", {
      hint: "Add --stop-grace SECONDS: how long the program has before it is killed.",
    });
  if (config["user"] !== undefined) {
    const caller = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    config["user"] = { ...caller, ...config["user"] };
  }
  return { config: config as ConfigInput, origins };
}

/** The options with an argument that a command line has, in the order of the table, and their arguments as written. */
function usesOf({ options }: CommandLine): {
  readonly name: string;
  readonly option: ValuedOption;
  readonly texts: readonly string[];
}[] {
  return Object.entries(OPTIONS).flatMap(([name, option]) => {
    const texts = isOptionName(name) ? options.get(name) : undefined;
    return texts === undefined || option.argument === undefined ? [] : [{ name, option, texts }];
  });
}
