import type { Webhook } from "../../dialog360/messaging.ts";
import type { Database } from "../../store/database.ts";
import { HOOK_SECRET_HEADER, isCurrentHook } from "../../tenancy/hooks.ts";

/** Whether what 360dialog has as the number's webhook is our address of it, with its secret header. */
export async function isOurWebhook(
  db: Database,
  options: { numberId: string; webhook: Webhook | null; url: string },
): Promise<boolean> {
  const { numberId, webhook, url } = options;
  const begin = `${url}/hooks/360dialog/`;
  if (webhook === null || !webhook.url.startsWith(begin)) {
    return false;
  }
  const secret = Object.entries(webhook.headers).find(
    // Names of headers may come back in other letters than they went.
    ([name]) => name.toLowerCase() === HOOK_SECRET_HEADER.toLowerCase(),
  )?.[1];
  const token = webhook.url.slice(begin.length);
  return secret !== undefined && isCurrentHook(db, numberId, { token, secret });
}
