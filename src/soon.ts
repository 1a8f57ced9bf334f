/**
 * A value, or the promise of one: what is remembered is there at once. Each `await` of such a value
 * was a third of a microsecond of a forwarded call and, with its function's state, a kilobyte.
 */
export type Soon<Value> = Value | Promise<Value>;

/** What `use` makes of the value: now when it is there, and then it may throw; else when it has come. */
export function whenThere<Value, Result>(
  soon: Soon<Value>,
  use: (value: Value) => Soon<Result>,
): Soon<Result> {
  return soon instanceof Promise ? soon.then(use) : use(soon);
}
