import { createServer } from "node:http";

/**
 * Stands in for 360dialog's speed, not for what it says: one small answer to every send. How long
 * it takes is set by `PUT /delay-ms/50`.
 */
const ANSWER = JSON.stringify({
  messaging_product: "whatsapp",
  contacts: [{ input: "15550001111", wa_id: "15550001111" }],
  messages: [{ id: "wamid.HBgLMTU1NTAwMDExMTEVAgARGBI0RkQ4" }],
});
const HEADERS = {
  "content-type": "application/json; charset=UTF-8",
  "content-length": Buffer.byteLength(ANSWER),
};
let delayMs = 0;

const server = createServer({ keepAliveTimeout: 0 }, (req, res) => {
  const delay = /^\/delay-ms\/(\d+)$/.exec(req.url ?? "")?.[1];
  req.resume();
  req.on("end", () => {
    if (delay !== undefined) {
      delayMs = Number(delay);
      res.writeHead(204).end();
    } else if (delayMs === 0) {
      res.writeHead(200, HEADERS).end(ANSWER);
    } else {
      setTimeout(() => res.writeHead(200, HEADERS).end(ANSWER), delayMs);
    }
  });
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.stdout.write(
    `listening on http://127.0.0.1:${typeof address === "object" ? address?.port : ""}\n`,
  );
});
