import type { Database } from "../../store/database.ts";
import { listImportRows, presentImportRow } from "./read-imports.ts";

const COLUMNS = [
  "line",
  "tenant_external_id",
  "phone_number_id",
  "state",
  "code",
  "detail",
  "number_id",
] as const;
const PAGE_ROWS = 500;

/** All rows as CSV (RFC 4180), read a page at a time. */
export async function* writeCsv(
  db: Database,
  importId: string,
  { state }: { state: string | undefined },
): AsyncGenerator<string> {
  yield `${COLUMNS.join(",")}\r\n`;
  let after: string[] | undefined;
  do {
    const rows = await listImportRows(db, importId, { limit: PAGE_ROWS, after, state });
    const shown = rows.slice(0, PAGE_ROWS).map(presentImportRow);
    yield shown
      .map((row) => `${COLUMNS.map((column) => toCell(row[column])).join(",")}\r\n`)
      .join("");
    after = rows.length > PAGE_ROWS ? [String(shown.at(-1)?.line)] : undefined;
  } while (after !== undefined);
}

/** A cell that a spreadsheet would take for a formula is made text by a quote before it. */
function toCell(value: string | number | null): string {
  const text = String(value ?? "");
  const plain = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
