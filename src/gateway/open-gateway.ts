import type { Upstream } from "../dialog360/exchange.ts";
import type { Origins } from "../dialog360/origins.ts";
import type { Audit } from "../http/audit.ts";
import type { WhatsAppHandler } from "../http/whatsapp-calls.ts";
import type { Log } from "../log.ts";
import { countRefusedByLimit, type Metrics } from "../metrics.ts";
import type { MediaIds } from "../records/media-ids.ts";
import type { MessageLog } from "../records/message-log.ts";
import type { Database } from "../store/database.ts";
import type { Authenticate } from "../tenancy/authenticate.ts";
import type { Directory } from "../tenancy/directory.ts";
import { markKeyRejected } from "../tenancy/phone-numbers.ts";
import type { Sealer } from "../tenancy/sealing.ts";
import { createCallWithKey } from "./call-with-key.ts";
import { createDownloads } from "./download.ts";
import { createAnswerDryRun } from "./dry-run.ts";
import { createForward } from "./forward.ts";
import type { Guards } from "./guards/create-guards.ts";
import { createIdempotency } from "./idempotency/idempotency.ts";
import { createIdentify } from "./identify.ts";
import { createKeyedSends } from "./keyed-sends.ts";
import { createMediaLookup, createUpload } from "./media.ts";
import { createMediaUrls } from "./media-url.ts";
import { createPlainCall } from "./plain-call.ts";
import { createSend } from "./send.ts";
import { refusalError, type RefusedBy } from "./throttle/refusal.ts";
import type { Throttle } from "./throttle/throttle.ts";
import { createTransfer } from "./transfers.ts";
import { createAnswerWebhookSettings, type DropInSettings } from "./webhook-settings.ts";
import { createWhatsAppHandler } from "./whatsapp-handler.ts";

// A send may wait for 360dialog that long, and for a few things of our own besides.
const LEASE_BEYOND_TIMEOUT_MS = 10_000;

/** PATH 1, joined: from a tenant's call to 360dialog's answer. */
export function openGateway(options: {
  db: Database;
  sealer: Sealer;
  upstream: Upstream;
  origins: Origins;
  authenticate: Authenticate;
  directory: Directory;
  dropIn: DropInSettings;
  audit: Audit;
  /** Awaited after a change, so that this process has heard of it. */
  afterWrite: () => Promise<void>;
  throttle: Throttle;
  guards: Guards;
  messageLog: MessageLog;
  mediaIds: MediaIds;
  /** Our PUBLIC_URL: base of media URLs and of pages. */
  url: string;
  mediaUrlKeys: readonly Buffer[];
  /** D360_TIMEOUT. */
  upstreamTimeoutMs: number;
  log: Log;
  metrics: Metrics;
}): WhatsAppHandler {
  const { db, sealer, upstream, origins, directory, throttle, guards, messageLog, mediaIds } =
    options;
  const { url: publicUrl, log, metrics } = options;
  const callWithKey = createCallWithKey({
    reloadNumber: directory.reloadNumber,
    async markKeyRejected(number) {
      await markKeyRejected(db, number.tenantId, number);
      await options.afterWrite();
    },
  });
  const forward = createForward({ upstream, origins, callWithKey });
  const mediaUrls = createMediaUrls({ publicUrl, keys: options.mediaUrlKeys });
  const refusedBy: RefusedBy = (refusal) => {
    countRefusedByLimit(metrics, refusal);
    return refusalError(refusal);
  };
  const transfer = createTransfer();
  const leaseMs = options.upstreamTimeoutMs + LEASE_BEYOND_TIMEOUT_MS;
  const idempotency = createIdempotency({ db, sealer, leaseMs });
  return createWhatsAppHandler({
    identify: createIdentify({
      authenticate: options.authenticate,
      directory,
      findNumberOfMedia: (tenantId, mediaId) => mediaIds.find(tenantId, mediaId),
    }),
    send: createSend({
      forward,
      throttle,
      refusedBy,
      guards,
      messageLog,
      keyedSends: createKeyedSends({ idempotency, log }),
      answerDryRun: createAnswerDryRun({ guards, throttle }),
    }),
    plainCall: createPlainCall({ forward, publicUrl }),
    upload: createUpload({ forward, throttle, refusedBy, mediaIds, transfer }),
    mediaLookup: createMediaLookup({ forward, throttle, refusedBy, mediaUrls }),
    downloads: createDownloads({
      upstream,
      origins,
      callWithKey,
      directory,
      mediaUrls,
      transfer,
    }),
    answerWebhookSettings: createAnswerWebhookSettings(options.dropIn, options.audit),
    afterWrite: options.afterWrite,
  });
}
