import { digits } from "./rows.mjs";

export const WIDTH = 860;
export const HEAD = 24;

const LEFT = 260;
const RIGHT = 100;
const ROW = 22;

/** A title over horizontal bars from zero, each with its middle half as a line and its median in figures. */
export function panel(title, bars, unit) {
  const most = Math.max(...bars.map(({ upper }) => upper));
  const scale = (value) => round(((WIDTH - LEFT - RIGHT) * value) / most);
  const rows = bars.map((bar, index) => row(bar, HEAD + index * ROW, scale, unit));
  const height = HEAD + bars.length * ROW;
  return {
    svg: [`<text class="title" x="8" y="8">${escaped(title)}</text>`, ...rows].join("\n"),
    height,
  };
}

function row({ name, median, lower, upper }, y, scale, unit) {
  const kind = name.startsWith("sandboxlib") ? "bar ours" : "bar";
  const middle = y + ROW / 2 - 2;
  return [
    `<text x="${LEFT - 8}" y="${middle + 4}" text-anchor="end">${escaped(name)}</text>`,
    `<rect class="${kind}" x="${LEFT}" y="${y}" width="${scale(median)}" height="${ROW - 4}"/>`,
    `<line class="whisker" x1="${LEFT + scale(lower)}" x2="${LEFT + scale(upper)}" y1="${middle}" y2="${middle}"/>`,
    `<text x="${LEFT + scale(Math.max(median, upper)) + 6}" y="${middle + 4}">${digits(median)} ${unit}</text>`,
  ].join("\n");
}

function round(value) {
  return Math.round(value * 10) / 10;
}

function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
