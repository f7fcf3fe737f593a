import { readFileSync } from "node:fs";
import { join } from "node:path";
import { configJsonSchema } from "@sandboxlib/core";

/** Where the file of the config's types is, below the root of the repository. */
export const CONFIG_TYPES = "packages/core/src/config/types.ts";

/** The file with the description of each field from the schema as its TSDoc, so that an editor shows it. */
export function configTypes(root) {
  const schemas = schemasByType();
  let fields;
  const lines = [];
  for (const line of withoutFieldDocs(readFileSync(join(root, CONFIG_TYPES), "utf8"))) {
    const [, type] = /^export (?:interface|type) (\w+)/.exec(line) ?? [];
    if (type !== undefined) fields = schemas[type];
    const [, name] = /^ {2}readonly (\w+)\??:/.exec(line) ?? [];
    const description = name && fields?.[name]?.description;
    if (description !== undefined && description !== "") lines.push(...docComment(description));
    lines.push(line);
  }
  return lines.join("\n");
}

function schemasByType() {
  const { properties } = configJsonSchema();
  const [bind, tmpfs, proc, dev] = ["bind", "tmpfs", "proc", "dev"].map(
    (type) =>
      properties.mounts.items.oneOf.find(({ properties: own }) => own.type.const === type)
        .properties,
  );
  const { overlay, user, limits, stop, mounts, defaultMounts, env } = properties;
  return {
    Config: properties,
    // What a mapped type cannot hand on.
    ConfigInput: { env, mounts, defaultMounts, stop },
    MountInput: bind,
    BindMount: bind,
    TmpfsMount: tmpfs,
    ProcMount: proc,
    DevMount: dev,
    Overlay: overlay.properties,
    User: user.properties,
    Limits: limits.properties,
    Stop: stop.properties,
  };
}

/** The lines of a file without the comments that stand before fields. */
function withoutFieldDocs(text) {
  return text.replace(/^ {2}\/\*\*[^]*?\*\/\n(?= {2}readonly )/gm, "").split("\n");
}

const WIDTH = 118;

function docComment(description) {
  const single = `  /** ${description} */`;
  if (single.length <= WIDTH) return [single];
  const lines = [""];
  for (const word of description.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (longer.length > WIDTH - 5) lines.push(word);
    else lines.splice(-1, 1, longer);
  }
  return ["  /**", ...lines.map((line) => `   * ${line}`), "   */"];
}
