import { createServer } from "node:http";
import { Pool } from "undici";

/** The baseline: `node:http` and `undici.request`, one header put on, nothing else done. */
const pool = new Pool(process.argv[2] ?? "", { connections: 512, pipelining: 1 });

const server = createServer((req, res) => {
  const chunks: Buffer[] = [];
  req.on("data", (chunk: Buffer) => chunks.push(chunk));
  req.on("end", () => {
    pool
      .request({
        method: "POST",
        path: req.url ?? "/",
        headers: { "content-type": "application/json", "d360-api-key": "key" },
        body: Buffer.concat(chunks),
      })
      .then(async (answer) => {
        const body = Buffer.from(await answer.body.arrayBuffer());
        const headers = { "content-type": "application/json", "content-length": body.length };
        return res.writeHead(answer.statusCode, headers).end(body);
      })
      .catch(() => res.writeHead(502).end());
  });
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.stdout.write(
    `listening on http://127.0.0.1:${typeof address === "object" ? address?.port : ""}\n`,
  );
});
