// Bundles the package in the working directory: each entry point of its `exports` into one file, and what several of them
// share into others. To find and read a file costs Node about half a millisecond, whatever is in it. A backend gets what it
// uses of core as a copy, so that the core beside the command line need not be loaded: see docs/decisions/0043.
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { build } from "esbuild";

const { exports, sandboxlib, dependencies } = readJson("package.json");
const core = resolve(import.meta.dirname, "../packages/core/src");
const { rootDir, outDir } = readJson("tsconfig.json").compilerOptions;
const entryPoints = Object.values(exports).flatMap((target) =>
  typeof target === "string" ? [] : [sourceOf(target.default)],
);

// Files that an earlier build has left, with other names.
for (const name of readdirSync(outDir, { recursive: true }))
  if (/\.c?js(\.map)?$/.test(name)) rmSync(join(outDir, name));
const common = {
  entryPoints,
  outdir: outDir,
  bundle: true,
  platform: "node",
  target: "node20.19",
  sourcemap: "linked",
  // The sources are published beside it.
  sourcesContent: false,
  logLevel: "warning",
};
const alias = {
  "@sandboxlib/core/backend": join(core, "index.backend.ts"),
  "@sandboxlib/core": join(core, "index.ts"),
};
await build({
  ...common,
  splitting: true,
  format: "esm",
  ...(sandboxlib === undefined
    ? { packages: "external" }
    : { alias, external: Object.keys({ ...dependencies }) }),
});
// For the command line, which is CommonJS. The launcher's package is still looked up, since it finds the package with the
// program: only its code is taken along. To read its `exports` for that, as Node does, takes 2 ms more than to look.
const hasLauncher = dependencies?.["@sandboxlib/launcher"] !== undefined;
if (sandboxlib?.commonjs !== undefined)
  await build({
    ...common,
    format: "cjs",
    outExtension: { ".js": ".cjs" },
    alias: { ...alias, "@sandboxlib/launcher": resolve(core, "../../launcher/lib/index.ts") },
    ...(hasLauncher && {
      define: { "import.meta.url": "launcherUrl" },
      banner: {
        js: `const launcherManifest = "@sandboxlib/launcher/package.json";
const launcherUrl = require("node:url").pathToFileURL(
  require("node:fs").realpathSync(
    (require.resolve.paths(launcherManifest) ?? [])
      .map((directory) => require("node:path").join(directory, launcherManifest))
      .find((file) => require("node:fs").existsSync(file)) ?? require.resolve(launcherManifest),
  ),
).href;`,
      },
    }),
  });

function sourceOf(built) {
  return built.replace(`./${outDir}/`, `${rootDir}/`).replace(/\.js$/, ".ts");
}

function readJson(path) {
  return JSON.parse(readFileSync(path, "utf8"));
}
