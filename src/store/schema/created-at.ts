import type { ColumnType } from "kysely";

/** Set by the database unless it is given, and never changed. */
export type CreatedAt = ColumnType<Date, Date | undefined, never>;
