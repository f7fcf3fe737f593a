import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  buildOci,
  collectImages,
  inspectImage,
  openImage,
  openImageSandbox,
  removeImages,
  withImage,
} from "../src/index.js";
import { archive } from "./support/archive.js";
import { cached, rejection, temporary } from "./support/place.js";

/** A call with what TypeScript would not let through, and what is said of it. */
type Wrong = [given: string, call: () => unknown, message: string, hint?: string];

const refused = async (call: Wrong[1], message: string, hint?: string): Promise<void> => {
  const error = await rejection((async () => call())());
  expect([error.code, error.message, error.hint]).toEqual(["CONFIG_INVALID", message, hint]);
};

const COLLECT: Wrong[] = [
  [
    "a slip of the pen",
    () => collectImages({ dryrun: true } as never),
    "dryrun: unknown option",
    "Did you mean `dryRun`?",
  ],
  [
    "a word as dryRun",
    () => collectImages({ dryRun: "yes" } as never),
    'dryRun: "yes" is neither true nor false',
  ],
  [
    "a number as keepImages",
    () => collectImages({ keepImages: 1 } as never),
    "keepImages: 1 is neither true nor false",
  ],
  ["true", () => collectImages(true as never), "options: true is no object"],
  ["null", () => collectImages(null as never), "options: null is no object"],
  ["a number to remove", () => removeImages(3 as never), "word: 3 is no text"],
  ["nothing to remove", () => removeImages(undefined as never), "word: undefined is no text"],
];

describe("what is removed from the cache", () => {
  it.each(COLLECT)("is nothing when it is given %s", async (_given, call, message, hint) => {
    const file = join(temporary(), "image.tar");
    writeFileSync(file, archive({ path: "a", body: "x" }));
    await openImage(file);
    await refused(call, message, hint);
    expect(cached("images").length).toBe(1);
  });
});

const open = (options: unknown): Promise<unknown> => openImage("/none", options as never);

const OPEN: Wrong[] = [
  ["no path", () => openImage(undefined as never), "path: undefined is no path"],
  ["a number as path", () => openImage(3 as never), "path: 3 is no path"],
  ["a path with a NUL byte", () => openImage("a\0b"), 'path: "a\\u0000b" is no path'],
  ["nothing to inspect", () => inspectImage(null as never), "path: null is no path"],
  ["null as options", () => open(null), "options: null is no object"],
  ["a number as options", () => open(3), "options: 3 is no object"],
  ["maxsize", () => open({ maxsize: 1 }), "maxsize: unknown option", "Did you mean `maxSize`?"],
  ["diggest", () => open({ diggest: "" }), "diggest: unknown option", "Did you mean `digest`?"],
  [
    "plattform",
    () => open({ plattform: "" }),
    "plattform: unknown option",
    "Did you mean `platform`?",
  ],
  ["a text as size", () => open({ maxSize: "1g" }), 'maxSize: "1g" is not a number of bytes'],
  ["NaN as size", () => open({ maxSize: NaN }), "maxSize: NaN is not a number of bytes"],
  ["a size below 0", () => open({ maxSize: -1 }), "maxSize: -1 is not a number of bytes"],
  ["null as size", () => open({ maxSize: null }), "maxSize: null is not a number of bytes"],
  ["a number as digest", () => open({ digest: 3 }), "digest: 3 is no text"],
  ["a number as platform", () => open({ platform: 3 }), "platform: 3 is no text"],
  ["a list as tag", () => open({ tag: ["a"] }), 'tag: ["a"] is no text'],
  ["a number as images", () => open({ images: 3 }), "images: 3 is no path"],
  [
    "a list of volumes",
    () => open({ volumes: ["/"] }),
    'volumes: ["/"] is no object with a volume for each name',
  ],
  [
    "a volume that may be writable",
    () => open({ volumes: { data: { source: "/" } } }),
    "volumes.data: a volume is { source, readOnly }: a path, and true or false",
  ],
  [
    "a list as metadataUrl",
    () => open({ metadataUrl: ["http://u:p@x"] }),
    "metadataUrl: a list is no text",
  ],
  ["a name as user", () => open({ user: "root" }), 'user: "root" is no { uid, gid }'],
  ["half a user", () => open({ user: { uid: 0 } }), 'user: {"uid":0} is no { uid, gid }'],
  ["a word as degrade", () => open({ degrade: "no" }), 'degrade: "no" is neither true nor false'],
  ["a number as signal", () => open({ signal: 3 }), "signal: 3 is no AbortSignal"],
  ["a number as onProgress", () => open({ onProgress: 3 }), "onProgress: 3 is no function"],
  ["a text as onWait", () => open({ onWait: "x" }), 'onWait: "x" is no function'],
];

describe("an image", () => {
  it.each(OPEN)("is not opened with %s", async (_given, call, message, hint) => {
    await refused(call, message, hint);
  });

  it("is opened where an option is undefined", async () => {
    const file = join(temporary(), "image.tar");
    writeFileSync(file, archive({ path: "a", body: "x" }));
    expect((await openImage(file, { maxSize: undefined, tag: undefined })).format).toBe("tar");
  });
});

const RUN: Wrong[] = [
  [
    "no image",
    () => openImageSandbox({} as never, {}),
    "image: a value of type object is no image as openImage gives it",
  ],
  [
    "null as image",
    () => openImageSandbox(null as never, {}),
    "image: null is no image as openImage gives it",
  ],
  [
    "no config",
    () => openImageSandbox({ key: "", rootDirectory: "/" }, undefined as never),
    "config: undefined is no object",
  ],
  [
    "no config of the image",
    () => withImage(undefined as never, {}),
    "image: undefined is no object",
  ],
  [
    "a list as the caller's config",
    () => withImage({}, [] as never),
    "config: a list is no object",
  ],
];

describe("a run of an image", () => {
  it.each(RUN)("is refused with %s", async (_given, call, message, hint) => {
    await refused(call, message, hint);
  });

  it("leaves variables that are none as they are, for the check of the config", () => {
    const image = { env: { A: "1" } };
    const both = ["AB", 3, ["A=2"], null].map((env) => withImage(image, { env: env as never }).env);
    expect(both).toEqual(["AB", 3, ["A=2"], null]);
    expect(withImage(image, { env: { B: "2" } }).env).toEqual({ A: "1", B: "2" });
  });
});

/** Options of `buildOci`, and what is said of them. */
const BUILD: [options: unknown, message: string, hint?: string][] = [
  [null, "options: null is no object"],
  [{ entrypiont: ["a"] }, "entrypiont: unknown option", "Did you mean `entrypoint`?"],
  [{ cmd: ["a"] }, "cmd: unknown option", "It is called `command`."],
  [{ cwd: "/" }, "cwd: unknown option", "It is called `workingDirectory`."],
  [{ command: "sh -c" }, "command: a value of type string is no list of words"],
  [{ command: [1] }, "command[0]: a value of type number is no text"],
  [{ entrypoint: ["a", null] }, "entrypoint[1]: null is no text"],
  [{ entrypoint: ["a\0"] }, "entrypoint[0]: a value of type string is no text"],
  [{ env: ["A=1"] }, "env: a list is no object with a text for each name"],
  [{ env: { A: 1 } }, "env.A: a value of type number is no text"],
  [{ env: { A: undefined } }, "env.A: undefined is no text"],
  [{ env: { "A=B": "1" } }, 'env["A=B"]: is a variable name with `=`'],
  [{ env: { "": "1" } }, 'env[""]: is an empty variable name'],
  [{ user: 0 }, "user: 0 is not USER or USER:GROUP, each a name or a number"],
  [{ user: "a:b:c" }, 'user: "a:b:c" is not USER or USER:GROUP, each a name or a number'],
  [{ user: "a:" }, 'user: "a:" is not USER or USER:GROUP, each a name or a number'],
  [{ user: "a b" }, 'user: "a b" is not USER or USER:GROUP, each a name or a number'],
  [{ user: "4294967295" }, 'user: "4294967295" is not USER or USER:GROUP, each a name or a number'],
  [{ workingDirectory: "rel" }, 'workingDirectory: "rel" must be an absolute path'],
  [{ workingDirectory: "/a/.." }, 'workingDirectory: "/a/.." must not contain `..`'],
  [{ workingDirectory: 3 }, "workingDirectory: 3 is no path"],
  [{ tag: "a b" }, 'tag: "a b" is no tag, such as app:1.0'],
  [{ tag: "" }, 'tag: "" is no tag, such as app:1.0'],
  [{ platform: 3 }, "platform: 3 is no text"],
  [{ signal: 3 }, "signal: 3 is no AbortSignal"],
  [{ onNote: 3 }, "onNote: 3 is no function"],
];

describe("an OCI image", () => {
  it.each(BUILD)("is not made with %j", async (options, message, hint) => {
    const directory = temporary();
    mkdirSync(join(directory, "root"));
    const build = (): Promise<string> =>
      buildOci(join(directory, "root"), join(directory, "image"), options as never);
    await refused(build, message, hint);
    expect(readdirSync(directory)).toEqual(["root"]);
  });

  it("is not made of or to nothing", async () => {
    await refused(() => buildOci("d", undefined as never), "file: undefined is no path");
    await refused(() => buildOci(3 as never, "f"), "directory: 3 is no path");
  });

  it.each(["v1", "app:1.0", "x.org/my_app/a__b--c:1.0-rc.1", "app@1+2"])(
    "can have the tag %s",
    async (tag) => {
      const directory = temporary();
      mkdirSync(join(directory, "root"));
      const file = join(directory, "image");
      await buildOci(join(directory, "root"), file, { tag, user: "www-data:33" });
      expect((await inspectImage(file, { tag })).format).toBe("oci");
    },
  );
});
