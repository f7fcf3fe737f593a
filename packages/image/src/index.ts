export type { FormatName, Fragment, Image, ImageOptions, Progress } from "./image.js";
