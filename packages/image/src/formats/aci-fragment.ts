import { configOf } from "../appc/config-of.js";
import { parseManifest } from "../appc/image-manifest.js";
import type { Describe } from "./format.js";

/** What the manifest of an App Container image asks for. */
export const describeAci: Describe = ({ manifest, notes }, root, options) => {
  const { volumes = {}, metadataUrl, degrade } = options;
  const parsed = parseManifest(Buffer.from(String(manifest)));
  const fragment = configOf(parsed, root, { volumes, metadataUrl, degrade });
  return { ...fragment, notes: [...notes, ...fragment.notes] };
};
