/** Where an operation is found: `{…}` stands for one segment, `{digits}` for one of digits only. */
export type Row<Operation> = readonly [method: string, path: string, operation: Operation];

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

/** Every call that one of the simulated APIs knows. Anything else is blocked or not there. */
export class OperationTable<Operation> {
  readonly #exact = new Map<string, Operation>();
  readonly #patterns: { method: string; pattern: RegExp; operation: Operation }[] = [];

  constructor(rows: readonly Row<Operation>[]) {
    for (const [method, path, operation] of rows) {
      if (path.includes("{")) {
        this.#patterns.push({ method, pattern: patternOf(path), operation });
      } else {
        this.#exact.set(`${method} ${path}`, operation);
      }
    }
  }

  find(method: string, path: string): { operation: Operation; ids: string[] } | undefined {
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
