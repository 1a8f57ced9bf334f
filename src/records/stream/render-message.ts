import { presentEvent } from "../../events/present-event.ts";
import type { EventRow } from "../../events/read-events.ts";
import { toCursor } from "../../http/paging.ts";

/** Says at once that it is open, and after how long to come again when it breaks. */
export const OPENING = "retry: 1000\n\n";

/** A sign of life. */
export const COMMENT = ":\n\n";

const rendered = new WeakMap<EventRow, string>();

/** An event for a reader of `text/event-stream`; written once for all who read the same row. */
export function renderMessage(row: EventRow): string {
  const known = rendered.get(row);
  if (known !== undefined) {
    return known;
  }
  const id = toCursor([row.xid, row.seq]);
  // JSON has no line breaks of its own, so one line of data is the whole.
  const text = `id: ${id}\nevent: ${row.type}\ndata: ${JSON.stringify(presentEvent(row))}\n\n`;
  rendered.set(row, text);
  return text;
}
