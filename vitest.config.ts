import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const packages = readdirSync(new URL("packages", import.meta.url));

/** They collect what dead processes have left anywhere on this host, and must not find what another test left on purpose. */
const alone = [
  "packages/backend-chroot/test/death.test.ts",
  "packages/backend-linux-user-chroot/test/death.slow.test.ts",
  "packages/backend-namespaces/test/cgroup.test.ts",
  "packages/core/test/cgroup/group.test.ts",
  "packages/core/test/gc.test.ts",
  "packages/core/test/start/tool/own.test.ts",
];

export default defineConfig({
  // So that an edit is tested without a build. A process that a test starts still runs what was built.
  resolve: { alias: packages.flatMap(sourcesOf) },
  test: {
    allowOnly: false,
    // Most tests wait for processes; by default one core would be left idle.
    maxWorkers: "100%",
    // For a machine that is busy with something else; what hangs is seldom waited for.
    testTimeout: 120_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 10_000 } },
    projects: [
      ...packages.map((name) => ({
        extends: true as const,
        root: `packages/${name}`,
        test: {
          name,
          // Not as `exclude`: that takes the place of the one on the command line.
          include: [
            "test/**/*.test.ts",
            "!test/fixtures/**",
            ...alone.map((file) => file.replace(`packages/${name}/`, "!")),
          ],
        },
      })),
      {
        extends: true as const,
        test: {
          name: "alone",
          include: alone,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});

/** Leads to the source of each entry point of a package, and of each built file that is loaded by its path, as discovery does. */
function sourcesOf(folder: string): { find: RegExp; replacement: string }[] {
  const directory = fileURLToPath(new URL(`packages/${folder}/`, import.meta.url));
  if (!existsSync(`${directory}tsconfig.json`)) return [];
  const { name, exports } = readJson<Manifest>(`${directory}package.json`);
  const { rootDir, outDir } = readJson<Project>(`${directory}tsconfig.json`).compilerOptions;
  const built = new RegExp(`^(?:file://)?${directory}${outDir}/(.*)\\.js$`);
  const source = `${directory}${rootDir}/$1.ts`;
  const entries = Object.entries(exports).flatMap(([entry, target]) => {
    if (typeof target === "string") return [];
    const replacement = join(directory, target.default).replace(built, source);
    return [{ find: new RegExp(`^${name}${entry.slice(1)}$`), replacement }];
  });
  return [...entries, { find: built, replacement: source }];
}

interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>;
}

interface Project {
  readonly compilerOptions: { readonly rootDir: string; readonly outDir: string };
}

function readJson<Type>(path: string): Type {
  return JSON.parse(readFileSync(path, "utf8")) as Type;
}
