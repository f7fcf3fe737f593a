export { findLauncher, type Launcher, type NoLauncher } from "./find-launcher.js";
