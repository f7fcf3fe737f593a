import { readdirSync } from "node:fs";
import { defineConfig } from "vitest/config";

const packages = readdirSync(new URL("packages", import.meta.url));

/** They collect what dead processes have left anywhere on this host, and must not find what another test left on purpose. */
const alone = [
  "packages/backend-chroot/test/death.test.ts",
  "packages/backend-namespaces/test/cgroup.test.ts",
  "packages/core/test/cgroup-group.test.ts",
  "packages/core/test/gc.test.ts",
];

export default defineConfig({
  test: {
    allowOnly: false,
    // Most tests wait for processes; by default one core would be left idle.
    maxWorkers: "100%",
    testTimeout: 30_000,
    hookTimeout: 30_000,
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
