import { sql } from "kysely";
import { ApiError } from "../../errors.ts";
import type { Schemas } from "../../http/contract-types.ts";
import type { Contract } from "../../http/contract.ts";
import { newId } from "../../ids.ts";
import { Secret } from "../../secret.ts";
import type { Database } from "../../store/database.ts";
import type { Sealer } from "../../tenancy/sealing.ts";
import type { ReadRow } from "./read-rows.ts";

const BATCH_ROWS = 200;

type NewRow = {
  import_id: string;
  line: number;
  tenant_external_id: string | null;
  phone_number_id: string | null;
  fields: string | null;
  api_key_sealed: Buffer | null;
  state: "pending" | "refused";
  code: string | null;
  detail: string | null;
};

/**
 * Stores the rows as they come; the job is begun when all are there. A file that cannot be read to
 * its end leaves no job; a row that is wrong is stored as refused, with its reason.
 * @throws whatever `rows` throws
 */
export async function receiveImport(
  deps: { db: Database; sealer: Sealer; contract: Contract },
  { rows, dryRun }: { rows: AsyncIterable<ReadRow>; dryRun: boolean },
): Promise<string> {
  const { db } = deps;
  const id = newId("imp");
  await db.insertInto("import_job").values({ id, dry_run: dryRun }).execute();
  try {
    let batch: NewRow[] = [];
    for await (const row of rows) {
      batch.push(judgeRow(deps, id, row));
      if (batch.length === BATCH_ROWS) {
        await storeRows(db, id, batch);
        batch = [];
      }
    }
    await storeRows(db, id, batch);
    const begun = await db
      .updateTable("import_job")
      .set({ state: "running", active_at: sql<Date>`now()` })
      .where("id", "=", id)
      .where("state", "=", "receiving")
      .executeTakeFirst();
    if (begun.numUpdatedRows === 0n) {
      throw new Error("the import was given up because nothing came for too long");
    }
  } catch (error) {
    await db.deleteFrom("import_job").where("id", "=", id).execute();
    throw error;
  }
  return id;
}

async function storeRows(db: Database, id: string, rows: NewRow[]): Promise<void> {
  if (rows.length > 0) {
    await db.insertInto("import_row").values(rows).execute();
    const active = db.updateTable("import_job").set({ active_at: sql<Date>`now()` });
    await active.where("id", "=", id).execute();
  }
}

/** What `createNumber` would say of the row's body; its key is sealed, or not kept at all. */
function judgeRow(
  { sealer, contract }: { sealer: Sealer; contract: Contract },
  importId: string,
  row: ReadRow,
): NewRow {
  const { line } = row;
  const nothing = { tenant_external_id: null, phone_number_id: null, fields: null };
  const refused = { import_id: importId, line, api_key_sealed: null, state: "refused" } as const;
  if ("unreadable" in row) {
    return { ...refused, ...nothing, code: "invalid_row", detail: row.unreadable };
  }
  const { tenant_external_id: externalId, ...wish } = row.members;
  const told = {
    ...nothing,
    tenant_external_id: shortText(externalId),
    phone_number_id: shortText(wish["phone_number_id"]),
  };
  try {
    if (JSON.stringify(row.members).includes("\\u0000")) {
      throw new ApiError("invalid_request", "The row must not contain U+0000.");
    }
    if (told.tenant_external_id === null) {
      throw new ApiError("invalid_request", "/tenant_external_id must be a text.");
    }
    contract.checkBody("createNumber", wish);
  } catch (error) {
    if (!(error instanceof ApiError)) {
      throw error;
    }
    return { ...refused, ...told, code: error.code, detail: error.message };
  }
  const { phone_number_id: _, api_key: apiKey, ...fields } = wish as Schemas["NumberCreate"];
  return {
    ...refused,
    ...told,
    fields: JSON.stringify(fields),
    api_key_sealed:
      apiKey === undefined ? null : sealer.seal(new Secret(apiKey), rowSealContext(importId, line)),
    state: "pending",
    code: null,
    detail: null,
  };
}

export function rowSealContext(importId: string, line: number) {
  return { purpose: "import_api_key", rowId: `${importId}/${line}`, tenantId: "" } as const;
}

const TEXT_CHARACTERS_MAX = 200;

/** What can be stored and told of a member that is not yet judged. */
function shortText(value: unknown): string | null {
  const fits = typeof value === "string" && value !== "" && value.length <= TEXT_CHARACTERS_MAX;
  return fits && !value.includes("\0") ? value : null;
}
