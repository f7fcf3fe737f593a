export type { FormatName, Fragment, Image, ImageOptions, Progress } from "./image.js";
export { FORMATS } from "./image.js";
export { openImage } from "./open.js";
