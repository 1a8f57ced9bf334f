import { Secret } from "../../secret.ts";
import type { SealContext, Sealer } from "../../tenancy/sealing.ts";
import type { Lease } from "./keys.ts";

/** An answer as the caller got it. */
export type KeptAnswer = {
  /** Of the send that it answers. */
  messageId: string;
  status: number;
  headers: Record<string, string>;
  body: Buffer;
};

/** Whether it says that the send was made, or that it cannot be: what a repeat would hear again. */
export function isKept(status: number): boolean {
  const refused = status >= 400 && status < 500 && status !== 401 && status !== 429;
  return refused || (status >= 200 && status < 300);
}

/** Sealed whole: an answer names the recipient. */
export function sealAnswer(
  sealer: Sealer,
  lease: Lease,
  answer: Omit<KeptAnswer, "messageId">,
): Buffer {
  // Latin-1 keeps any bytes, and costs nothing for those of JSON.
  const text = JSON.stringify([answer.status, answer.headers, answer.body.toString("latin1")]);
  return sealer.seal(new Secret(text), contextOf(lease));
}

/** The promise of the sealer holds: an answer opens under its own key and send alone. */
export function openAnswer(sealer: Sealer, lease: Lease, sealed: Buffer): KeptAnswer {
  const text = sealer.open(sealed, contextOf(lease)).reveal();
  const [status, headers, body] = JSON.parse(text) as [number, Record<string, string>, string];
  return { messageId: lease.messageId, status, headers, body: Buffer.from(body, "latin1") };
}

function contextOf({ tenantId, numberId, operation, keySha256, messageId }: Lease): SealContext {
  const rowId = [numberId, operation, keySha256.toString("hex"), messageId].join("/");
  return { purpose: "idempotent_answer", rowId, tenantId };
}
