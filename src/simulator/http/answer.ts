import type { ServerResponse } from "node:http";

/** A whole answer, not yet sent. */
export type Answer = { status: number; headers: Record<string, string>; body: Buffer };

/** Sends it with a length, unless the caller has gone. */
export function sendAnswer(res: ServerResponse, answer: Answer): void {
  if (res.destroyed || res.headersSent) {
    return;
  }
  // A 204 must not have a length.
  const length = answer.status === 204 ? {} : { "content-length": answer.body.length };
  res.writeHead(answer.status, { ...answer.headers, ...length });
  res.end(answer.body);
}
