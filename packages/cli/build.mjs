// Bundles the command line, as CommonJS: what Node has for ES modules takes 6 ms to load, and half a millisecond for each
// file. What every command needs is one file, and what `run` needs besides is another: see docs/decisions/0043.
import { copyFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { build } from "rolldown";

const core = join(import.meta.dirname, "../core/src");
const EVERY_COMMAND =
  "main cli command-line commands errors exit-code options output readers version";
const RUN =
  "commands/run config-file config-from-options origins registry-name report-run sandbox-from-line sandbox-request signals";

await build({
  cwd: import.meta.dirname,
  input: { bin: "src/bin.ts" },
  platform: "node",
  transform: { target: "node20.19", define: { IS_COMMONJS: "true" } },
  resolve: {
    mainFields: ["module", "main"],
    // From its sources, so that what a command does not use is left out.
    alias: {
      "@sandboxlib/core/internal": join(core, "index.internal.ts"),
      "@sandboxlib/core/backend": join(core, "index.backend.ts"),
      "@sandboxlib/core": join(core, "index.ts"),
    },
  },
  output: {
    dir: "dist",
    format: "cjs",
    entryFileNames: "[name].cjs",
    chunkFileNames: "[name]-[hash].cjs",
    cleanDir: false,
    // Names stay, for stack traces.
    minify: { mangle: false, compress: true, codegen: { removeWhitespace: true } },
    plugins: [{ name: "finish", generateBundle: finish }],
    codeSplitting: {
      groups: [
        { name: "cli", priority: 2, test: own(EVERY_COMMAND) },
        { name: "run", priority: 1, test: own(RUN) },
      ],
    },
  },
});

// The programs that attack a sandbox, where the code that was bundled looks for them.
for (const name of ["attacks-linux-x64", "attacks-linux-arm64"]) {
  const program = join(import.meta.dirname, "../prove/bin", name);
  if (existsSync(program)) copyFileSync(program, join(import.meta.dirname, "bin", name));
}

/** The listed sources of the command line. With those of `run` comes core, but for what a wrong word takes. */
function own(names) {
  const others =
    names === RUN
      ? "|/core/src/(?!gc|session/(pool|idle)|backend/import-module|start/(tool|engine|launcher/(fork|pipes|keep))|cgroup/(delegation|group|hierarchy|supervisor))"
      : "|/core/src/config/nearest\\.ts$";
  return new RegExp(`/cli/src/(${names.replaceAll(" ", "|")})\\.ts$${others}`);
}

/**
 * A file with one letter beyond Latin-1 takes V8 twice the memory, and longer to read and parse. The packages whose code is
 * in it are named at its end, those of this repository included: see THIRD-PARTY.md for the others.
 */
function finish(_options, files) {
  for (const file of Object.values(files)) {
    const ascii = file.code.replaceAll(/[^\0-\x7f]/g, (letter) => {
      const hex = letter.charCodeAt(0).toString(16).padStart(4, "0");
      return `\\u${hex}`;
    });
    const packages = Object.keys(file.modules).flatMap(
      (id) => /.*(node_modules\/[^/]+|packages\/[^/]+)/.exec(id)?.[1] ?? [],
    );
    const notes = [...new Set(packages)].map((name) => `// ${name}\n`);
    file.code = `${ascii.trimEnd()}\n${notes.join("")}`;
  }
}
