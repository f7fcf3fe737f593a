import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { gc } from "@sandboxlib/core";
import { OWN_BASE } from "@sandboxlib/core/backend";
import { pidsWith } from "@sandboxlib/test-support";
import { afterEach, beforeEach, expect, it } from "vitest";
import { describeBoth, smallRoot } from "./fixture.js";

const CALLER = fileURLToPath(new URL("caller.mjs", import.meta.url));
const KILLS = 20;

await describeBoth("the death of the caller", (_, program) => {
  let place: ReturnType<typeof smallRoot>;
  beforeEach(() => {
    place = smallRoot();
  });
  afterEach(() => place.remove());

  it("at any moment leaves no process, and after gc no directory", async () => {
    for (let moment = 0; moment < KILLS; moment += 1) {
      const mark = `57.${moment + 1}${process.pid}`;
      const caller = spawn(process.execPath, [CALLER, program, place.root, mark], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      await once(caller.stdout, "data");
      await setTimeout(moment * 10);
      caller.kill("SIGKILL");
      await once(caller, "exit");
      await expect
        .poll(() => [...pidsWith(mark), ...pidsWith(place.root)], { timeout: 20_000 })
        .toEqual([]);
      const { failed } = await gc();
      expect(failed.filter((line) => line.includes(OWN_BASE))).toEqual([]);
      const left = existsSync(OWN_BASE) ? readdirSync(OWN_BASE) : [];
      expect(left.filter((name) => name.startsWith(`${caller.pid}-`))).toEqual([]);
    }
  }, 240_000);
});
