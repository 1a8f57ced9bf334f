type Cell = string | number | boolean | null;

/**
 * A table as CSV (RFC 4180) as it is read, a page of rows at a time, with its header. A cell that a
 * spreadsheet would take for a formula is made text by a quote before it.
 */
export async function* writeCsv<Column extends string>(
  columns: readonly Column[],
  pages: AsyncIterable<readonly Record<Column, Cell>[]>,
): AsyncGenerator<string> {
  yield `${columns.join(",")}\r\n`;
  for await (const rows of pages) {
    yield rows
      .map((row) => `${columns.map((column) => toCell(row[column])).join(",")}\r\n`)
      .join("");
  }
}

export const CSV_HEADERS = {
  vary: "Accept",
  "content-type": "text/csv; charset=utf-8; header=present",
};

function toCell(value: Cell): string {
  const text = String(value ?? "");
  const plain = typeof value === "string" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
