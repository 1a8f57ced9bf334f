/** The whole text of the next request. */
export type NextRequest = () => string;

/** Where a send goes and with whose token. */
export type Target = { path: string; token: string };

const BEFORE_RECIPIENT =
  '{"messaging_product":"whatsapp","recipient_type":"individual","type":"text","text":{"body":' +
  '"Your order is on its way. It should be with you by tomorrow noon."},"to":"';
const AFTER_RECIPIENT = '"}';
const RECIPIENT_DIGITS = 11;

let recipients = 0;

/**
 * Sends to the targets in turn, as a Cloud API client writes them. No two go to the same user, so
 * that the limit for one user is never met.
 */
export function sendsTo(host: string, targets: readonly Target[]): NextRequest {
  const bodyBytes = BEFORE_RECIPIENT.length + RECIPIENT_DIGITS + AFTER_RECIPIENT.length;
  const beforeRecipient = targets.map(
    ({ path, token }) =>
      `POST ${path} HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${token}\r\n` +
      "user-agent: bench\r\naccept: application/json\r\naccept-encoding: gzip, deflate\r\n" +
      `content-type: application/json\r\ncontent-length: ${bodyBytes}\r\n\r\n${BEFORE_RECIPIENT}`,
  );
  let turn = 0;
  return () => {
    turn = (turn + 1) % beforeRecipient.length;
    const recipient = 15_550_000_000 + (recipients++ % 9_000_000);
    return `${beforeRecipient[turn]}${recipient}${AFTER_RECIPIENT}`;
  };
}
