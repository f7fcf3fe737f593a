import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** An empty directory of a test's own, removed when the test has finished. */
export function scratch(): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "sandboxlib-cli-")));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
