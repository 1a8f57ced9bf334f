/**
 * The answer with some of its URLs replaced, and every other byte as it was: each is looked for as it
 * stands in the JSON, slashes escaped or not, and replaced wherever it stands. `undefined` from
 * `replace` leaves it. A text that is no URL is never asked about: an empty one stands anywhere.
 */
export function rewriteUrls(
  answer: Buffer,
  replace: (path: readonly string[], text: string) => string | undefined,
): Buffer {
  const json = answer.toString("utf8");
  let parsed: unknown;
  try {
    parsed = JSON.parse(json, keepSource);
  } catch {
    return answer;
  }
  let rewritten = json;
  for (const { path, text, source } of textsOf(parsed, [])) {
    const replacement = URL.canParse(text) ? replace(path, text) : undefined;
    if (replacement !== undefined) {
      // A function, because `$` means something in a replacement's text.
      rewritten = rewritten.replaceAll(source, () => JSON.stringify(replacement));
    }
  }
  return rewritten === json ? answer : Buffer.from(rewritten);
}

/** A text with the very letters it was written with (ECMAScript: JSON.parse source text access). */
type Sourced = { text: string; source: string };

const SOURCED = Symbol("sourced");

function keepSource(_key: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === "string" && context?.source !== undefined
    ? { [SOURCED]: { text: value, source: context.source } }
    : value;
}

type Found = Sourced & { path: readonly string[] };

/** The texts of an object and of the objects in it; lists hold none of ours. */
function textsOf(node: unknown, path: readonly string[]): Found[] {
  if (typeof node !== "object" || node === null || Array.isArray(node)) {
    return [];
  }
  const sourced = (node as { [SOURCED]?: Sourced })[SOURCED];
  if (sourced !== undefined) {
    return [{ ...sourced, path }];
  }
  return Object.entries(node).flatMap(([name, child]) => textsOf(child, [...path, name]));
}
