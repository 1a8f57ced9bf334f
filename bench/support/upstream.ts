import { createServer } from "node:http";

/**
 * Stands in for 360dialog's speed, not for what it says: one small answer to every send, at once.
 * Every key is that of the one number.
 */
const [phoneNumberId] = process.argv.slice(2);
const HEALTH = JSON.stringify({
  health_status: { entities: [{ entity_type: "PHONE_NUMBER", id: phoneNumberId }] },
});
const ANSWER = JSON.stringify({
  messaging_product: "whatsapp",
  contacts: [{ input: "15550001111", wa_id: "15550001111" }],
  messages: [{ id: "wamid.HBgLMTU1NTAwMDExMTEVAgARGBI0RkQ4" }],
});

const server = createServer((req, res) => {
  req.resume();
  req.on("end", () => {
    const answer = req.method === "GET" ? HEALTH : ANSWER;
    res.writeHead(200, {
      "content-type": "application/json; charset=UTF-8",
      "content-length": Buffer.byteLength(answer),
    });
    res.end(answer);
  });
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.stdout.write(
    `listening on http://127.0.0.1:${typeof address === "object" ? address?.port : ""}\n`,
  );
});
