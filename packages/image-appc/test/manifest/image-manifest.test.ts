import { describe, expect, it } from "vitest";
import { parseManifest } from "../../src/manifest/image-manifest.js";
import { bytesOf, thrownBy, withApp } from "../made.js";

const ID = `sha512-${"0".repeat(128)}`;

describe("parseManifest", () => {
  it("reads every field of the specification", () => {
    const manifest = parseManifest(
      withApp(
        {
          exec: ["/bin/app", "--quiet"],
          user: "www",
          group: "/usr/bin/app",
          supplementaryGIDs: [400, 500],
          eventHandlers: [
            { name: "pre-start", exec: ["/bin/before"] },
            { name: "post-stop", exec: ["/bin/after"] },
          ],
          workingDirectory: "/opt/work",
          environment: [{ name: "A.B-C", value: "d" }],
          mountPoints: [{ name: "work", path: "/var/lib/work", readOnly: true }],
          ports: [{ name: "ftp", protocol: "tcp", port: 20_000, count: 1000 }],
          isolators: [{ name: "resource/memory", value: { limit: "1G" } }],
        },
        {
          labels: [{ name: "os", value: "linux" }],
          dependencies: [{ imageName: "example.com/base", imageID: ID, size: 7 }],
          pathWhitelist: ["/etc/app.conf"],
          annotations: [{ name: "created", value: "2014-10-27T19:32:27.67Z" }],
        },
      ),
    );
    expect(manifest).toMatchObject({
      name: "example.com/app",
      app: { exec: ["/bin/app", "--quiet"], group: "/usr/bin/app", supplementaryGIDs: [400, 500] },
      dependencies: [{ imageName: "example.com/base", imageID: ID, size: 7 }],
    });
  });

  it.each(["example.com/~user/app_v1", "a~b", "example.com/~a~b"])(
    "takes the name %s, as the specification's own example has it",
    (name) => {
      expect(parseManifest(withApp({}, { name })).name).toBe(name);
    },
  );

  it.each(["~a", "a~", "a~~b", "a/~/b", "a/~"])("refuses the name %s", (name) => {
    expect(thrownBy(() => parseManifest(withApp({}, { name }))).message).toMatch(
      /must be lower-case letters and digits/,
    );
  });

  it("takes null for an empty list, as the specification's own tools write it", () => {
    expect(parseManifest(withApp({ ports: null, isolators: null }, { labels: null })).labels).toBe(
      undefined,
    );
  });

  it.each([
    [{ acKind: "PodManifest" }, 'acKind: "PodManifest" must be "ImageManifest"'],
    [{ acVersion: "zero" }, 'acVersion: "zero" must be a version such as 0.8.11'],
    [{ acVersion: "1.0.0" }, 'acVersion: "1.0.0" is a version of the specification after 0.8'],
    [{ name: undefined }, "name: is missing: it must be a string"],
    [{ name: "Upper" }, 'name: "Upper" must be lower-case letters'],
    [{ labels: [{ name: "name", value: "x" }] }, 'labels[0].name: "name" is reserved'],
    [
      { labels: [1, 2].map(() => ({ name: "os", value: "linux" })) },
      'labels[1].name: "os" is there twice',
    ],
    [{ pathWhitelist: ["/a/../../etc"] }, 'pathWhitelist[0]: "/a/../../etc" must not contain'],
    [{ dependencies: [{ imageName: "a", imageID: "sha512-12" }] }, "dependencies[0].imageID:"],
    [{ annotations: [{ name: "created", value: "today" }] }, "annotations[0].value:"],
    [{ annotations: [{ name: "homepage", value: "javascript:x" }] }, "annotations[0].value:"],
  ])("names the field that is wrong in %j", (fields, message) => {
    expect(thrownBy(() => parseManifest(bytesOf(fields)))).toMatchObject({
      code: "IMAGE_INVALID",
      message: expect.stringContaining(message),
    });
  });

  it.each([
    [{ exec: ["/bin/a\0b"] }, "app.exec[0]:"],
    [{ user: undefined }, "app.user: is missing"],
    [{ user: "" }, "app.user:"],
    [{ user: "/../../etc/shadow" }, "app.user:"],
    [{ group: "a:b" }, "app.group:"],
    [{ workingDirectory: "opt" }, 'app.workingDirectory: "opt" must be an absolute path'],
    [{ workingDirectory: "/../.." }, "app.workingDirectory:"],
    [{ mountPoints: [{ name: "a", path: "/../etc" }] }, "app.mountPoints[0].path:"],
    [{ mountPoints: [{ name: "a", path: "/." }] }, "app.mountPoints[0].path:"],
    [{ mountPoints: [{ name: "a_b", path: "/a" }] }, "app.mountPoints[0].name:"],
    [{ environment: [{ name: "1A", value: "" }] }, "app.environment[0].name:"],
    [{ environment: [{ name: "LD=X", value: "" }] }, "app.environment[0].name:"],
    [{ eventHandlers: [{ name: "pre-start", exec: [] }] }, "app.eventHandlers[0].exec:"],
    [{ eventHandlers: [{ name: "at-lunch", exec: ["x"] }] }, "app.eventHandlers[0].name:"],
    [{ supplementaryGIDs: [-1] }, "app.supplementaryGIDs[0]:"],
    [{ ports: [{ name: "a", protocol: "tcp", port: 0 }] }, "app.ports[0].port:"],
    [{ ports: [{ name: "a", protocol: "tcp", port: 65_000, count: 1000 }] }, "app.ports[0].count:"],
  ])("names the field of the app that is wrong in %j", (app, message) => {
    expect(thrownBy(() => parseManifest(withApp(app)))).toMatchObject({
      code: "IMAGE_INVALID",
      message: expect.stringContaining(message),
    });
  });

  it("refuses a manifest that is too large before it reads it", () => {
    const large = Buffer.alloc(5 * 1024 * 1024, "[");
    expect(thrownBy(() => parseManifest(large)).message).toMatch(/^manifest: \d+ bytes/);
  });

  it("refuses a manifest that is too deep", () => {
    const deep = `{"x":${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}}`;
    expect(thrownBy(() => parseManifest(Buffer.from(deep))).message).toMatch(
      /levels deep|not JSON/,
    );
  });

  it("refuses keys that would reach into a prototype", () => {
    for (const text of ['{"__proto__":{"acKind":"ImageManifest"}}', '{"app":{"__proto__":1}}'])
      expect(thrownBy(() => parseManifest(Buffer.from(text))).message).toContain("__proto__");
  });

  it("refuses what is no JSON, or no UTF-8, without quoting it", () => {
    for (const bytes of [Buffer.from("\u001b[2J{"), Buffer.from([0xff, 0xfe]), Buffer.alloc(0)])
      expect(thrownBy(() => parseManifest(bytes)).message).toBe("manifest: is not JSON in UTF-8");
  });
});
