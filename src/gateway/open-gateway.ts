import type { Upstream } from "../dialog360/exchange.ts";
import type { Origins } from "../dialog360/origins.ts";
import type { WhatsAppHandler } from "../http/app.ts";
import type { Database } from "../store/database.ts";
import type { Authenticate } from "../tenancy/authenticate.ts";
import type { Directory } from "../tenancy/directory.ts";
import { markKeyRejected } from "../tenancy/phone-numbers.ts";
import { createForward } from "./forward.ts";
import { createAnswerWebhookSettings, type DropInSettings } from "./webhook-settings.ts";
import { createWhatsAppHandler } from "./whatsapp-handler.ts";

/** PATH 1, joined: from a tenant's call to 360dialog's answer. */
export function openGateway(options: {
  db: Database;
  upstream: Upstream;
  origins: Origins;
  authenticate: Authenticate;
  directory: Directory;
  webhookSettings: DropInSettings;
}): WhatsAppHandler {
  const { db, upstream, origins, authenticate, directory, webhookSettings } = options;
  return createWhatsAppHandler({
    authenticate,
    directory,
    answerWebhookSettings: createAnswerWebhookSettings(webhookSettings),
    forward: createForward({
      upstream,
      origins,
      reloadNumber: directory.reloadNumber,
      markKeyRejected: (number) => markKeyRejected(db, number.tenantId, number),
    }),
  });
}
