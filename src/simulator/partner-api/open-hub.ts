import type { SimulatorControls } from "../controls/controls.ts";
import type { Answer } from "../http/answer.ts";
import type { RecordedRequest } from "../http/recorded-request.ts";
import { checkWebhookUrl } from "../messaging-api/webhooks/webhook-url.ts";
import type { PhoneNumbers } from "../numbers/phone-numbers.ts";
import type { Settings } from "../options.ts";
import type { Timers } from "../timers.ts";
import { DestinationBook } from "../webhooks/extra-destinations.ts";
import { WebhookSender } from "../webhooks/webhook-sender.ts";
import { Hub } from "./hub.ts";
import { createOnboardingPage, ONBOARDING_PATH } from "./onboarding-page.ts";
import type { PartnerLogin } from "./partner-account.ts";
import { createPartnerApi, PARTNER_API_PATH } from "./partner-api.ts";
import { PartnerEvents, signedWebhook } from "./partner-events.ts";

/** The partner's side of 360dialog, joined. */
export type OpenHub = {
  hub: Hub;
  partner: PartnerLogin;
  partnerSender: WebhookSender;
  partnerEvents: PartnerEvents;
};

export function openHub(parts: {
  settings: Settings;
  phoneNumbers: PhoneNumbers;
  timers: Timers;
}): OpenHub {
  const { settings, timers } = parts;
  const { partner } = settings;
  const hub = new Hub({ ...settings, phoneNumbers: parts.phoneNumbers });
  const partnerSender = new WebhookSender({
    // One at a time, so that a test decides in which order they come.
    settings: { ...settings, webhookConcurrency: 1, onNotification: () => {} },
    findWebhook: (_receiver, body) =>
      hub.account.webhookUrl === null
        ? undefined
        : signedWebhook(hub.account.webhookUrl, partner.platformSecret, body),
    extras: new DestinationBook(),
    timers,
  });
  return { hub, partner, partnerSender, partnerEvents: new PartnerEvents(partnerSender) };
}

/** Answers what is for the Partner API or the onboarding pages, and nothing else. */
export function createHubListener(
  parts: OpenHub & { settings: Settings; controls: SimulatorControls; url: () => string },
): (request: RecordedRequest) => Answer | undefined {
  const { hub, partner, settings, controls, url } = parts;
  const partnerApi = createPartnerApi({
    hub,
    partner,
    url,
    checkUrl: (given) => checkWebhookUrl(given, { allowLoopback: settings.allowLoopbackWebhooks }),
    createClient: controls.createClient,
    changeChannel: controls.changeChannel,
  });
  const onboardingPage = createOnboardingPage({ ...controls, hub, partnerId: partner.partnerId });
  return (request) => {
    if (request.url.startsWith(`${PARTNER_API_PATH}/`)) {
      return partnerApi(request);
    }
    return request.url.startsWith(ONBOARDING_PATH) ? onboardingPage(request) : undefined;
  };
}
