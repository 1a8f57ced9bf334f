import { createHmac, randomBytes } from "node:crypto";
import { Agent, request } from "undici";

/**
 * The baseline of delivering: `undici.request` with a body and its HMAC, in a loop, and nothing else.
 * Prints how many it made a second.
 */
const [url = "", paths = "", count = "", atOnce = "", bodyText = ""] = process.argv.slice(2);
const dispatcher = new Agent({ connections: 128, pipelining: 1 });
const secret = randomBytes(32);
const body = Buffer.from(bodyText);
const calls = Number(count);
let started = 0;

async function loop(): Promise<void> {
  while (started < calls) {
    const index = started++;
    const timestamp = String(Math.floor(Date.now() / 1000));
    const id = `dlv_${index}`;
    const signature = createHmac("sha256", secret).update(`${id}.${timestamp}.`).update(body);
    const answer = await request(`${url}/ok/${index % Number(paths)}`, {
      method: "POST",
      dispatcher,
      headers: {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": timestamp,
        "webhook-signature": `v1,${signature.digest("base64")}`,
      },
      body,
    });
    await answer.body.dump();
  }
}

const startMs = performance.now();
await Promise.all(Array.from({ length: Number(atOnce) }, loop));
const seconds = (performance.now() - startMs) / 1000;
await dispatcher.close();
process.stdout.write(`${calls / seconds}\n`);
