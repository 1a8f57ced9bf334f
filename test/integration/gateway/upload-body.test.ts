import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { uploadBody } from "../../../src/gateway/upload-body.ts";
import { ClientGone, readBody } from "../../../src/http/body.ts";
import { eventually } from "../../support/eventually.ts";

const server = createServer();
let port: number;

beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => server.close());

/** A caller that has sent the first of its bytes, and the gateway's end of it. */
async function beginUpload() {
  const arrives = once(server, "request") as Promise<[IncomingMessage, ServerResponse]>;
  const caller = request({ port, host: "127.0.0.1", method: "POST" });
  caller.on("error", () => {});
  caller.write("begun");
  const [req, res] = await arrives;
  return { caller, req, res };
}

describe("an upload whose caller leaves", () => {
  it("before upstream reads it fails, and nothing else does", async () => {
    const { caller, req } = await beginUpload();
    const body = uploadBody(req);
    caller.destroy();
    await eventually(() => body.errored !== null);
    expect(body.errored).toBeInstanceOf(ClientGone);
  });

  it("after upstream has let go of it ends nothing else", async () => {
    const { caller, req } = await beginUpload();
    const body = uploadBody(req);
    expect(await body.iterator({ destroyOnReturn: false }).next()).toMatchObject({ done: false });
    caller.destroy();
    await eventually(() => body.errored !== null);
  });

  it("before it is attached is told so, and so is a body that is read whole", async () => {
    const { caller, req } = await beginUpload();
    caller.destroy();
    await eventually(() => req.destroyed);
    expect(() => uploadBody(req)).toThrow(ClientGone);
    await expect(readBody(req, { bytesMax: 10 })).rejects.toThrow(ClientGone);
  });
});

describe("a body that is read whole", () => {
  it("is told of a caller that leaves in the middle", async () => {
    const { caller, req } = await beginUpload();
    const reading = readBody(req, { bytesMax: 10 });
    caller.destroy();
    await expect(reading).rejects.toThrow(ClientGone);
  });
});

describe("an upload that nobody takes any more", () => {
  it("is let go, so that its caller reads the answer on a connection that stays", async () => {
    const { caller, req, res } = await beginUpload();
    uploadBody(req).destroy();
    caller.end(Buffer.alloc(16 * 1024 * 1024));
    await once(caller, "finish");
    res.end("refused");
    const [answer] = (await once(caller, "response")) as [IncomingMessage];
    expect((await answer.toArray()).join("")).toBe("refused");
    await eventually(() => req.complete);
  });
});
