/** The factors of the suffixes that the specification allows. */
const FACTORS: Readonly<Record<string, number>> = {
  m: 1e-3,
  "": 1,
  k: 1e3,
  K: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** Parses a quantity of a resource isolator, such as `500m`, `1G` or `64Mi`; undefined when it is none. */
export function quantity(value: unknown): number | undefined {
  const text = typeof value === "number" ? String(value) : value;
  if (typeof text !== "string" || text.length > 64) return undefined;
  const [, digits, suffix = ""] = /^(\d+(?:\.\d*)?|\.\d+)([a-zA-Z]*)$/.exec(text) ?? [];
  const factor = Object.hasOwn(FACTORS, suffix) ? FACTORS[suffix] : undefined;
  if (digits === undefined || factor === undefined) return undefined;
  // A division is exact where a multiplication by 0.001 is not: 500m is 0.5, not 0.5000000000000001.
  const number = factor < 1 ? Number(digits) / 1000 : Number(digits) * factor;
  return Number.isFinite(number) ? number : undefined;
}
