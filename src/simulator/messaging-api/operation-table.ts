import type { Operation, OperationRow } from "./operation.ts";

type Found = { operation: Operation; ids: string[] };

function patternOf(path: string): RegExp {
  const source = path
    .replaceAll(".", String.raw`\.`)
    .replaceAll("{digits}", String.raw`(\d+)`)
    .replaceAll(/\{\w+\}/g, "([^/]+)");
  return new RegExp(`^${source}$`);
}

function decoded(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}

/** The allow-list: every call that this simulator knows. Anything else is blocked. */
export class OperationTable {
  readonly #exact = new Map<string, Operation>();
  readonly #patterns: { method: string; pattern: RegExp; operation: Operation }[] = [];

  constructor(rows: readonly OperationRow[]) {
    for (const [method, path, operation] of rows) {
      if (path.includes("{")) {
        this.#patterns.push({ method, pattern: patternOf(path), operation });
      } else {
        this.#exact.set(`${method} ${path}`, operation);
      }
    }
  }

  find(method: string, path: string): Found | undefined {
    const operation = this.#exact.get(`${method} ${path}`);
    if (operation !== undefined) {
      return { operation, ids: [] };
    }
    for (const row of this.#patterns) {
      const match = row.method === method ? row.pattern.exec(path) : null;
      if (match !== null) {
        return { operation: row.operation, ids: match.slice(1).map(decoded) };
      }
    }
    return undefined;
  }

  /** Whether the path exists under any method. */
  knows(path: string): boolean {
    return (
      [...this.#exact.keys()].some((call) => call.endsWith(` ${path}`)) ||
      this.#patterns.some(({ pattern }) => pattern.test(path))
    );
  }
}
