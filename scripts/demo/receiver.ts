import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";

/** One delivery whose signature was right, told in the words of its content. */
export type Delivery = {
  /** `sent`, `delivered`, `read` … of the message `wamid`; `reply` is the user's own message. */
  kind: string;
  wamid: string;
  text: string | undefined;
  atMs: number;
};

export type Receiver = {
  url: string;
  /** The secret comes with the endpoint, and the endpoint needs the URL first. */
  trust(secret: string): void;
  /** The delivery of this kind for this message, as soon as it is there. */
  waitFor(kind: string, wamid: string): Promise<Delivery>;
  /** From now on each delivery is told here. */
  onDelivery: (delivery: Delivery) => void;
  /** Each request that was refused because of its signature. */
  onForgery: (reason: string) => void;
  close(): Promise<void>;
};

const WAIT_MS = 10_000;
/** What the answer to a GET says, so that a later start knows that this endpoint is in use. */
const NAME = "demo endpoint of waba-gateway";

/** A tenant's endpoint on loopback, written as a tenant would write it. */
export async function startReceiver(): Promise<Receiver> {
  let webhook: Webhook | undefined;
  const seen = new Map<string, Delivery>();
  const waiters = createWaiters(seen);

  async function answer(req: IncomingMessage): Promise<{ status: number; text?: string }> {
    const body = await readBody(req);
    if (req.method !== "POST") {
      return { status: 200, text: NAME };
    }
    if (webhook === undefined) {
      return { status: 503 };
    }
    const headers = req.headers as Record<string, string>;
    try {
      webhook.verify(body, headers);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      receiver.onForgery(reason);
      waiters.fail(`a delivery's signature is wrong: ${reason}`);
      return { status: 401 };
    }
    // An answer may get lost, and then the same delivery comes again: it counts once.
    const id = headers["webhook-id"] ?? "";
    if (!seen.has(id)) {
      const delivery = readDelivery(body);
      seen.set(id, delivery);
      receiver.onDelivery(delivery);
      waiters.check();
    }
    return { status: 204 };
  }

  const server = createServer((req, res) => {
    answer(req).then(
      ({ status, text }) => res.writeHead(status).end(text),
      () => res.destroy(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;

  const receiver: Receiver = {
    url: `http://127.0.0.1:${port}/webhooks/${randomBytes(6).toString("hex")}`,
    trust: (secret) => {
      webhook = new Webhook(secret);
    },
    waitFor: waiters.waitFor,
    onDelivery: () => {},
    onForgery: () => {},
    close: () =>
      new Promise((resolve) => {
        waiters.fail("the endpoint is closed");
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return receiver;
}

/** Those who wait for a delivery, each until it is there, or it is clear that it will not be. */
function createWaiters(seen: ReadonlyMap<string, Delivery>) {
  const waiting = new Set<{ check: () => void; fail: (reason: string) => void }>();
  return {
    check: () => waiting.forEach((waiter) => waiter.check()),
    fail: (reason: string) => waiting.forEach((waiter) => waiter.fail(reason)),
    waitFor: (kind: string, wamid: string): Promise<Delivery> =>
      new Promise((resolve, reject) => {
        const end = (): void => {
          clearTimeout(timer);
          waiting.delete(waiter);
        };
        const waiter = {
          check(): void {
            const found = [...seen.values()].find(
              (delivery) => delivery.kind === kind && delivery.wamid === wamid,
            );
            if (found !== undefined) {
              end();
              resolve(found);
            }
          },
          fail(reason: string): void {
            end();
            reject(new Error(reason));
          },
        };
        const timer = setTimeout(
          () => waiter.fail(`the endpoint got no "${kind}" within ${WAIT_MS / 1000} s`),
          WAIT_MS,
        );
        waiting.add(waiter);
        waiter.check();
      }),
  };
}

/** Whether the endpoint of an earlier start is still in use: by a second copy. */
export async function isReceiverAlive(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(1000) });
    return (await response.text()) === NAME;
  } catch {
    return false;
  }
}

async function readBody(req: IncomingMessage): Promise<string> {
  return Buffer.concat(await req.toArray()).toString("utf8");
}

/** Meta's envelope, as far as the demo looks into it. */
type Envelope = {
  entry: {
    changes: {
      value: {
        statuses?: { id: string; status: string }[];
        messages?: { id: string; text?: { body: string } }[];
      };
    }[];
  }[];
};

function readDelivery(body: string): Delivery {
  const { entry } = JSON.parse(body) as Envelope;
  const value = entry[0]?.changes[0]?.value;
  const status = value?.statuses?.[0];
  const message = value?.messages?.[0];
  return {
    kind: status?.status ?? (message === undefined ? "other" : "reply"),
    wamid: status?.id ?? message?.id ?? "",
    text: message?.text?.body,
    atMs: performance.now(),
  };
}
