export { type Lived, type Living, live } from "./appc/life.js";
export {
  type Inside,
  insideOf,
  SHARED,
  type Shared,
  sharedNamespaces,
} from "./appc/namespaces.js";
export { openAci, openFrom } from "./appc/pod-images.js";
export {
  type ExposedPort,
  type PodApp,
  type PodManifest,
  type PodMount,
  type PodVolume,
  parsePodManifest,
} from "./appc/pod-manifest.js";
export { podOf } from "./appc/pod-plan.js";
export { type OpenedImage, type PodOptions, type PodResult, runPod } from "./appc/run-pod.js";
export { buildAci } from "./build/build-aci.js";
export { buildOci, type OciOptions } from "./build/build-oci.js";
export { type Collected, collectImages } from "./cache/collect.js";
export type { Ids } from "./ids.js";
export {
  FORMATS,
  type FormatName,
  type Fragment,
  type Image,
  type ImageOptions,
  type Progress,
} from "./image.js";
export type { Pod, PodImage } from "./metadata/pod.js";
export {
  type MetadataOptions,
  type MetadataService,
  openMetadataService,
} from "./metadata/service.js";
export { inspectImage, openImage } from "./open.js";
export { type ImageSandbox, openImageSandbox } from "./run/open-root.js";
export { withImage } from "./run/with-image.js";
