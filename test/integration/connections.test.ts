import { once } from "node:events";
import { setImmediate, setTimeout } from "node:timers/promises";
import { Client } from "undici";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Connections, openConnections } from "../../src/connections.ts";
import { type Receiver, reply, startReceiver } from "./outbound/receiver.ts";

async function use(connection: Client, path = "/"): Promise<void> {
  const { body } = await connection.request({ method: "GET", path });
  await body.dump();
  await setImmediate();
}

describe("connections", () => {
  let receiver: Receiver;
  let origin: string;
  let opened: Client[];
  let connections: Connections;

  beforeEach(async () => {
    receiver = await startReceiver((socket, line) => {
      if (line.startsWith("GET /last")) {
        socket.end(reply(200, "", ["connection: close"]));
      } else {
        socket.write(reply(200));
      }
    });
    origin = `http://127.0.0.1:${receiver.port}`;
    opened = [];
  });
  afterEach(async () => {
    await connections.destroy();
    await receiver[Symbol.asyncDispose]();
  });

  function openUpTo(perOrigin: number, options: { ageMaxMs?: number } = {}): void {
    connections = openConnections({
      perOrigin,
      ...options,
      open(to) {
        const connection = new Client(to);
        opened.push(connection);
        return connection;
      },
    });
  }

  function take(): Client {
    const connection = connections.take(origin);
    expect(connection).toBeDefined();
    return connection as Client;
  }

  async function useAndGiveBack(connection: Client): Promise<void> {
    await use(connection);
    connections.giveBack(origin, connection);
  }

  it("are given last used first, and never two exchanges one", async () => {
    openUpTo(2);
    const [first, second] = [take(), take()];
    expect(first).not.toBe(second);
    expect(connections.take(origin)).toBeUndefined();
    await useAndGiveBack(first);
    await useAndGiveBack(second);
    expect([take(), take(), connections.take(origin)]).toEqual([second, first, undefined]);
    expect(receiver.connections).toBe(2);
  });

  it("are each origin's own", () => {
    openUpTo(1);
    take();
    expect(connections.take("http://localhost:9")).toBeDefined();
    expect(connections.take(origin)).toBeUndefined();
  });

  it("that were closed open themselves again where they are kept", async () => {
    openUpTo(1);
    const connection = take();
    const gone = once(connection, "disconnect");
    await use(connection, "/last");
    connections.giveBack(origin, connection);
    await gone;
    expect(take()).toBe(connection);
    await useAndGiveBack(connection);
    expect([opened.length, receiver.connections]).toEqual([1, 2]);
  });

  it("that were closed are forgotten otherwise, and there may be others for them", async () => {
    openUpTo(1, { ageMaxMs: 60_000 });
    const connection = take();
    const gone = once(connection, "disconnect");
    await use(connection, "/last");
    connections.giveBack(origin, connection);
    await gone;
    await vi.waitFor(() => expect(connection.destroyed).toBe(true));
    await useAndGiveBack(take());
    expect([opened.length, receiver.connections]).toEqual([2, 2]);
  });

  it("that were never made are not kept either", async () => {
    openUpTo(1, { ageMaxMs: 60_000 });
    const connection = connections.take("http://127.0.0.1:1");
    await expect(connection?.request({ method: "GET", path: "/" })).rejects.toThrow("ECONNREFUSED");
    connections.giveBack("http://127.0.0.1:1", connection as Client);
    expect(connection?.destroyed).toBe(true);
    expect(connections.take("http://127.0.0.1:1")).not.toBe(connection);
  });

  it("that are too old are given to nobody", async () => {
    openUpTo(1, { ageMaxMs: 0 });
    const connection = take();
    await useAndGiveBack(connection);
    expect(connection.destroyed).toBe(true);
    expect(take()).not.toBe(connection);
  });

  it("that have grown too old while they were free make room for one, which counts", async () => {
    openUpTo(1, { ageMaxMs: 20 });
    const old = take();
    await useAndGiveBack(old);
    await setTimeout(30);
    const young = take();
    expect([young === old, old.destroyed, connections.take(origin)]).toEqual([
      false,
      true,
      undefined,
    ]);
    await connections.destroy();
    expect(young.destroyed).toBe(true);
  });
});
