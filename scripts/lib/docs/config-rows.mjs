import { CAPABILITIES, configJsonSchema, needs, parseConfig } from "@sandboxlib/core";

const OVERLAID = { root: "/srv", overlay: { upper: "/upper", work: "/work" } };

/** What makes each field ask for everything that it can ask for. A field of the schema without an entry is an error. */
const ASKING = {
  command: [{ command: ["true"] }],
  root: [{ root: "/srv" }],
  "overlay.upper": [OVERLAID],
  "overlay.work": [OVERLAID],
  writable: [{ writable: [] }],
  hidden: [{ hidden: ["/srv"] }],
  mounts: [],
  defaultMounts: [],
  cwd: [{ cwd: "/srv" }],
  env: [{ env: { LD_PRELOAD: "" } }],
  inheritEnv: [{ inheritEnv: ["LD_PRELOAD"] }],
  network: [{ network: "none" }],
  isolate: ["mount", "pid", "ipc", "uts", "user", "cgroup"].map((name) => ({ isolate: [name] })),
  seccomp: [{ seccomp: "default" }],
  allow: [{ allow: ["user-namespaces"], isolate: ["user"], seccomp: "default" }],
  "user.uid": [{ user: { uid: 0, gid: 0 } }],
  "user.gid": [{ user: { uid: 0, gid: 0 } }],
  "user.range": [{ user: { uid: 0, gid: 0, range: 1 }, isolate: ["user"] }],
  hostname: [{ hostname: "build", isolate: ["uts"] }],
  ...Object.fromEntries(
    ["wallTime", "cpuTime", "addressSpace", "fileSize", "openFiles", "stack", "coreSize"].map(
      (name) => [`limits.${name}`, [{ limits: { [name]: 3 } }]],
    ),
  ),
  "stop.signal": [{ stop: { grace: 1 } }],
  "stop.grace": [{ stop: { grace: 1 } }],
  "limits.memory": [{ limits: { memory: 1 } }],
  "limits.swap": [{ limits: { memory: 1, swap: 0 } }],
  "limits.processes": [{ limits: { processes: 1 } }],
  "limits.cpu": [{ limits: { cpu: 1 } }],
  "limits.ioWeight": [{ limits: { ioWeight: 1 } }],
};

const SILENT = { writable: "all", mounts: [], network: "host", isolate: [], cwd: "/" };

/** A row for each field of the schema: name, type, default, meaning, needs. */
export function fieldRows() {
  const byDefault = words(needs(parseConfig({})));
  return leaves(configJsonSchema()).map(([name, schema, parent]) => {
    if (ASKING[name] === undefined) throw new Error(`ASKING has no entry for ${name}`);
    const field = name.split(".")[0];
    const asked = ASKING[name].flatMap((config) =>
      needs(parseConfig({ ...SILENT, ...config })).filter(({ path }) => isAt(path, field)),
    );
    const { meaning, fallback } = describe(schema, parent);
    const cells = [...words(asked)].map((word) =>
      byDefault.has(word) ? `**\`${word}\`**` : `\`${word}\``,
    );
    const needed = /mounts$/i.test(name) ? "see below" : cells.join(", ");
    return [`\`${name}\``, typeOf(schema), fallback, meaning, needed + only(field)];
  });
}

function only(field) {
  return field === "env" || field === "inheritEnv" ? " for `LD_*` and the like, else none" : "";
}

/** Each field with its schema; an object with fields of its own is replaced by them. */
function leaves({ properties }) {
  return Object.entries(properties).flatMap(([name, schema]) =>
    schema.properties === undefined
      ? [[name, schema]]
      : Object.entries(schema.properties).map(([child, leaf]) => [
          `${name}.${child}`,
          leaf,
          schema,
        ]),
  );
}

/** The same for the types of mounts, each followed by its fields. */
export function mountRows() {
  const types = configJsonSchema().properties.mounts.items.oneOf;
  const { target } = types[0].properties;
  return types.flatMap(({ properties, required }) => {
    const { type, ...fields } = properties;
    const mount = Object.fromEntries(required.map((name) => [name, "/srv"]));
    const alone = mountNeeds({ ...mount, type: type.const });
    const first = [`\`${type.const}\``, "", "", "", CAPABILITIES[`mount.${type.const}`].meaning];
    return [
      [...first, list(alone)],
      ...Object.entries(fields).map(([name, schema]) => {
        const { meaning, fallback } = describe({ ...target, ...schema });
        const value = schema.type === "boolean" ? true : schema.minimum;
        const more = required.includes(name)
          ? []
          : mountNeeds({ ...mount, type: type.const, [name]: value });
        const needed = list(more.filter((word) => !alone.includes(word)));
        const absent = required.includes(name) ? "required" : fallback;
        return ["", `\`${name}\``, typeOf(schema), absent, meaning, needed];
      }),
    ];
  });
}

function mountNeeds(mount) {
  const all = needs(parseConfig({ ...SILENT, mounts: [mount], defaultMounts: false }));
  return [...words(all.filter(({ path }) => isAt(path, "mounts")))];
}

/** The path of a need lies in a field: `mounts[0].size` in `mounts`. */
function isAt(path, field) {
  return path.split(/[.[]/)[0] === field;
}

function words(found) {
  return new Set(found.map(({ capability }) => capability));
}

function list(capabilities) {
  return capabilities.map((word) => `\`${word}\``).join(", ");
}

/** A description may end in the default, where that is not a value: "Default: the caller's." */
function describe({ description = "", default: value }, parent) {
  const [, meaning = description, spoken] =
    /^(.*) Default(?: there)?: (.*)\.$/.exec(description) ?? [];
  const [, parentSpoken] = / Default: (.*)\.$/.exec(parent?.description ?? "") ?? [];
  const written = value === undefined ? "none" : `\`${JSON.stringify(value)}\``;
  return {
    meaning: meaning === "" ? (parent?.description ?? "").replace(/ Default: .*$/, "") : meaning,
    fallback: spoken ?? parentSpoken ?? written,
  };
}

function typeOf(schema) {
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(" or ");
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`"${value}"\``).join(" or ");
  if (schema.type === "array") return `list of ${itemsOf(schema.items)}`;
  if (schema.properties !== undefined)
    return `\`{ ${Object.keys(schema.properties).join(", ")} }\``;
  if (schema.type === "object") return "object of strings";
  const { minimum, exclusiveMinimum, maximum } = schema;
  if (minimum !== undefined) return `${schema.type}, ${minimum} to ${maximum}`;
  return exclusiveMinimum === undefined
    ? schema.type
    : `${schema.type} over ${exclusiveMinimum}, at most ${maximum}`;
}

function itemsOf(items) {
  if (items.oneOf !== undefined) return "[mounts](#mounts)";
  return items.enum === undefined
    ? `${items.type}s`
    : items.enum.map((one) => `\`${one}\``).join(" ");
}
