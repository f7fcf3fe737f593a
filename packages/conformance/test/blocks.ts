import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The root of the repository. */
export const repository: string = join(import.meta.dirname, "../../..");

/** The code blocks of a page in one language, in order. */
export function blocks(page: string, language: string): string[] {
  const text = readFileSync(join(repository, page), "utf8");
  const fence = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "gm");
  return [...text.matchAll(fence)].map(([, block = ""]) => block);
}
