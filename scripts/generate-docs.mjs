// Writes the pages that follow from data: `pnpm docs`. A test of core holds the files equal to it.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { generatedDocs, root } from "./lib/docs/pages.mjs";

for (const [file, text] of await generatedDocs()) writeFileSync(join(root, file), text);
