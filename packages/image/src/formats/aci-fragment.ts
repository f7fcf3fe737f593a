import { configOf } from "../appc/config-of.js";
import { parseManifest } from "../appc/image-manifest.js";
import type { Describe } from "./format.js";

/** What the manifest of an App Container image asks for. */
export const describeAci: Describe = ({ manifest, notes }, root, options, attempt) => {
  const { volumes = {}, metadataUrl, degrade, user } = options;
  const parsed = parseManifest(Buffer.from(String(manifest)));
  const fragment = configOf(parsed, root, { volumes, metadataUrl, degrade, user }, attempt);
  return { ...fragment, notes: [...notes, ...fragment.notes] };
};
