import type { WhatsAppCall } from "../http/whatsapp-calls.ts";

/** An answer as it goes to the caller: upstream's status and body, and the headers that may. */
export type WholeAnswer = { status: number; headers: Record<string, string>; body: Buffer };

const ONE_WRITE_BYTES_MAX = 64 * 1024;

/** Writes it with the headers that go with every answer to this call. */
export function writeAnswer({ res, headers: ours }: WhatsAppCall, answer: WholeAnswer): void {
  const { status, headers, body } = answer;
  res.writeHead(status, { ...ours, ...headers, "content-length": body.length });
  if (body.length <= ONE_WRITE_BYTES_MAX) {
    // As text Node writes it together with the head, as bytes behind it: a tenth of a call's CPU.
    res.end(body.toString("latin1"), "latin1");
  } else {
    res.end(body);
  }
}
