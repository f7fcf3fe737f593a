import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { buildOci } from "../src/index.js";
import { describeBuild, source } from "./support/build.js";
import { rejection } from "./support/place.js";

describeBuild("OCI image", async (from, to) => buildOci(join(from, "rootfs"), to));

describe("a name that OCI gives a meaning of its own", () => {
  it("is refused in an OCI image", async () => {
    const { directory, rootfs } = source([".wh.gone"]);
    const { message } = await rejection(buildOci(rootfs, join(directory, "image")));
    expect(message).toMatch(/^"\.wh\.gone" is a name that OCI images keep/);
  });
});
