import { Readable } from "node:stream";
import type { Contract } from "../../http/contract.ts";
import { CSV_HEADERS, writeCsv } from "../../http/csv.ts";
import { CURSOR_COUNTER, parsePage, presentPage } from "../../http/paging.ts";
import { queryText } from "../../http/query.ts";
import { partnerRoute, type Route } from "../../http/route.ts";
import type { Database } from "../../store/database.ts";
import type { Sealer } from "../../tenancy/sealing.ts";
import {
  getImport,
  getJob,
  IMPORT_COLUMNS,
  listImportRows,
  pagesOfImport,
  presentImportRow,
} from "./read-imports.ts";
import { readRows } from "./read-rows.ts";
import { receiveImport } from "./receive.ts";

/** Many numbers at once, as a job. */
export function importRoutes(options: {
  db: Database;
  sealer: Sealer;
  contract: Contract;
  /** There is a job to work on. */
  poke: () => void;
}): Route[] {
  const { db, poke } = options;
  const path = "/partner/v1/imports";
  const onePath = `${path}/{import_id}`;
  const read = { scope: "partner:read" };
  return [
    partnerRoute(
      { method: "POST", path, operationId: "createImport", scope: "partner:write" },
      async ({ ctx, query }) => {
        const dryRun = query["dry_run"] === true;
        const id = await receiveImport(options, { rows: readRows(ctx.req), dryRun });
        poke();
        return { status: 201, body: await getImport(db, id) };
      },
    ),
    partnerRoute(
      { method: "GET", path: onePath, operationId: "getImport", ...read },
      async ({ params }) => ({
        status: 200,
        body: await getImport(db, params["import_id"] ?? ""),
      }),
    ),
    partnerRoute(
      { method: "GET", path: `${onePath}/rows`, operationId: "listImportRows", ...read },
      async ({ ctx, params, query }) => {
        const { id } = await getJob(db, params["import_id"] ?? "");
        const state = queryText(query, "state");
        if (ctx.accepts("application/json", "text/csv") === "text/csv") {
          const body = Readable.from(writeCsv(IMPORT_COLUMNS, pagesOfImport(db, id, state)));
          return { status: 200, headers: CSV_HEADERS, body };
        }
        const page = parsePage(query, [CURSOR_COUNTER]);
        const rows = await listImportRows(db, id, { ...page, state });
        const headers = { vary: "Accept" };
        return { status: 200, headers, body: presentPage(rows, page, keyOf, presentImportRow) };
      },
    ),
  ];
}

/** The place of a row in its list. */
const keyOf = ({ line }: { line: number }): string[] => [String(line)];
