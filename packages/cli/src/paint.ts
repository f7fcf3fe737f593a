import { styleText } from "node:util";
import type { Output } from "./io.js";

/** How a word stands out on a terminal. */
export type Style = "bold" | "red" | "green" | "yellow";

/** Colours a text where the output shows colours. */
export function paint({ color }: Output, style: Style, text: string): string {
  return color ? styleText(style, text) : text;
}
