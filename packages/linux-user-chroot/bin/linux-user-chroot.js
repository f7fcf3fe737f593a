#!/usr/bin/env node
// A committed file: pnpm links a bin only if it exists at install time, and dist/ does not yet.
import { main } from "../dist/bin.js";

await main();
