import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { idMapFor } from "../../src/paths/id-map.js";
import { thrown } from "../support/thrown.js";

const caller = { uid: 61_234, gid: 61_234 };

describe("idMapFor", () => {
  let etc = "";
  beforeEach(() => {
    etc = mkdtempSync(join(tmpdir(), "sandboxlib-subid-"));
    writeFileSync(join(etc, "subuid"), "other:1:9\n61234:100000:10\nbroken\n61234:200000:90\n");
    writeFileSync(join(etc, "subgid"), "61234:300000:65536\n");
  });
  afterEach(() => rmSync(etc, { recursive: true }));

  it("maps the program's own id to the caller, and the others to what is granted", () => {
    expect(idMapFor({ uid: 0, gid: 5, range: 20 }, caller, etc)).toEqual({
      uids: [
        { inside: 0, outside: 61_234, count: 1 },
        { inside: 1, outside: 100_000, count: 10 },
        { inside: 11, outside: 200_000, count: 9 },
      ],
      gids: [
        { inside: 0, outside: 300_000, count: 5 },
        { inside: 5, outside: 61_234, count: 1 },
        { inside: 6, outside: 300_005, count: 14 },
      ],
    });
  });

  it("covers every id once, whatever is asked for", () => {
    for (const uid of [0, 1, 10, 11, 12, 99]) {
      const { uids } = idMapFor({ uid, gid: uid, range: 100 }, caller, etc);
      const inside = uids.flatMap(({ inside: first, count }) =>
        Array.from({ length: count }, (_, index) => first + index),
      );
      expect(inside).toEqual(Array.from({ length: 100 }, (_, index) => index));
    }
  });

  it("gives root every id as it is", () => {
    const identity = [{ inside: 0, outside: 0, count: 65_536 }];
    const map = idMapFor({ uid: 0, gid: 0, range: 65_536 }, { uid: 0, gid: 0 }, etc);
    expect(map).toEqual({ uids: identity, gids: identity });
  });

  it("says how many are granted when there are too few", async () => {
    const error = await thrown(() => idMapFor({ uid: 0, gid: 0, range: 102 }, caller, etc));
    expect([error.code, error.path]).toEqual(["CAPABILITY_UNSUPPORTED", "user.range"]);
    expect(error.message).toContain("grants this user 100 besides its own");
  });
});
