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
  const waiting = new Set<() => void>();
  let forgery: string | undefined;

  const server = createServer(async (req, res) => {
    const body = await readBody(req);
    if (req.method !== "POST") {
      res.end(NAME);
      return;
    }
    if (webhook === undefined) {
      res.writeHead(503).end();
      return;
    }
    const headers = req.headers as Record<string, string>;
    try {
      webhook.verify(body, headers);
    } catch (error) {
      forgery = error instanceof Error ? error.message : String(error);
      receiver.onForgery(forgery);
      res.writeHead(401).end();
      waiting.forEach((check) => check());
      return;
    }
    // An answer may get lost, and then the same delivery comes again: it counts once.
    const id = headers["webhook-id"] ?? "";
    if (!seen.has(id)) {
      const delivery = readDelivery(body);
      seen.set(id, delivery);
      receiver.onDelivery(delivery);
      waiting.forEach((check) => check());
    }
    res.writeHead(204).end();
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });

  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/${randomBytes(6).toString("hex")}`,
    trust: (secret) => {
      webhook = new Webhook(secret);
    },
    waitFor: (kind, wamid) =>
      new Promise((resolve, reject) => {
        const settle = (give: () => void): void => {
          clearTimeout(timer);
          waiting.delete(check);
          give();
        };
        const check = (): void => {
          const found = seen.values().find((each) => each.kind === kind && each.wamid === wamid);
          if (found !== undefined) {
            settle(() => resolve(found));
          } else if (forgery !== undefined) {
            settle(() => reject(new Error(`a delivery's signature is wrong: ${forgery}`)));
          }
        };
        const timer = setTimeout(
          () =>
            settle(() =>
              reject(new Error(`the endpoint got no "${kind}" within ${WAIT_MS / 1000} s`)),
            ),
          WAIT_MS,
        );
        waiting.add(check);
        check();
      }),
    onDelivery: () => {},
    onForgery: () => {},
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return receiver;
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
