import { Agent } from "undici";
import { BoundedLog } from "../bounded-log.ts";
import type { Webhook } from "../numbers/phone-number.ts";
import type { Settings } from "../options.ts";
import type { Timers } from "../timers.ts";
import { Lanes } from "./lanes.ts";
import type { DestinationBook } from "./extra-destinations.ts";
import type { Attempt, Notification } from "./notification.ts";
import { post } from "./post.ts";
import { nextDelayMs } from "./retry-delay.ts";

type OpenNotification = Omit<Notification, "attempts" | "settled" | "outcome"> & {
  attempts: Attempt[];
  settled: boolean;
  outcome?: "delivered" | "expired";
};

type SenderSettings = Pick<
  Settings,
  | "webhookRetryDelaysMs"
  | "webhookHorizonMs"
  | "webhookTimeoutMs"
  | "webhookConcurrency"
  | "logEntriesMax"
  | "logBytesMax"
  | "onNotification"
>;

/** Where a number's notification goes now; the headers may depend on its bytes. */
type FindWebhook = (phoneNumberId: string, body: Buffer) => Webhook | undefined;

/** Posts notifications as 360dialog does: only a 200 ends one, everything else is tried again. */
export class WebhookSender {
  readonly #settings: SenderSettings;
  readonly #findWebhook: FindWebhook;
  readonly #extras: DestinationBook;
  readonly #timers: Timers;
  readonly #log: BoundedLog<OpenNotification>;
  readonly #lanes: Lanes;
  readonly #stopping = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  readonly #agent = new Agent({ headersTimeout: 0, bodyTimeout: 0 });

  constructor(input: {
    settings: SenderSettings;
    findWebhook: FindWebhook;
    extras: DestinationBook;
    timers: Timers;
  }) {
    this.#settings = input.settings;
    this.#findWebhook = input.findWebhook;
    this.#extras = input.extras;
    this.#timers = input.timers;
    this.#log = new BoundedLog({
      entriesMax: input.settings.logEntriesMax,
      bytesMax: input.settings.logBytesMax,
      bytesOf: ({ body }) => body.length,
    });
    this.#lanes = new Lanes(input.settings.webhookConcurrency);
  }

  get notifications(): readonly Notification[] {
    return this.#log.entries;
  }

  clearNotifications(): void {
    this.#log.clear();
  }

  /** Takes a notification on; its first attempt starts at once. */
  send(phoneNumberId: string, body: Buffer): Notification {
    return this.#take({ phoneNumberId, body });
  }

  /** The same for what is still to be written as JSON. */
  sendJson(phoneNumberId: string, body: unknown): Notification {
    return this.send(phoneNumberId, Buffer.from(JSON.stringify(body)));
  }

  /** Breaks off what is under way and drops what waits. */
  async close(): Promise<void> {
    this.#stopping.abort(new Error("the simulator stops"));
    await Promise.all(this.#underWay);
    await this.#agent.destroy();
  }

  #take(chosen: Pick<Notification, "phoneNumberId" | "body" | "destination">): Notification {
    const notification: OpenNotification = {
      ...chosen,
      createdAt: new Date(),
      attempts: [],
      settled: false,
    };
    this.#log.add(notification);
    this.#start(notification);
    return notification;
  }

  #start(notification: OpenNotification): void {
    const attempt = this.#lanes.run(notification.phoneNumberId, () => this.#attempt(notification));
    const underWay = attempt.finally(() => this.#underWay.delete(underWay));
    this.#underWay.add(underWay);
  }

  async #attempt(notification: OpenNotification): Promise<void> {
    if (this.#stopping.signal.aborted) {
      return;
    }
    // Looked up anew each time: what waits goes to the webhook that is set when its turn comes.
    const { phoneNumberId, destination } = notification;
    const webhook =
      destination === undefined
        ? this.#findWebhook(phoneNumberId, notification.body)
        : this.#extras.find(phoneNumberId, destination);
    const attempt: Attempt =
      webhook === undefined
        ? { at: new Date(), durationMs: 0, error: "the number has no webhook" }
        : await post({
            agent: this.#agent,
            webhook,
            body: notification.body,
            timeoutMs: this.#settings.webhookTimeoutMs,
            stopping: this.#stopping.signal,
          });
    notification.attempts.push(attempt);
    this.#decide(notification, attempt);
    this.#settings.onNotification(notification);
  }

  /** Extra destinations get theirs only once the number's own webhook has answered 200. */
  #copy({ phoneNumberId, body, destination: isCopyFor }: OpenNotification): void {
    const names = isCopyFor === undefined ? this.#extras.namesOf(phoneNumberId) : [];
    for (const destination of names) {
      this.#take({ phoneNumberId, body, destination });
    }
  }

  #decide(notification: OpenNotification, attempt: Attempt): void {
    if (attempt.status === 200) {
      notification.settled = true;
      notification.outcome = "delivered";
      this.#copy(notification);
      return;
    }
    const delayMs = nextDelayMs({
      delaysMs: this.#settings.webhookRetryDelaysMs,
      attemptsMade: notification.attempts.length,
      ageMs: Date.now() - notification.createdAt.getTime(),
      horizonMs: this.#settings.webhookHorizonMs,
    });
    if (delayMs === undefined) {
      notification.settled = true;
      notification.outcome = "expired";
      return;
    }
    this.#timers.after(delayMs, () => this.#start(notification));
  }
}
