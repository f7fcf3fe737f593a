import type { Format } from "@sandboxlib/image/format";
import { configOf } from "./config/config-of.js";
import { parseManifest } from "./manifest/image-manifest.js";

/** How `@sandboxlib/image` unpacks an App Container image, and what its manifest asks for. */
export const aci: Format = {
  unpack: async (job) => (await import("./aci/archive.js")).unpackAci(job),
  describe({ manifest, notes }, root, options, runStep) {
    const { volumes = {}, metadataUrl, degrade, user } = options;
    const parsed = parseManifest(Buffer.from(String(manifest)));
    const fragment = configOf(parsed, root, { volumes, metadataUrl, degrade, user }, runStep);
    return { ...fragment, notes: [...notes, ...fragment.notes] };
  },
};
