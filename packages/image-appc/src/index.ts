export { buildAci } from "./aci/archive.js";
export {
  type ExposedPort,
  type PodApp,
  type PodManifest,
  type PodMount,
  type PodVolume,
  parsePodManifest,
} from "./manifest/pod-manifest.js";
export type { Pod, PodImage } from "./metadata/answer.js";
export {
  type MetadataOptions,
  type MetadataService,
  openMetadataService,
} from "./metadata/service.js";
export { openAci, openFrom } from "./pod/images.js";
export {
  type Inside,
  insideOf,
  SHARED,
  type Shared,
  sharedNamespaces,
} from "./pod/namespaces.js";
export { podOf } from "./pod/plan.js";
export { type AppResult, type RunnableApp, runApps } from "./pod/run-apps.js";
export { type OpenedImage, type PodOptions, type PodResult, runPod } from "./pod/run-pod.js";
