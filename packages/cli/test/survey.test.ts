import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { survey } from "../src/survey.js";
import { scratch } from "./support/scratch.js";

test("a backend whose probe gives no answer is unavailable, and keeps nobody waiting", async () => {
  const directory = scratch();
  const field = { backend: "mute", apiVersion: 1, platforms: [process.platform] };
  const manifest = {
    name: "mute",
    version: "1.0.0",
    type: "module",
    main: "mute.js",
    sandboxlib: field,
  };
  writeFileSync(join(directory, "package.json"), JSON.stringify(manifest));
  writeFileSync(
    join(directory, "mute.js"),
    `export default { apiVersion: 1, name: "mute", capabilities: new Set(["cwd"]), plan: () => undefined,
      probe: () => new Promise(() => undefined) };`,
  );
  process.env["SANDBOXLIB_BACKEND_PATH"] = directory;
  try {
    const found = (await survey(2)).find(({ installed }) => installed.name === "mute");
    expect(found?.probe).toEqual({
      available: false,
      reason: "its probe has given no answer within 2 seconds",
      remedy: expect.any(String),
    });
  } finally {
    delete process.env["SANDBOXLIB_BACKEND_PATH"];
  }
});
