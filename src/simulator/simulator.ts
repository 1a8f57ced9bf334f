import { createServer } from "node:http";
import { BoundedLog } from "./bounded-log.ts";
import { createControlApi } from "./control-api/control-api.ts";
import { createControls, type SimulatorControls } from "./controls/controls.ts";
import { FaultScript } from "./http/fault.ts";
import type { RecordedRequest } from "./http/recorded-request.ts";
import { listen } from "./http/listen.ts";
import { createRequestListener } from "./http/request-listener.ts";
import { GroupStore } from "./messaging-api/groups/group-store.ts";
import { createTellGroupUpdate } from "./messaging-api/groups/tell-group-update.ts";
import { Limiter } from "./messaging-api/limits/limiter.ts";
import { MediaStore } from "./messaging-api/media/media-store.ts";
import { answerMessagingCall } from "./messaging-api/messaging-api.ts";
import { createOperations } from "./messaging-api/operations.ts";
import { createAcceptMessage } from "./messaging-api/sending/accept-message.ts";
import { TemplateStore } from "./messaging-api/templates/template-store.ts";
import { PhoneNumbers } from "./numbers/phone-numbers.ts";
import { Saver } from "./numbers/saver.ts";
import { readStateFile, writeStateFile } from "./numbers/state-file.ts";
import { type SimulatorOptions, withDefaults } from "./options.ts";
import { createHubListener, openHub } from "./partner-api/open-hub.ts";
import { Timers } from "./timers.ts";
import { DestinationBook } from "./webhooks/extra-destinations.ts";
import { WebhookSender } from "./webhooks/webhook-sender.ts";

export type { TemplateChange } from "./controls/content-controls.ts";
export type { SimulatorControls } from "./controls/controls.ts";
export type { CreatedPhoneNumber } from "./controls/number-controls.ts";
export type { Fault } from "./http/fault.ts";
export type { RecordedRequest } from "./http/recorded-request.ts";
export type { CallEvent } from "./messages/call-event.ts";
export type { InboundMessage } from "./messages/inbound-message.ts";
export type { PreferenceChange } from "./messages/preference-change.ts";
export type { StatusReport } from "./messages/status-report.ts";
export type { Limits } from "./messaging-api/limits/limits.ts";
export type { NewMedia } from "./messaging-api/media/media-store.ts";
export { META_ACCESS_TOKEN } from "./messaging-api/paging.ts";
export type { NewTemplate, Template, TemplateStatus } from "./messaging-api/templates/template.ts";
export type {
  NewPhoneNumber,
  PhoneNumber,
  PhoneNumberState,
  Webhook,
} from "./numbers/phone-number.ts";
export type { SimulatorOptions } from "./options.ts";
export type { Channel, ChannelChange } from "./partner-api/channel.ts";
export { type PartnerLogin, SIMULATED_PARTNER } from "./partner-api/partner-account.ts";
export type { Attempt, Notification } from "./webhooks/notification.ts";

/** A 360dialog that listens. */
export type Simulator = SimulatorControls & {
  /** The base URL of the Messaging API, without a slash at its end. */
  readonly url: string;
  readonly port: number;
  /** Stops answering and sending; leaves no timer, socket or unsaved change behind. */
  close: () => Promise<void>;
};

/** Starts a simulated 360dialog and gives the handle to drive and stop it. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const settings = withDefaults(options);
  const { stateFile } = settings;
  // Known once it listens, which is before anybody can ask.
  let ownUrl = "";
  const saver = new Saver(() => {
    if (stateFile !== undefined) {
      writeStateFile(stateFile, phoneNumbers.list());
    }
  });
  const initial = stateFile === undefined ? [] : readStateFile(stateFile);
  const phoneNumbers = new PhoneNumbers(initial, saver.changed);
  const timers = new Timers();
  const extras = new DestinationBook();
  const sender = new WebhookSender({
    settings,
    findWebhook: (phoneNumberId) => phoneNumbers.findWebhook(phoneNumberId),
    extras,
    timers,
  });
  const hub = openHub({ settings, phoneNumbers, timers });
  const faults = new FaultScript();
  const requests = new BoundedLog<RecordedRequest>({
    entriesMax: settings.logEntriesMax,
    bytesMax: settings.logBytesMax,
    bytesOf: ({ body }) => body.length,
  });
  const media = new MediaStore(settings.mediaBytesMax);
  const templates = new TemplateStore();
  const groups = new GroupStore();
  const limiter = new Limiter(settings.limits);
  const controls = createControls({
    phoneNumbers,
    sender,
    faults,
    requests,
    media,
    templates,
    groups,
    limiter,
    ...hub,
    rotationClearsWebhook: settings.rotationClearsWebhook,
  });
  const operations = createOperations({
    settings,
    phoneNumbers,
    media,
    templates,
    groups,
    limiter,
    extras,
    acceptMessage: createAcceptMessage({ settings, sender, timers }),
    tellGroupUpdate: createTellGroupUpdate(sender),
  });

  const answerHubCall = createHubListener({ ...hub, settings, controls, url: () => ownUrl });

  const server = createServer(
    createRequestListener({
      controlApi: createControlApi(controls),
      answerCall: (request, phoneNumber) =>
        answerHubCall(request) ??
        answerMessagingCall({
          request,
          phoneNumber,
          operations,
          limiter,
          leftInPathStatus: settings.leftInPathStatus,
        }),
      findPhoneNumberByKey: (apiKey) => phoneNumbers.findByKey(apiKey),
      faults,
      requests,
      sleep: (delayMs) => timers.sleep(delayMs),
      save: () => saver.flush(),
      onRequest: settings.onRequest,
    }),
  );
  const { url, port } = await listen(server, settings);
  ownUrl = url;

  return {
    ...controls,
    url,
    port,
    async close() {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      timers.close();
      server.closeAllConnections();
      await Promise.all([sender.close(), hub.partnerSender.close()]);
      await closed;
      saver.flush();
    },
  };
}
