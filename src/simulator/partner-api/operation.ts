import type { Answer } from "../http/answer.ts";
import type { Row } from "../http/operation-table.ts";

/** A call of the Partner API by the partner itself. */
export type PartnerCall = {
  /** What stands in the path for each `{…}` of the row. */
  ids: readonly string[];
  query: URLSearchParams;
  body: Buffer;
};

/** One row of the Partner API; its path begins after `/partners/{id}`. */
export type PartnerRow = Row<(call: PartnerCall) => Answer>;
