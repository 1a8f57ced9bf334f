import type { IncomingHttpHeaders } from "node:http";
import type { Answer } from "../http/answer.ts";
import type { Row } from "../http/operation-table.ts";
import type { PhoneNumber } from "../numbers/phone-number.ts";

/** A call with a good key to a path on the allow-list. */
export type OperationCall = {
  phoneNumber: PhoneNumber;
  /** What stands in the path for each `{…}` of the row. */
  ids: readonly string[];
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: Buffer;
};

/** One call of the Messaging API. */
export type Operation = (call: OperationCall) => Answer | Promise<Answer>;

/** One row of the allow-list. */
export type OperationRow = Row<Operation>;
