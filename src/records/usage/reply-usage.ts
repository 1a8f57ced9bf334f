import { Readable } from "node:stream";
import type { Schemas } from "../../http/contract-types.ts";
import { CSV_HEADERS, writeCsv } from "../../http/csv.ts";
import { CURSOR_ID, parsePage, presentPage } from "../../http/paging.ts";
import { queryText } from "../../http/query.ts";
import type { Call, Reply } from "../../http/route.ts";
import { isFrozen } from "./frozen-days.ts";
import { keyOfUsage, type UsageFilter, type UsagePage, type UsageRow } from "./read-usage.ts";
import { dayOf } from "./usage-mark.ts";

const WORD = /^\w{1,40}$/;
const DAY = /^[1-9]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/;
const USAGE_CURSOR = [
  CURSOR_ID,
  DAY,
  CURSOR_ID,
  WORD,
  /^[A-Z]{2}$/,
  /^(in|out)bound$/,
  /^(true|false)$/,
];
const CSV_ROWS_AT_ONCE = 1000;

const COLUMNS = [
  "tenant_id",
  "day",
  "phone_number_id",
  "category",
  "country",
  "direction",
  "billable",
  "messages",
  "frozen",
] as const satisfies readonly (keyof Schemas["UsageRow"])[];

/** A page as JSON, or, where the caller rather takes `text/csv`, all rows of the span as they are read. */
export async function replyUsage(
  { ctx, query }: Pick<Call, "ctx" | "query">,
  among: readonly string[] | null,
  read: (page: UsagePage) => Promise<UsageRow[]>,
): Promise<Reply> {
  const page = parsePage(query, USAGE_CURSOR);
  if (page.after?.[1] !== undefined) {
    // A made-up February 31 is a day in March, where PostgreSQL would fail.
    page.after[1] = dayOf(new Date(page.after[1]));
  }
  const now = new Date();
  const present = (row: UsageRow): Schemas["UsageRow"] => presentUsage(row, now);
  const filter: UsageFilter = {
    phoneNumberId: queryText(query, "phone_number_id"),
    from: queryText(query, "from"),
    to: queryText(query, "to"),
    among,
  };
  const headers = { vary: "Accept" };
  if (ctx.accepts("application/json", "text/csv") === "text/csv") {
    return {
      status: 200,
      headers: CSV_HEADERS,
      body: Readable.from(writeCsv(COLUMNS, pagesOf(filter, read, present))),
    };
  }
  const rows = await read({ ...filter, ...page });
  return { status: 200, headers, body: presentPage(rows, page, keyOfUsage, present) };
}

async function* pagesOf(
  filter: UsageFilter,
  read: (page: UsagePage) => Promise<UsageRow[]>,
  present: (row: UsageRow) => Schemas["UsageRow"],
): AsyncGenerator<Schemas["UsageRow"][]> {
  let after: string[] | undefined;
  do {
    const rows = await read({ ...filter, limit: CSV_ROWS_AT_ONCE, after });
    const shown = rows.slice(0, CSV_ROWS_AT_ONCE);
    yield shown.map(present);
    const last = shown.at(-1);
    after = rows.length > CSV_ROWS_AT_ONCE && last ? keyOfUsage(last) : undefined;
  } while (after !== undefined);
}

function presentUsage(row: UsageRow, now: Date): Schemas["UsageRow"] {
  return {
    tenant_id: row.tenant_id,
    day: row.day,
    phone_number_id: row.phone_number_id,
    category: row.category,
    country: row.country,
    direction: row.direction,
    billable: row.billable,
    messages: row.messages,
    frozen: isFrozen(row.day, now),
  };
}
