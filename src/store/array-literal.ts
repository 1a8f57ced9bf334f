/** What needs no quotes in a PostgreSQL array, `NULL` in any case being the one word that means something. */
const PLAIN = /^(?!null$)[\w.:-]+$/i;

/**
 * A PostgreSQL array of texts (manual, section 8.15.6), for statements that take many rows at once:
 * `pg` would escape each of thousands of ids that have nothing to be escaped.
 */
export function textArray(values: readonly (string | null)[]): string {
  return `{${values.map(element).join(",")}}`;
}

/** Likewise of numbers. */
export function numberArray(values: readonly number[]): string {
  return `{${values.join(",")}}`;
}

function element(value: string | null): string {
  if (value === null) {
    return "NULL";
  }
  return PLAIN.test(value) ? value : `"${value.replaceAll(/["\\]/g, "\\$&")}"`;
}
