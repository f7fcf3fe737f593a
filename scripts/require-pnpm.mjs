// Runs before every install. Another package manager may exit 0 and yet link none of the workspace
// packages, and everything after it would fail for reasons that are hard to guess. (npm does not
// come this far: it stops at the first "catalog:" in package.json, before it runs any script.)
import { readFileSync } from "node:fs";

const { packageManager } = JSON.parse(readFileSync("package.json", "utf8"));

if (!process.env.npm_config_user_agent?.startsWith("pnpm/")) {
  console.error(`
This repository installs itself: run "npm start" or "npm test".
To install and nothing else: "npx --yes ${packageManager} install".
`);
  process.exit(1);
}
