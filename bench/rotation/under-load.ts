import { Agent, request } from "undici";

/** What rotations have cost the calls that went on meanwhile. */
export type RotationsUnderLoad = {
  rotations: number;
  /** Rotations that did not go well. */
  unrotated: number;
  calls: number;
  /** Answers that were not 200, by status. */
  failed: Map<number, number>;
  /** As each rotation tells of itself. */
  gapsMs: number[];
  /** How long each call took. */
  latenciesMs: number[];
};

const TICK_MS = 5;

/**
 * Rotates one number's key so many times, one after the other, while messages are sent over all processes
 * in turn at an even rate; each message has a text and a user of its own.
 */
export async function rotateUnderLoad(options: {
  urls: readonly string[];
  /** The tenant's. */
  token: string;
  sendsPerSecond: number;
  rotations: number;
  /** Over the process of this number; its gap in ms, or `undefined` when it did not go well. */
  rotate: (index: number) => Promise<number | undefined>;
}): Promise<RotationsUnderLoad> {
  const { urls, token, sendsPerSecond, rotations, rotate } = options;
  const failed = new Map<number, number>();
  const gapsMs: number[] = [];
  const latenciesMs: number[] = [];
  const sends: Promise<void>[] = [];
  const dispatcher = new Agent({ connections: 256, pipelining: 1 });
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };

  async function send(index: number): Promise<void> {
    const startedMs = performance.now();
    const answer = await request(`${urls[index % urls.length]}/messages`, {
      method: "POST",
      headers,
      dispatcher,
      body: JSON.stringify({
        messaging_product: "whatsapp",
        recipient_type: "individual",
        to: String(15_550_000_000 + index),
        type: "text",
        text: { body: `message ${index}` },
      }),
    });
    await answer.body.dump();
    latenciesMs.push(performance.now() - startedMs);
    if (answer.statusCode !== 200) {
      failed.set(answer.statusCode, (failed.get(answer.statusCode) ?? 0) + 1);
    }
  }

  const beginMs = performance.now();
  const timer = setInterval(() => {
    const due = ((performance.now() - beginMs) / 1000) * sendsPerSecond;
    while (sends.length < due) {
      sends.push(send(sends.length));
    }
  }, TICK_MS);
  let unrotated = 0;
  for (let index = 0; index < rotations; index += 1) {
    const gapMs = await rotate(index);
    if (gapMs === undefined) {
      unrotated += 1;
    } else {
      gapsMs.push(gapMs);
    }
  }
  clearInterval(timer);
  await Promise.all(sends);
  await dispatcher.close();
  return { rotations, unrotated, calls: sends.length, failed, gapsMs, latenciesMs };
}

/** How many messages were accepted, and how many of these more than once, by their texts. */
export function countAccepted(accepted: readonly { body: Buffer }[]): {
  messages: number;
  doubled: number;
} {
  const texts = accepted.map(
    ({ body }) => (JSON.parse(body.toString()) as { text: { body: string } }).text.body,
  );
  const messages = new Set(texts).size;
  return { messages, doubled: texts.length - messages };
}
