/** Whether a path is meant; a `*` at the pattern's end stands for any rest. */
export function pathFits(pattern: string, path: string): boolean {
  return pattern.endsWith("*") ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
}
