import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Backend } from "@sandboxlib/core/backend";
import { blocks } from "../blocks.js";

const page = "docs/writing-a-backend.md";
const [, , code = ""] = blocks(page, "ts");
const [server = ""] = blocks(page, "js");

/** What is left of the page, for whoever uses it to remove. */
export const directory: string = mkdtempSync(join(tmpdir(), "sandboxlib-engine-"));
/** The engine of the page. */
export const program: string = join(directory, "engine.mjs");
writeFileSync(program, server);
writeFileSync(join(directory, "index.ts"), code);

const url = pathToFileURL(join(directory, "index.ts")).href;

/** The backend of the page, for the engine that listens on a Unix socket. */
export const { engineAt } = (await import(url)) as { engineAt: (socket: string) => Backend };
