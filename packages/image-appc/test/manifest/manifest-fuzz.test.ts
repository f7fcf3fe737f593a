import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isSandboxError } from "@sandboxlib/core";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { configOf } from "../../src/config/config-of.js";
import { parseManifest } from "../../src/manifest/image-manifest.js";
import { parsePodManifest } from "../../src/manifest/pod-manifest.js";
import { podOf } from "../../src/pod/plan.js";

const ID = `sha512-${"f".repeat(128)}`;

/** A manifest with every field, to which the mutations are applied. */
const whole = {
  acKind: "ImageManifest",
  acVersion: "0.8.11",
  name: "example.com/app",
  labels: [{ name: "version", value: "1" }],
  app: {
    exec: ["/bin/app", "x"],
    user: "0",
    group: "0",
    supplementaryGIDs: [4],
    eventHandlers: [{ name: "pre-start", exec: ["a"] }],
    workingDirectory: "/opt",
    environment: [{ name: "A", value: "b" }],
    mountPoints: [{ name: "work", path: "/work", readOnly: false }],
    ports: [{ name: "www", protocol: "tcp", port: 80, count: 1, socketActivated: false }],
    isolators: [{ name: "resource/memory", value: { limit: "1G", request: "1G" } }],
  },
  dependencies: [{ imageName: "example.com/base", imageID: ID, labels: [], size: 1 }],
  pathWhitelist: ["/opt"],
  annotations: [{ name: "created", value: "2014-10-27T19:32:27Z" }],
};

const pod = {
  acKind: "PodManifest",
  acVersion: "0.8.11",
  apps: [
    {
      name: "one",
      image: { id: ID, name: "a/b", labels: [] },
      app: whole.app,
      readOnlyRootFS: true,
      mounts: [{ volume: "v", path: "/v", appVolume: { name: "v", kind: "empty", mode: "0755" } }],
      annotations: [],
    },
  ],
  volumes: [{ name: "v", kind: "host", source: "/srv", readOnly: true, recursive: true }],
  isolators: whole.app.isolators,
  annotations: whole.annotations,
  ports: [{ name: "www", hostPort: 80, hostIP: "127.0.0.1", podPort: whole.app.ports[0] }],
};

const odd = fc.oneof(
  fc.anything({ withNullPrototype: false, maxDepth: 2 }),
  fc.constantFrom(
    "",
    "..",
    "/",
    "/../../etc/shadow",
    "a\0b",
    "__proto__",
    "constructor",
    "\u001b[2J\u202e",
    "x".repeat(5000),
    -1,
    0.5,
    2 ** 53,
    null,
    [],
    {},
    "sha512-",
    "1e999",
    "resource/cpu",
  ),
);

/** Replaces, removes or doubles one part of a value. */
type Step = {
  readonly at: number;
  readonly how: "put" | "drop" | "twice" | "rename";
  readonly value: unknown;
};

const steps = fc.array(
  fc.record({
    at: fc.nat(),
    how: fc.constantFrom("put" as const, "drop" as const, "twice" as const, "rename" as const),
    value: odd,
  }),
  { minLength: 1, maxLength: 4 },
);

function mutated(value: unknown, changes: readonly Step[]): unknown {
  const copy: unknown = structuredClone(value);
  for (const { at, how, value: put } of changes) {
    const places = placesOf(copy);
    const place = places[at % Math.max(places.length, 1)];
    if (place === undefined) continue;
    const [holder, key] = place;
    if (how === "drop") delete holder[key];
    else if (how === "twice" && Array.isArray(holder)) holder.push(holder[Number(key)]);
    else if (how === "rename")
      holder[`${key}${typeof put === "string" ? put.slice(0, 20) : 1}`] = holder[key];
    else holder[key] = put;
  }
  return copy;
}

function placesOf(value: unknown): [Record<string, unknown>, string][] {
  if (typeof value !== "object" || value === null) return [];
  const holder = value as Record<string, unknown>;
  return Object.keys(holder).flatMap(
    (key) => [[holder, key], ...placesOf(holder[key])] as const,
  ) as [Record<string, unknown>, string][];
}

function bytesOf(value: unknown): Buffer {
  // JSON leaves out what it cannot express.
  return Buffer.from(
    JSON.stringify(value, (_, inner: unknown) =>
      typeof inner === "bigint" ? Number(inner) : inner,
    ) ?? "",
  );
}

const root = mkdtempSync(join(tmpdir(), "sandboxlib-appc-fuzz-"));
afterAll(() => rmSync(root, { recursive: true }));

function fine(call: () => unknown): void {
  try {
    call();
  } catch (error) {
    expect(error).toSatisfy(isSandboxError);
    if (!isSandboxError(error)) return;
    expect(["IMAGE_INVALID", "CAPABILITY_UNSUPPORTED"]).toContain(error.code);
    expect(error.path).toEqual(expect.any(String));
    expect(error.message).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
    expect(error.message.length).toBeLessThan(400);
  }
}

describe("manifests, whatever they hold", () => {
  it("are read, or refused in one line that names the field", () => {
    fc.assert(
      fc.property(fc.oneof(steps, fc.constant([])), fc.boolean(), (changes, degrade) => {
        const bytes = bytesOf(mutated(whole, changes));
        fine(() => {
          const manifest = parseManifest(bytes);
          const names = manifest.app?.mountPoints?.map(({ name }) => name) ?? [];
          const volumes = Object.fromEntries(
            names.map((name) => [name, { source: root, readOnly: true }]),
          );
          parsePodManifest(bytesOf(podOf(manifest, ID, volumes)));
          configOf(manifest, root, { volumes, degrade });
        });
      }),
      { numRuns: 1000 },
    );
  });

  it("of pods are read, or refused in one line that names the field", () => {
    fc.assert(
      fc.property(steps, (changes) => {
        const bytes = bytesOf(mutated(pod, changes));
        fine(() => parsePodManifest(bytes));
      }),
      { numRuns: 1000 },
    );
  });

  it("are what they were when they are written and read again", () => {
    fc.assert(
      fc.property(steps, (changes) => {
        let manifest: unknown;
        try {
          manifest = parseManifest(bytesOf(mutated(whole, changes)));
        } catch {
          return;
        }
        expect(parseManifest(bytesOf(manifest))).toEqual(manifest);
      }),
      { numRuns: 500 },
    );
  });

  it("may be any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        fine(() => parseManifest(bytes));
        fine(() => parsePodManifest(bytes));
      }),
    );
    const text = bytesOf(whole);
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.nat(255), fc.boolean(), (at, byte, cut) => {
        const bytes = Buffer.from(cut ? text.subarray(0, at) : text);
        if (!cut) bytes[at] = byte;
        fine(() => parseManifest(bytes));
      }),
      { numRuns: 500 },
    );
  });

  it("of valid fields are taken", () => {
    expect(parseManifest(bytesOf(whole)).name).toBe("example.com/app");
    expect(parsePodManifest(bytesOf(pod)).apps).toHaveLength(1);
  });
});
