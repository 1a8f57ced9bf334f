import { randomBytes } from "node:crypto";
import { request } from "undici";
import { notificationBody } from "../../bench/support/notifications.ts";
import type { HookedNumber } from "../../bench/support/hooked.ts";

const GIVE_UP_MS = 5000;
const AGAIN_MS = 150;

export type Sender = {
  /** Takes no more up, and waits until everything that was is answered 200. */
  stop: () => Promise<void>;
  posted: () => number;
};

/**
 * Behaves as 360dialog does: posts, gives up on an answer after 5 s, and repeats whatever was not
 * answered 200 until it is, at another process if need be.
 */
export function startSender(options: {
  urls: readonly string[];
  numbers: readonly HookedNumber[];
  everyMs: number;
  onAcknowledged: (messageId: string) => void;
}): Sender {
  const { urls, numbers } = options;
  const run = randomBytes(4).toString("hex");
  const underWay = new Set<Promise<void>>();
  let posted = 0;

  async function send(index: number): Promise<void> {
    const number = numbers[index % numbers.length];
    if (number === undefined) {
      throw new Error("there are no numbers");
    }
    const id = `wamid.${run}.${index}`;
    const body = notificationBody(number, id);
    for (let tries = 0; ; tries++) {
      if (await post(urls[(index + tries) % urls.length] ?? "", { number, body })) {
        options.onAcknowledged(id);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }

  async function post(
    url: string,
    { number, body }: { number: HookedNumber; body: string },
  ): Promise<boolean> {
    posted++;
    try {
      const answer = await request(`${url}${number.hookPath}`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "x-gateway-hook-secret": number.hookSecret,
        },
        body,
        headersTimeout: GIVE_UP_MS,
      });
      await answer.body.dump();
      return answer.statusCode === 200;
    } catch {
      return false;
    }
  }

  let next = 0;
  const timer = setInterval(() => {
    const sending = send(next++).finally(() => underWay.delete(sending));
    underWay.add(sending);
  }, options.everyMs);
  return {
    posted: () => posted,
    async stop() {
      clearInterval(timer);
      await Promise.all(underWay);
    },
  };
}
