import assert from "node:assert/strict";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type ConfigInput, isSandboxError, type SandboxChild } from "@sandboxlib/core";
import type { Topic } from "../case.js";
import { nextText, refused, succeeded } from "../check.js";
import type { Context } from "../context.js";
import { readable } from "../opened.js";
import { buildRoot } from "../root/build.js";
import { inEveryWay } from "../ways.js";

const NEW = "the new secret";
/** Shows whatever of the new secret can be seen. */
const LOOK = "cat /secret/key /data/deep/file 2>&-; :";

const needs = ["root", "hidden"] as const;

/** What somebody on the host does, and what the program would see then. */
const REPLACEMENTS: readonly ((root: string) => void)[] = [
  (root) => {
    writeFileSync(join(root, "data/deep/new"), NEW);
    renameSync(join(root, "data/deep/new"), join(root, "data/deep/file"));
  },
  (root) => {
    rmSync(join(root, "data/deep/file"));
    writeFileSync(join(root, "data/deep/file"), NEW);
  },
  (root) => {
    renameSync(join(root, "secret"), join(root, "old"));
    mkdirSync(join(root, "secret"));
    writeFileSync(join(root, "secret/key"), NEW);
  },
  (root) => {
    renameSync(join(root, "data"), join(root, "old"));
    mkdirSync(join(root, "data/deep"), { recursive: true });
    writeFileSync(join(root, "data/deep/file"), NEW);
  },
];

export const replaced: Topic = {
  title: "paths that the host replaces",
  cases: [
    ...inEveryWay(
      "what takes the place of a hidden path is not seen, or no result tells of it",
      (spawn, context) =>
        withEach(context, async (config, replace) => {
          const child = await spawn(`echo ready; read go; ${LOOK}`, config);
          assert.equal(await nextText(child.stdout), "ready\n");
          replace();
          child.stdin?.end("go\n");
          const seen = await textOf(child, NEVER);
          if (seen.includes(NEW)) await isFailed(child);
        }),
      { needs },
    ),
    ...inEveryWay(
      "what takes the place of a hidden path is not seen, or the program that sees it is ended",
      (spawn, context) =>
        withEach(context, async (config, replace) => {
          const script = `echo ready; read go; ${LOOK}; echo looked; sleep 10`;
          const child = await spawn(script, config);
          assert.equal(await nextText(child.stdout), "ready\n");
          replace();
          child.stdin?.write("go\n");
          const seen = await textOf(child, /looked/);
          if (seen.includes(NEW)) await isFailed(child);
          child.kill("SIGKILL");
          await child.result.catch(() => undefined);
        }),
      { needs },
    ),
    {
      title: "what takes the place of a read-only file is not written to, or no result tells of it",
      needs: ["root", "mount.bind.readOnly"],
      async run(context) {
        const source = join(context.scratch, "file");
        writeFileSync(source, "");
        const target = "/data/deep/file";
        const mounts = [{ type: "bind", source, target, readOnly: true }] as const;
        const script = `echo ready; read go; echo x 2>&- > ${target}; :`;
        const child = await context.spawn(script, { writable: "all", mounts });
        assert.equal(await nextText(child.stdout), "ready\n");
        // A library that looks at the mounts once would look at those of the host otherwise.
        await sleep(200);
        context.allow("/data");
        REPLACEMENTS[0]?.(context.root);
        child.stdin?.end("go\n");
        await textOf(child, NEVER);
        const isWritten = readFileSync(join(context.root, target), "utf8") !== NEW;
        if (isWritten) await isFailed(child, /^mounts\[0\]/);
      },
    },
    {
      title: "what has taken the place of a hidden path is hidden from the next run",
      needs,
      run: (context) =>
        withEach(context, async (config, replace) => {
          const sandbox = await context.sandbox(config);
          await sandbox.run(context.words(LOOK));
          replace();
          assert.equal(succeeded(readable(await sandbox.run(context.words(LOOK)))).out, "");
        }),
    },
    {
      title:
        "what has taken the place of a hidden path is not seen by the next command of a session, or ends it",
      needs: [...needs, "session"],
      run: (context) =>
        withEach(context, async (config, replace) => {
          const { sh, spawn } = await context.session(config);
          succeeded(await sh(LOOK));
          replace();
          for (const _ of [1, 2]) {
            const child = await spawn(context.words(LOOK)).catch(isVerifyFailed);
            if (child !== undefined && (await textOf(child, NEVER)) !== "") await isFailed(child);
          }
        }),
    },
    {
      title: "what has taken the place of a hidden path is hidden from the next runs of a pool",
      needs: [...needs, "pool"],
      run: (context) =>
        withEach(context, async (config, replace) => {
          const { ready, sh } = await context.pool(2, config);
          await ready();
          replace();
          for (const _ of [1, 2, 3]) assert.equal(succeeded(await sh(LOOK)).out, "");
          await ready();
        }),
    },
  ],
};

const NEVER = /^(?!)/;

/** In a root of its own for each replacement. */
async function withEach(
  { kit, scratch }: Context,
  test: (config: ConfigInput, replace: () => void) => Promise<void>,
): Promise<void> {
  for (const [index, replace] of REPLACEMENTS.entries()) {
    const root = join(scratch, `root${index}`);
    buildRoot(root, kit.recipe);
    await test({ root, hidden: ["/secret", "/data/deep/file"] }, () => replace(root));
  }
}

/** What a program writes until there is what was waited for, or nothing more. */
function textOf({ stdout }: SandboxChild, awaited: RegExp): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const end = (): void => resolve(text);
    stdout?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (awaited.test(text)) end();
    });
    if (stdout === null || stdout.closed) return end();
    stdout.once("close", end).resume();
  });
}

async function isFailed({ result }: SandboxChild, path = /^hidden\[[01]\]$/): Promise<void> {
  const error = await refused(result, "VERIFY_FAILED");
  assert.match(error.path ?? "", path);
  assert(error.hint !== undefined, error.message);
}

function isVerifyFailed(error: unknown): undefined {
  if (!isSandboxError(error) || error.code !== "VERIFY_FAILED") throw error;
}
