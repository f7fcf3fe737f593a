#!/usr/bin/env -S node --
// `--`: Node itself would obey an --env-file among our words, and the NODE_OPTIONS in that file.
// A committed file: pnpm links a bin only if it exists at install time, and dist/ does not yet.
void require("../dist/bin.cjs").main("run-sandbox");
