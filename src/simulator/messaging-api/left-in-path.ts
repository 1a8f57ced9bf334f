const GRAPH_VERSION = /^\/v\d+\.\d+(?=\/|$)/;
const LEADING_ID = /^\/\d+(?=\/)/;

/** Whether the caller left in Meta's version or PHONE_NUMBER_ID. `/{digits}` alone is media. */
export function hasLeftInPart(path: string, isKnownPath: (path: string) => boolean): boolean {
  if (GRAPH_VERSION.test(path)) {
    return true;
  }
  const rest = path.replace(LEADING_ID, "");
  return rest !== path && isKnownPath(rest);
}
