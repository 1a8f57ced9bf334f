import type { Answer } from "../http/answer.ts";

/** JSON, indented for reading in a terminal. */
export function jsonAnswer(status: number, body: unknown): Answer {
  return {
    status,
    headers: { "content-type": "application/json; charset=utf-8" },
    body: Buffer.from(`${JSON.stringify(body, null, 2)}\n`),
  };
}
