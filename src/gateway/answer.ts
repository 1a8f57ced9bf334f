import type { ServerResponse } from "node:http";

/** An answer as it goes to the caller: upstream's status and body, and the headers that may. */
export type WholeAnswer = { status: number; headers: Record<string, string>; body: Buffer };

export function writeAnswer(res: ServerResponse, answer: WholeAnswer): void {
  const { status, headers, body } = answer;
  res.writeHead(status, { ...headers, "content-length": body.length });
  res.end(body);
}
