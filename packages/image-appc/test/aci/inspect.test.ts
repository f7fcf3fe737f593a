import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspectImage, openImage } from "@sandboxlib/image";
import { describe, expect, it } from "vitest";
import { archive } from "../../../image/test/support/archive.js";
import { rejection, temporary } from "../../../image/test/support/place.js";
import { type Written, withApp } from "../made.js";

/** Makes an image file that has only a manifest. */
function made(app: Written, fields: Written = {}): string {
  const file = join(temporary(), "image.aci");
  const body = Buffer.from(withApp(app, fields));
  writeFileSync(file, archive({ path: "rootfs", type: "5" }, { path: "manifest", body }));
  return file;
}

describe("an App Container image", () => {
  it.each<readonly [string, Written, Written, string]>([
    [
      "a volume that is not given",
      { mountPoints: [{ name: "data", path: "/data" }] },
      {},
      'app.mountPoints[0]: the image expects a volume "data" at "/data" (Give it a directory: --volume data=PATH.)',
    ],
    [
      "an isolator that we lack",
      { isolators: [{ name: "resource/block-iops", value: { limit: "5" } }] },
      {},
      "app.isolators[0]: resource/block-iops cannot be enforced: there is no such limit here (--degrade runs the image without it, and says so.)",
    ],
    [
      "another system",
      {},
      { labels: [{ name: "os", value: "freebsd" }] },
      'labels: the image is for "freebsd", and this is linux',
    ],
    [
      "a user who is not there",
      { user: "nobody-here" },
      {},
      'app.user: "nobody-here" is not in the image\'s /etc/passwd (Choose one with --uid and --gid.)',
    ],
  ])("can be looked at though a run is refused for %s", async (_, app, fields, refusal) => {
    const file = made(app, fields);
    await rejection(openImage(file));
    const { config, notes } = await inspectImage(file);
    expect(config.command).toEqual(["/bin/app"]);
    expect(notes).toEqual([`a run is refused: ${refusal}`]);
  });

  it("may name a user who is not there, where the caller chooses another", async () => {
    const user = { uid: 1000, gid: 5 };
    const { config } = await openImage(made({ user: "nobody-here" }), { user });
    expect(config.user).toEqual(user);
  });
});
