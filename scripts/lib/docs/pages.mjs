import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { workspaceBackends } from "./backends.mjs";
import { capabilitiesPage } from "./capabilities-page.mjs";
import { cliPage, manPages } from "./cli-page.mjs";
import { configPage } from "./config-page.mjs";
import { CONFIG_TYPES, configTypes } from "./config-types.mjs";
import { table } from "./table.mjs";

/** The root of the repository. */
export const root = join(import.meta.dirname, "../../..");

/** Everything generated, as [path below the root, text]. README.md is generated between two markers only. */
export async function generatedDocs() {
  const backends = await workspaceBackends(root);
  return [
    [CONFIG_TYPES, configTypes(root)],
    ["docs/cli.md", cliPage(root)],
    ...manPages(root),
    ["docs/config.md", configPage()],
    ["docs/capabilities.md", capabilitiesPage(backends)],
    ["README.md", readme(backends)],
    ...backends.filter(({ isDefault }) => isDefault).map(manifestPage),
  ];
}

/** The choice of a backend reads what it declares from there, and does not load the others. */
function manifestPage({ directory, manifest, backend }) {
  const sandboxlib = { ...manifest.sandboxlib, capabilities: [...backend.capabilities] };
  const text = JSON.stringify({ ...manifest, sandboxlib }, undefined, 2);
  return [relative(root, join(directory, "package.json")), `${text}\n`];
}

function readme(backends) {
  const text = readFileSync(join(root, "README.md"), "utf8");
  const rows = backends
    .filter(({ isDefault }) => isDefault)
    .map(({ backend, manifest, lacks }) => [
      `\`${backend.name}\``,
      `\`${manifest.name}\``,
      manifest.description.replace(/^sandboxlib backend for /, ""),
      manifest.sandboxlib.platforms.join(", "),
      [
        ...lacks.map((word) => `\`${word}\``),
        ...Object.keys(backend.partly ?? {}).map((word) => `part of \`${word}\``),
      ].join(", ") || "nothing",
    ]);
  const head = ["Backend", "Package", "Mechanism", "Platforms", "Does not enforce"];
  return between(text, "backends", table(head, rows));
}

function between(text, name, generated) {
  const [start, end] = [`<!-- ${name}: generated -->`, `<!-- /${name} -->`];
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`README.md has lost its marker ${start}`);
  return `${text.slice(0, from + start.length)}\n${generated}\n${text.slice(to)}`;
}
