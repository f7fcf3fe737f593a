import { constants } from "node:os";

/** A line of the program: one way in which it tried, or a fact. */
export interface Line {
  /** `got`, `refused`, `end`, or the name of a fact. */
  readonly word: string;
  /** The way, or the fact. */
  readonly text: string;
  /** What it was tried at. */
  readonly where: string;
  /** The name of the error. */
  readonly error: string;
}

/** The lines that the program has written. */
export function linesOf(output: string): Line[] {
  return output.split("\n").flatMap((line): Line[] => {
    if (line === "") return [];
    const [word = "", text = "", where = "", error = ""] = line.split("\t").map(unescaped);
    return [{ word, text, where, error: errorName(error) }];
  });
}

/** A way as people read it. */
export function wayOf({ text, where }: Pick<Line, "text" | "where">): string {
  return where === "" ? text : `${text} ${where}`;
}

/** A few of them in one line. */
export function few(texts: readonly string[], most = 3): string {
  const different = [...new Set(texts)];
  const more = different.length > most ? ` and ${different.length - most} more` : "";
  return different.slice(0, most).join("; ") + more;
}

/** All but printable ASCII comes as `\xNN`. */
function unescaped(text: string): string {
  if (!text.includes("\\")) return text;
  const latin = text.replaceAll(/\\x([0-9a-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(latin, "latin1").toString("utf8");
}

function errorName(number: string): string {
  const found = Object.entries(constants.errno).find(([, value]) => String(value) === number);
  return found?.[0] ?? (number === "" ? "" : `errno ${number}`);
}
