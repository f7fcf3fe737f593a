import { statSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseManifest } from "../../src/manifest/image-manifest.js";
import { parsePodManifest } from "../../src/manifest/pod-manifest.js";
import { insideOf, sharedNamespaces } from "../../src/pod/namespaces.js";
import { planPod, podOf, reified } from "../../src/pod/plan.js";
import { openVolumes } from "../../src/pod/volumes.js";
import {
  bytesOf,
  manifestWith,
  rootWith,
  temporary,
  thrownBy,
  type Written,
  withApp,
} from "../made.js";

const ID = `sha512-${"1".repeat(128)}`;

function plan(pod: Written, app: Written = {}, degrade = false) {
  const manifest = parsePodManifest(
    Buffer.from(
      JSON.stringify({
        acKind: "PodManifest",
        acVersion: "0.8.11",
        apps: [{ name: "one", image: { id: ID } }],
        ...pod,
      }),
    ),
  );
  const images = manifest.apps.map(() => ({
    manifest: parseManifest(withApp(app)),
    rootDirectory: rootWith(),
  }));
  using volumes = openVolumes();
  const terms = { metadataUrl: undefined, degrade, isOnHost: false };
  return { ...planPod(manifest, images, volumes, terms), manifest: reified(manifest, images) };
}

describe("an empty volume", () => {
  it("has the mode that the pod says, also where everybody may write but not remove", () => {
    using volumes = openVolumes();
    const mode = (text: string | undefined): number =>
      statSync(volumes.sourceOf({ name: "v", kind: "empty", mode: text })).mode & 0o7777;
    expect(["1777", "0700", "6755", undefined].map(mode)).toEqual([0o1777, 0o700, 0o755, 0o755]);
  });
});

describe("a pod", () => {
  it("gives a mount point the volume of its mount, or else that of its name", () => {
    const [one, two] = [temporary(), temporary()];
    const { apps, manifest } = plan(
      {
        apps: [
          { name: "one", image: { id: ID }, mounts: [{ volume: "other", path: "/by/mount" }] },
        ],
        volumes: [
          { name: "other", kind: "host", source: one, readOnly: true },
          { name: "by-name", kind: "host", source: two },
        ],
      },
      {
        mountPoints: [
          { name: "nameless", path: "/by/mount" },
          { name: "by-name", path: "/by/name" },
        ],
      },
    );
    expect(apps[0]?.config.mounts?.slice(3)).toEqual([
      { type: "bind", source: one, target: "/by/mount", readOnly: true },
      { type: "bind", source: two, target: "/by/name", readOnly: false },
    ]);
    expect(manifest.apps[0]?.mounts).toEqual([
      { volume: "other", path: "/by/mount" },
      { volume: "by-name", path: "/by/name" },
    ]);
  });

  it.each([
    [{}, { mountPoints: [{ name: "a", path: "/a" }] }, /apps\[0\]\.mounts: nothing is mounted/],
    [
      { apps: [{ name: "one", image: { id: ID }, mounts: [{ volume: "a", path: "/a" }] }] },
      {},
      /apps\[0\]\.mounts\[0\]: the pod has no volume "a"/,
    ],
    [{ ports: [{ name: "www", hostPort: 80 }] }, {}, /ports\[0\]: no app has a port "www"/],
    [
      { volumes: [{ name: "v", kind: "host", source: "/", recursive: false }] },
      {},
      /volumes\[0\]\.recursive/,
    ],
    [{ isolators: [{ name: "os/unix/sysctl", value: {} }] }, {}, /isolators\[0\]/],
  ])("%j with an app %j is refused", (pod, app, message) => {
    expect(thrownBy(() => plan(pod, app)).message).toMatch(message);
  });

  it("says what it does without when the caller lets it go", () => {
    const volumes = [{ name: "v", kind: "host", source: "/", recursive: false }];
    expect(plan({ volumes }, {}, true).notes).toEqual([
      "not enforced: volumes[0].recursive: what is mounted below the source is seen, too",
    ]);
  });

  it("of one image names the app after it", () => {
    const manifest = parseManifest(bytesOf({ name: "example.com/my_app", app: undefined }));
    expect(podOf(manifest, ID, {}).apps[0]?.name).toBe("my-app");
    const withPoint = manifestWith({ mountPoints: [{ name: "a", path: "/a" }] });
    expect(thrownBy(() => podOf(withPoint, ID, {})).hint).toContain("--volume a=PATH");
    const volumes = { a: { source: "/srv", readOnly: true } };
    expect(podOf(withPoint, ID, volumes)).toMatchObject({
      apps: [{ mounts: [{ volume: "a", path: "/a" }] }],
      volumes: [{ name: "a", kind: "host", source: "/srv", readOnly: true }],
    });
  });
});

describe("namespaces of a pod", () => {
  const host = { uid: 0, which: (name: string) => `/bin/${name}` };

  it("are made by tools of the host, with nothing of the program's taken for an option", () => {
    const { argv } = insideOf(["-x", "--", "$(rm)"], ["network", "uts"], host);
    expect(argv.slice(0, 5)).toEqual(["/bin/unshare", "--net", "--uts", "--", "/bin/sh"]);
    expect(argv.slice(-4)).toEqual(["--", "-x", "--", "$(rm)"]);
    expect(insideOf(["x"], ["ipc"], { ...host, uid: 1 }).argv).toContain("--map-current-user");
  });

  it("need these tools", () => {
    const without = { uid: 0, which: (name: string) => (name === "ip" ? undefined : name) };
    expect(thrownBy(() => insideOf(["x"], ["network"], without)).message).toContain("needs ip");
    expect(insideOf(["x"], ["ipc"], without).argv).toContain("x");
  });

  it("that are the host's after all are an error, and none at all are none", () => {
    expect(sharedNamespaces({})).toEqual([]);
    const SANDBOXLIB_POD = "of=7 network=net:[1] uts=uts:[2]";
    expect(sharedNamespaces({ SANDBOXLIB_POD }, 7)).toEqual(["network", "uts"]);
    expect(sharedNamespaces({ SANDBOXLIB_POD }, 8)).toEqual([]);
    const { env } = insideOf(["x"], ["ipc"], host);
    expect(thrownBy(() => sharedNamespaces(env, process.pid)).code).toBe("VERIFY_FAILED");
  });
});
