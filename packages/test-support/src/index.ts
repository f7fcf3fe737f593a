export { addBusybox, BUSYBOX, noBusybox } from "./busybox.js";
export { newMarker, parentOf, pidsWith, spoken } from "./processes.js";
export { isRequired, type SkipOrRequire, skipOrRequire } from "./required.js";
