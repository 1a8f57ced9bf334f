/**
 * A value, or the promise of one: what is remembered is there at once. An async function that awaits
 * it holds its whole state, which was a kilobyte of a forwarded call for each.
 */
export type Soon<Value> = Value | Promise<Value>;

/** What `use` makes of the value: now when it is there, and then it may throw; else when it has come. */
export function whenThere<Value, Result>(
  soon: Soon<Value>,
  use: (value: Value) => Soon<Result>,
): Soon<Result> {
  return soon instanceof Promise ? soon.then(use) : use(soon);
}
