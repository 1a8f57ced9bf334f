import type { IncomingMessage } from "node:http";
import { pipeline } from "node:stream";
import { CsvError, parse as parseCsv } from "csv-parse";
import { ApiError, InvalidRequest } from "../../errors.ts";
import { ClientGone, isCutOff, MiB } from "../../http/body.ts";

/** The columns of a CSV file, in the order in which the contract names them; a file may have them in any. */
export const COLUMNS = [
  "tenant_external_id",
  "phone_number_id",
  "display_phone_number",
  "waba_id",
  "channel_id",
  "client_id",
  "api_key",
  "base_url",
] as const;
const COLUMNS_NEEDED = ["tenant_external_id", "phone_number_id", "api_key"] as const;

/** A row as it was read: its members, or why it cannot be read. `line` is the file's, from 1. */
export type ReadRow =
  { line: number; members: Record<string, unknown> } | { line: number; unreadable: string };

const LINE_CHARACTERS_MAX = 16_384;
const BODY_BYTES_MAX = 100 * MiB;

/**
 * The rows of the body as they come, a few at a time in memory.
 * @throws {ApiError} `unsupported_media_type`; {InvalidRequest} for a file that is no CSV, or has
 * not the columns; {ClientGone}
 */
export function readRows(req: IncomingMessage): AsyncGenerator<ReadRow> {
  const type = /^[^;\s]*/.exec(req.headers["content-type"] ?? "")?.[0].toLowerCase();
  if (type === "text/csv") {
    return readCsv(req);
  }
  if (type === "application/x-ndjson") {
    return readNdjson(req);
  }
  const detail = "Send the rows as text/csv or application/x-ndjson.";
  throw new ApiError("unsupported_media_type", detail, { headers: { connection: "close" } });
}

type CsvRecord = {
  record: Record<string, string>;
  info: { lines: number; invalid_field_length: number };
};

async function* readCsv(req: IncomingMessage): AsyncGenerator<ReadRow> {
  const parser = parseCsv({
    bom: true,
    info: true,
    trim: true,
    columns: checkColumns,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: LINE_CHARACTERS_MAX,
  });
  // What goes wrong with either is thrown by the loop below.
  pipeline(textOf(req), parser, () => {});
  let uneven = 0;
  try {
    for await (const { record, info } of parser as AsyncIterable<CsvRecord>) {
      yield info.invalid_field_length > uneven
        ? { line: info.lines, unreadable: "The row has not as many cells as the header." }
        : { line: info.lines, members: withoutEmpty(record) };
      uneven = info.invalid_field_length;
    }
  } catch (error) {
    if (error instanceof CsvError) {
      throw badFile(`line ${String(error["lines"])} is not CSV (${error.code})`);
    }
    throw error;
  }
}

function checkColumns(names: string[]): string[] {
  const strange = names.find((name) => !COLUMNS.some((column) => column === name));
  const missing = COLUMNS_NEEDED.find((column) => !names.includes(column));
  if (missing !== undefined || strange !== undefined || new Set(names).size < names.length) {
    // A strange name may be a cell of a file without a header, so a key: it is not told.
    throw badFile(`the first line must name columns of ${COLUMNS.join(",")}, each once`);
  }
  return names;
}

function withoutEmpty(record: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).filter(([, cell]) => cell !== ""));
}

function badFile(why: string): ApiError {
  const detail = `The file cannot be imported: ${why}.`;
  return new InvalidRequest([{ code: "file_unreadable", pointer: "", detail }]);
}

async function* readNdjson(req: IncomingMessage): AsyncGenerator<ReadRow> {
  let line = 0;
  for await (const text of linesOf(req)) {
    line += 1;
    if (text === undefined) {
      yield { line, unreadable: `The line is longer than ${LINE_CHARACTERS_MAX} characters.` };
    } else if (text.trim() !== "") {
      const members = parseObject(text);
      yield members === undefined
        ? { line, unreadable: "The line is not a JSON object." }
        : { line, members };
    }
  }
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Each line; `undefined` for one that is too long, which is not kept. */
async function* linesOf(req: IncomingMessage): AsyncGenerator<string | undefined> {
  let rest = "";
  let tooLong = false;
  for await (const chunk of textOf(req)) {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) {
      yield tooLong || part.length > LINE_CHARACTERS_MAX ? undefined : part;
      tooLong = false;
    }
    if (rest.length > LINE_CHARACTERS_MAX) {
      tooLong = true;
      rest = "";
    }
  }
  if (tooLong || rest !== "") {
    yield tooLong ? undefined : rest;
  }
}

/** @throws {ApiError} `too_large`; {ClientGone} for a body that does not come whole */
async function* textOf(req: IncomingMessage): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let bytes = 0;
  try {
    // The connection is still needed, for the answer.
    for await (const chunk of req.iterator({ destroyOnReturn: false })) {
      bytes += (chunk as Buffer).length;
      if (bytes > BODY_BYTES_MAX) {
        throw new ApiError("too_large", `The body is larger than ${BODY_BYTES_MAX} bytes.`, {
          headers: { connection: "close" },
        });
      }
      yield decoder.decode(chunk as Buffer, { stream: true });
    }
  } catch (error) {
    throw isCutOff(req) ? new ClientGone() : error;
  }
}
