import proxy from "@fastify/http-proxy";
import jwt from "@fastify/jwt";
import { fastify } from "fastify";

/**
 * The ready-made way: `fastify`, `@fastify/jwt` and `@fastify/http-proxy` as their readmes show
 * them, without limits, metrics or log.
 */
const [upstream = "", secret = ""] = process.argv.slice(2);
const app = fastify();
await app.register(jwt, { secret });
await app.register(proxy, {
  upstream,
  undici: { connections: 512, pipelining: 1 },
  preHandler: (request, _reply, done) => {
    request.jwtVerify((error) => done(error ?? undefined));
  },
  replyOptions: {
    rewriteRequestHeaders: (_request, headers) => ({
      ...headers,
      authorization: undefined,
      "d360-api-key": "key",
    }),
  },
});
const url = await app.listen({ port: 0, host: "127.0.0.1" });
process.stdout.write(`listening on ${url}\n`);
