/** Where keys may go: 360dialog's default base URL, and what the operator allows besides. */
export type Origins = {
  /** The base URL to call for a number; `undefined` when the operator does not (or no longer) allow it. */
  resolve(baseUrl: string | null): string | undefined;
  allowed: readonly string[];
};

export function createOrigins(options: {
  baseUrl: string;
  allowedOrigins: readonly string[];
}): Origins {
  const allowed = [options.baseUrl, ...options.allowedOrigins];
  return {
    allowed,
    resolve: (baseUrl) => allowed.find((origin) => origin === (baseUrl ?? options.baseUrl)),
  };
}
