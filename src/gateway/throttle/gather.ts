/**
 * Gathers what is wanted in one turn of the event loop and does it at once, so that many calls cost
 * one question. Whoever is in the same round waits for the same promise.
 */
export function createGather<Item>(
  run: (items: Item[]) => Promise<void>,
): (item: Item) => Promise<void> {
  let round: { items: Set<Item>; done: Promise<void> } | undefined;

  function begin() {
    const items = new Set<Item>();
    const done = new Promise<void>((resolve) => {
      setImmediate(() => {
        round = undefined;
        resolve(run([...items]));
      });
    });
    return { items, done };
  }

  return (item) => {
    round ??= begin();
    round.items.add(item);
    return round.done;
  };
}
