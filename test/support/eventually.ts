const POLL_MS = 10;

/** Waits until `check` no longer throws and no longer gives `undefined` or `false`. */
export async function eventually<T>(
  check: () => T | Promise<T>,
  options: { withinMs?: number } = {},
): Promise<Exclude<T, undefined | false>> {
  const deadlineMs = performance.now() + (options.withinMs ?? 10_000);
  for (;;) {
    let failure: unknown;
    try {
      const value = await check();
      if (value !== undefined && value !== false) {
        return value as Exclude<T, undefined | false>;
      }
    } catch (error) {
      failure = error;
    }
    if (performance.now() > deadlineMs) {
      throw new Error("it did not come to pass in time", { cause: failure });
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
