import { readdirSync } from "node:fs";
import { defineConfig } from "vitest/config";

const packages = readdirSync(new URL("packages", import.meta.url));

export default defineConfig({
  test: {
    allowOnly: false,
    // Most tests wait for processes; by default one core would be left idle.
    maxWorkers: "100%",
    testTimeout: 30_000,
    hookTimeout: 30_000,
    projects: packages.map((name) => ({
      extends: true,
      root: `packages/${name}`,
      test: { name, include: ["test/**/*.test.ts"] },
    })),
  },
});
