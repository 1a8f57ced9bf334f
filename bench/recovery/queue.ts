/** What is due first comes first; a binary heap. */
export type Queue<Item> = {
  push: (atMs: number, item: Item) => void;
  /** When the first is due; infinity where there is none. */
  firstMs: () => number;
  pop: () => Item | undefined;
  size: () => number;
};

export function createQueue<Item>(): Queue<Item> {
  const heap: { atMs: number; item: Item }[] = [];
  const atMs = (index: number): number => heap[index]?.atMs ?? Number.POSITIVE_INFINITY;

  function swap(left: number, right: number): void {
    const [one, other] = [heap[left], heap[right]];
    if (one !== undefined && other !== undefined) {
      heap[left] = other;
      heap[right] = one;
    }
  }

  function sink(from: number): void {
    for (let index = from; ;) {
      const left = 2 * index + 1;
      const least = atMs(left + 1) < atMs(left) ? left + 1 : left;
      if (atMs(least) >= atMs(index)) {
        return;
      }
      swap(index, least);
      index = least;
    }
  }

  return {
    firstMs: () => atMs(0),
    size: () => heap.length,
    push(dueMs, item) {
      heap.push({ atMs: dueMs, item });
      for (let index = heap.length - 1; index > 0;) {
        const parent = (index - 1) >> 1;
        if (atMs(parent) <= atMs(index)) {
          return;
        }
        swap(index, parent);
        index = parent;
      }
    },
    pop() {
      const first = heap[0];
      const last = heap.pop();
      if (first !== undefined && last !== undefined && heap.length > 0) {
        heap[0] = last;
        sink(0);
      }
      return first?.item;
    },
  };
}
